package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// thousand is what a fleet of a thousand targets hands to a tick, all of them hurt or all well.
func thousand(firing bool, at time.Time) store.Tick {
	t := store.Tick{At: at, State: engine.State{}, Sent: store.Sent{}}
	for i := range 1000 {
		o := hurt(fmt.Sprint("h", i), "f")
		if !firing {
			o.Diagnosis.Status, o.Diagnosis.Onset, o.Diagnosis.Causes = model.Healthy, nil, nil
		} else {
			t.State[fmt.Sprint("rule", i)] = engine.Held{Since: t0, LastSeen: at, LastTrue: at, Observed: at.Sub(t0), Firing: true}
		}
		t.Diagnoses = append(t.Diagnoses, o)
	}
	return t
}

func BenchmarkTickOfAThousandTargets(b *testing.B) {
	for _, c := range []struct {
		name   string
		firing bool
		step   time.Duration
	}{
		{"well", false, 15 * time.Second},
		{"all hurt, clocks run on", true, 0},
		{"all hurt, every clock due", true, 30 * time.Second},
	} {
		b.Run(c.name, func(b *testing.B) {
			s, _ := fresh(b)
			must(b, s.Tick(b.Context(), thousand(c.firing, t0)))
			at := t0
			for b.Loop() {
				b.StopTimer()
				at = at.Add(c.step)
				tick := thousand(c.firing, at)
				b.StartTimer()
				must(b, s.Tick(b.Context(), tick))
			}
		})
	}
}

func BenchmarkFirstTickOfAThousandHurtTargets(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s, _ := fresh(b)
		tick := thousand(true, t0)
		b.StartTimer()
		must(b, s.Tick(b.Context(), tick))
	}
}

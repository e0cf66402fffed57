package engine

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// trendOf has a point a second.
func trendOf(vs ...float64) []model.Point {
	var out []model.Point
	for i, v := range vs {
		out = append(out, model.Point{T: t0.Add(time.Duration(i) * time.Second), V: v})
	}
	return out
}

func TestWhenAQueueBegan(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []float64
		want int // second, -1 where it can't be told
	}{
		{"it rose and stayed", []float64{0, 0, 1, 40, 50, 50}, 3},
		{"it dipped for two points", []float64{0, 30, 40, 2, 0, 40, 40}, 1},
		{"it was drained and came again", []float64{40, 40, 0, 0, 0, 40, 40, 40}, 5},
		{"it moves but is never gone", []float64{0, 10, 24, 40, 16, 11, 12, 15}, 1},
		{"it is over", []float64{0, 0, 40, 40, 0, 0, 0, 0, 40, 40, 40, 0, 0, 0, 0}, 8},
		{"nothing ever", []float64{0, 0, 0, 0}, -1},
		{"too little was seen", []float64{0, 40}, -1},
	} {
		at, ok := risen(trendOf(tc.in...))
		if got := second(at, ok); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestWhenTokensStopped(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []float64
		want int
	}{
		{"they still have not come back", []float64{9, 9, 9, 0, 0, 0}, 2},
		{"they came back", []float64{9, 0, 0, 0, 9, 9}, 0},
		{"the last of two stops", []float64{9, 0, 0, 0, 9, 0, 0, 9}, 4},
		{"a missed beat after a long stop", []float64{9, 0, 0, 0, 0, 0, 9, 0, 9}, 0},
		{"they never stopped", []float64{9, 9, 9}, -1},
	} {
		at, ok := stopped(trendOf(tc.in...))
		if got := second(at, ok); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}

func second(at time.Time, ok bool) int {
	if !ok {
		return -1
	}
	return int(at.Sub(t0) / time.Second)
}

func TestAGroupWasSeenForAsLongAsItsMembers(t *testing.T) {
	es := &model.Entities{}
	group := es.Add(model.Entity{Scope: model.ScopeGroup, Parent: model.NoEntity})
	late := es.Add(model.Entity{Scope: model.ScopeTarget, Parent: group, Labels: model.LabelsFrom(map[string]string{"instance": "a"})})
	early := es.Add(model.Entity{Scope: model.ScopeTarget, Parent: group, Labels: model.LabelsFrom(map[string]string{"instance": "b"})})
	es.Add(model.Entity{Scope: model.ScopeTarget, Parent: group, Labels: model.LabelsFrom(map[string]string{"instance": "never seen"})})
	b := model.NewFrame(t0, 5*time.Minute, es)
	b.SetSpan(late, model.Span{First: t0.Add(-20 * time.Second), Last: t0, Scrapes: 5})
	b.SetSpan(early, model.Span{First: t0.Add(-90 * time.Second), Last: t0.Add(-5 * time.Second), Scrapes: 18})
	b.Set(group, "waiting", model.Known(9))
	f := b.Frame()
	e := newEngine(t, map[string]string{"queue": "{title: q, scope: group, when: waiting > 5}"}, nil)
	_, ss := e.Judge(nil, f)
	d := e.Diagnose(f, ss)[0]
	if want := t0.Add(-90 * time.Second); d.Scope != model.ScopeGroup || !d.Onset.Equal(want) || d.Span.Scrapes != 18 || d.Span.Observed() != 90*time.Second {
		t.Errorf("%s began %v, seen %+v; want from %v", d.Scope, d.Onset, d.Span, want)
	}
}

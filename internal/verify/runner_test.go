package verify_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/verify"
)

// failing is a source that has lost one server for some reads.
type failing struct {
	verify.Past

	instance string
	times    int
}

var errLost = errors.New("connection refused")

func (f *failing) Read(ctx context.Context, at time.Time, window time.Duration, only func(model.Labels) bool) (*samples.Store, []model.Fault, error) {
	if f.times > 0 && only(model.LabelsFrom(map[string]string{"instance": f.instance, "job": "vllm"})) {
		f.times--
		return nil, nil, errLost
	}
	return f.Past.Read(ctx, at, window, only)
}

// cure is a history of a cap put right, and the trial of it.
func cure(t *testing.T) (*history, verify.Trial) {
	t.Helper()
	all := scenarios(t)
	h := play(t, 8*time.Minute, all["seqs8-c64"], all["base-c64"])
	return h, verify.Trial{
		ID: "x", Target: map[string]string{"instance": "h200-0:8000", "job": "vllm", "model_name": "m"},
		Before: verify.Span{From: h.acts[0].from, To: h.acts[0].to}, After: verify.Span{From: h.acts[1].from, To: h.acts[1].to},
	}
}

func TestOneServerThatCannotBeReadStopsNoOther(t *testing.T) {
	h, here := cure(t)
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lost := here
	lost.Target = maps.Clone(here.Target)
	lost.Target["instance"] = "lost:8000"
	over := here
	over.Ended = "another change followed"
	r := verify.Runner{Past: &failing{h, "lost:8000", 1}, Signals: c.Signals}
	got := r.Look(context.Background(), []verify.Trial{lost, here, over, lost})
	if !errors.Is(got[0].Err, errLost) {
		t.Errorf("the lost one: %v", got[0].Err)
	}
	if got[1].Err != nil || got[1].Result.Verdict != compare.Improved {
		t.Errorf("the other: %v %s", got[1].Err, got[1].Result.Verdict)
	}
	if got[2].Err != nil || got[2].Result.Verdict != compare.CannotTell || got[2].Result.Why != over.Ended {
		t.Errorf("one that ended: %+v", got[2])
	}
	if got[3].Err == nil || !strings.Contains(got[3].Err.Error(), "not in what the source holds") {
		t.Errorf("one that nobody scraped: %v", got[3].Err)
	}
}

func TestAPriceAddsTheCost(t *testing.T) {
	h, here := cure(t)
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := verify.Runner{Past: h, Signals: c.Signals, Options: func(map[string]string) compare.Options { return compare.Options{CostPerHour: 4} }}
	o := verify.Conclude(here, r.Look(context.Background(), []verify.Trial{here})[0].Result, h.end).Outcome
	if o.Verdict != "improved" || !strings.Contains(strings.Join(o.Lines, "\n"), "cost per million output tokens 0.8") {
		t.Errorf("%s: %q", o.Verdict, o.Lines)
	}
}

func TestMoreLooksMustBeSurerEach(t *testing.T) {
	h, here := cure(t)
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	width := func(looks int) float64 {
		got := verify.Runner{Past: h, Signals: c.Signals, Times: looks}.Look(context.Background(), []verify.Trial{here})[0].Result
		for _, m := range got.Metrics {
			if m.Signal == "ttft_p50_s" {
				return *m.Interval[1] - *m.Interval[0]
			}
		}
		t.Fatal("no TTFT P50")
		return 0
	}
	if one, four := width(1), width(0); one >= four {
		t.Errorf("the interval of one look is %g wide, of four %g", one, four)
	}
}

func TestWhatCannotBeReadIsTriedAgainAndInTheEndTold(t *testing.T) {
	for _, c := range []struct {
		name    string
		lostFor time.Duration
		want    string
	}{{"for a while", 20 * time.Minute, "unchanged"}, {"for good", 10 * time.Hour, "cannot-tell"}} {
		w := newWatch(t)
		var s verify.State
		var done []verify.Concluded
		for at := time.Duration(0); at < 4*time.Hour; at += time.Minute {
			value := "8"
			if at >= time.Minute {
				value = "64"
			}
			var due []verify.Trial
			s, due = w.Observe(s, shown{at: at, facts: seqs(value)}.input())
			for _, d := range due {
				l := verify.Look{Trial: d, Result: compare.Result{Verdict: compare.Unchanged}}
				if at < c.lostFor {
					l = verify.Look{Trial: d, Err: errLost}
				}
				var got []verify.Concluded
				s, got = w.Settle(s, []verify.Look{l}, start.Add(at))
				done = append(done, got...)
			}
		}
		if len(done) != 1 || done[0].Outcome.Verdict != c.want {
			t.Errorf("lost %s: %+v", c.name, done)
			continue
		}
		if c.want == "cannot-tell" && !strings.Contains(done[0].Outcome.Why, "connection refused") {
			t.Errorf("lost %s: %s", c.name, done[0].Outcome.Why)
		}
	}
}

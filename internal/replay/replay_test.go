package replay_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
)

// told is one line for each episode that fired: symptom, onset, end, how it ended, primary cause; times in
// seconds since the beginning.
func told(r *replay.Result) []string {
	var out []string
	for _, e := range r.Episodes {
		if !e.Fired {
			continue
		}
		end, cause := "-", "-"
		if e.End != nil {
			end = fmt.Sprintf("%.0f", e.End.Sub(r.From).Seconds())
		}
		if len(e.Causes) > 0 {
			cause = e.Causes[0].ID
		}
		out = append(out, fmt.Sprintf("%s %.0f %s %s %s", e.Symptom, e.Onset.Sub(r.From).Seconds(), end, e.Ended, cause))
	}
	return out
}

func states(r *replay.Result, target string) string {
	var out []string
	for _, t := range r.Targets {
		for _, s := range t.Segments {
			if t.Name == target && (len(out) == 0 || out[len(out)-1] != string(s.State)) {
				out = append(out, string(s.State))
			}
		}
	}
	return strings.Join(out, " ")
}

// The faults of these recordings begin inside them, at the second that scenario.yaml says.
func TestAReplayShowsOnsetAndEnd(t *testing.T) {
	p := builtin(t)
	for id, want := range map[string]struct {
		told   []string
		states string
	}{
		"restart":             {[]string{"engine-restarted 38 - running engine-restarted", "target-down 40 75 resolved target-down"}, "healthy pending down firing"},
		"seqs4-open":          {[]string{"ttft-high 10 - running max-num-seqs-too-low"}, "unknown pending firing"},
		"k_engine_hung":       {[]string{"engine-stalled 30 - running engine-stalled"}, "healthy pending firing"},
		"tiny-stall-recovers": {[]string{"engine-stalled 12 - running engine-stalled"}, "unknown healthy pending firing"},
		"base-healthy":        {nil, "healthy"},
		"h_idle":              {nil, "unknown idle"},
	} {
		t.Run(id, func(t *testing.T) {
			st := load(t, p, id)
			r := run(t, over(p, st))
			if d := cmp.Diff(want.told, told(r)); d != "" {
				t.Error(d)
			}
			if got := states(r, r.Targets[0].Name); got != want.states {
				t.Errorf("got %q, want %q", got, want.states)
			}
		})
	}
}

// chain judges frame after frame over a store that grows by scrapes and forgets, as a service does, and
// gives what was active at each step.
func chain(p *pipeline.Pipeline, o replay.Options, st *samples.Store) []string {
	var state engine.State
	var out []string
	for at := o.From.Add(o.Step); ; at = at.Add(o.Step) {
		if at.After(o.To) {
			at = o.To
		}
		window, _, _ := replay.Held{Store: st}.Read(context.Background(), at, 5*time.Minute, p.Content.Signals.Metrics())
		f, _ := p.Frame(window, pipeline.Request{At: at, Window: 5 * time.Minute})
		var symptoms []model.Symptom
		state, symptoms = p.Engine.Judge(state, f)
		for _, d := range p.Engine.Diagnose(f, symptoms) {
			line := fmt.Sprint(at.UnixMilli(), " ", d.Name)
			for _, c := range d.Causes {
				if c.Primary {
					line += fmt.Sprintf(" %s", c.ID)
				}
			}
			out = append(out, line)
		}
		for _, s := range symptoms {
			if r, _ := p.Content.Rules.Get(s.ID); !r.Note {
				out = append(out, fmt.Sprint(at.UnixMilli(), " ", s.ID, " ", s.State))
			}
		}
		if !at.Before(o.To) {
			return out
		}
	}
}

// replayed is the same of a replay.
func replayed(r *replay.Result, o replay.Options) []string {
	var out []string
	for at := o.From.Add(o.Step); ; at = at.Add(o.Step) {
		if at.After(o.To) {
			at = o.To
		}
		for _, t := range r.Targets {
			for _, s := range t.Segments {
				if s.From.Before(at) && !s.To.Before(at) {
					out = append(out, strings.TrimSpace(fmt.Sprint(at.UnixMilli(), " ", t.Name, " ", s.Cause)))
				}
			}
		}
		for _, e := range r.Episodes {
			if e.Seen.After(at) || e.End != nil && !e.End.After(at) {
				continue
			}
			state := model.Pending
			if e.FiredAt != nil && !e.FiredAt.After(at) {
				state = model.Firing
			}
			out = append(out, fmt.Sprint(at.UnixMilli(), " ", e.Symptom, " ", state))
		}
		if !at.Before(o.To) {
			return out
		}
	}
}

func TestAReplayIsAChainOfJudgedFrames(t *testing.T) {
	p := builtin(t)
	for _, id := range []string{"restart", "kv2560-c20", "stall-busy", "base-gpu-contention", "tiny-dp2-onerank"} {
		t.Run(id, func(t *testing.T) {
			st := load(t, p, id)
			o := over(p, st)
			want, got := chain(p, o, st), replayed(run(t, o), o)
			less := func(a, b string) bool { return a < b }
			if d := cmp.Diff(want, got, sorted(less)); d != "" {
				t.Error(d)
			}
		})
	}
}

// twoHours is a server of 15 s scrapes that is healthy, has its sequences capped from 40 to 80 minutes, and
// restarts at 100; nothing at all is scraped from 110 to 125. Two others are well.
func twoHours(t testing.TB, p *pipeline.Pipeline) *samples.Store {
	t.Helper()
	healthy, capped := load(t, p, "base-c64"), load(t, p, "seqs8-c64")
	st := samples.NewStore()
	start := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	for i, instance := range []string{"10.0.0.1:8000", "10.0.0.2:8000", "10.0.1.1:8000"} {
		s := newScript(instance, healthy, capped)
		for minute := 0.0; minute < 120; minute += 0.25 {
			if minute >= 110 && minute < 125 && i < 3 {
				continue
			}
			if i == 0 && minute == 100 {
				s.restart()
			}
			s.add(st, start.Add(time.Duration(minute*float64(time.Minute))), i == 0 && minute >= 40 && minute < 80)
		}
		for minute := 125.0; minute <= 140; minute += 0.25 {
			s.add(st, start.Add(time.Duration(minute*float64(time.Minute))), false)
		}
	}
	st.Finish()
	return st
}

func TestFaultsAGapAndARestartInTwoHours(t *testing.T) {
	p := builtin(t)
	st := twoHours(t, p)
	r := run(t, over(p, st))
	var queue []replay.Episode
	for _, e := range r.Episodes {
		if e.Symptom == "requests-queueing" && e.Fired {
			queue = append(queue, e)
		}
	}
	if len(queue) != 1 || queue[0].Name != "10.0.0.1:8000" || queue[0].Causes[0].ID != "max-num-seqs-too-low" || queue[0].Ended != replay.Resolved {
		t.Fatalf("got %+v", queue)
	}
	onset, end := queue[0].Onset.Sub(r.From), queue[0].End.Sub(r.From)
	if onset < 39*time.Minute || onset > 41*time.Minute || end < 80*time.Minute || end > 90*time.Minute {
		t.Errorf("from %s to %s", onset, end)
	}
	for _, x := range r.Targets {
		for _, s := range x.Segments {
			if at := r.From.Add(118 * time.Minute); s.From.Before(at) && !s.To.Before(at) && s.State != replay.Gap {
				t.Errorf("%s %s is %s where nothing was scraped", x.Scope, x.Name, s.State)
			}
		}
		if x.Scope != model.ScopeTarget {
			continue
		}
		gap := time.Duration(0)
		for _, s := range x.Segments {
			if s.State == replay.Gap {
				gap += s.To.Sub(s.From)
			}
		}
		if gap < 13*time.Minute || gap > 16*time.Minute {
			t.Errorf("%s: a gap of %s, 15 minutes are missing", x.Name, gap)
		}
		if x.Name != "10.0.0.1:8000" && states(r, x.Name) != "healthy gap unknown healthy" {
			t.Errorf("%s: %s", x.Name, states(r, x.Name))
		}
	}
	if r.Blind < 55 || r.Blind > 61 { // a look every 15 s
		t.Errorf("blind at %d looks", r.Blind)
	}
	for _, e := range r.Episodes {
		if e.Fired && e.Onset.Sub(r.From) > 95*time.Minute && e.Scope == model.ScopeTarget {
			t.Errorf("counters that start again make %s fire", e.Symptom)
		}
	}
}

func TestTheResultDoesNotDependOnWorkersOrChunks(t *testing.T) {
	p := builtin(t)
	st := twoHours(t, p)
	o := over(p, st)
	o.Workers = 1
	want := run(t, o)
	for _, n := range []int{2, 3, 8} {
		o.Workers = n
		if d := cmp.Diff(want, run(t, o)); d != "" {
			t.Errorf("%d workers: %s", n, d)
		}
	}
	o.Workers, o.Source = 2, shuffled{replay.Held{Store: st}}
	if d := cmp.Diff(want, run(t, o)); d != "" {
		t.Errorf("series in another order: %s", d)
	}
}

// shuffled gives instances and series the other way round.
type shuffled struct{ replay.Held }

func (s shuffled) Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	st, _, err := s.Held.Read(ctx, at, window, names)
	out := samples.NewStore()
	for i := len(st.Instances()) - 1; i >= 0; i-- {
		in := st.Instances()[i]
		to, _ := out.Instance(in.Labels)
		to.Scrapes, to.Failed = in.Scrapes, in.Failed
		for _, name := range in.Names() {
			group := in.Named(name)
			for k := len(group) - 1; k >= 0; k-- {
				to.Ensure(name, group[k].Labels).Points = group[k].Points
			}
		}
	}
	return out, nil, err
}

// What is said of a `for` is what a run of the rules with that `for` does.
func TestAnotherForIsWhatARunWithItGives(t *testing.T) {
	p := builtin(t)
	st := twoHours(t, p)
	want := run(t, over(p, st))
	if len(want.Symptoms) < 3 {
		t.Fatalf("only %d symptoms", len(want.Symptoms))
	}
	for i, c := range want.Symptoms[0].Choices {
		wait := time.Duration(c.ForSeconds) * time.Second
		other := builtin(t)
		for _, r := range other.Content.Rules.All() {
			r.For = wait
		}
		got := run(t, over(other, st))
		for _, s := range got.Symptoms {
			for _, w := range want.Symptoms {
				if w.ID == s.ID && (w.Choices[i].Firings != s.Firings || w.Choices[i].FiringSeconds != s.FiringSeconds) {
					t.Errorf("%s with a for of %s: said %+v, fired %d times, %g s", s.ID, wait, w.Choices[i], s.Firings, s.FiringSeconds)
				}
			}
		}
	}
}

func TestNarrowingToASymptomLeavesItAsItWas(t *testing.T) {
	p := builtin(t)
	o := over(p, load(t, p, "restart"))
	all := run(t, o)
	o.Symptoms = []string{"target-down"}
	r := run(t, o)
	if len(r.Episodes) != 1 || len(r.Symptoms) != 1 {
		t.Fatalf("got %+v", r.Episodes)
	}
	for _, e := range all.Episodes {
		if e.Symptom == "target-down" && cmp.Diff(e, r.Episodes[0]) != "" {
			t.Error(cmp.Diff(e, r.Episodes[0]))
		}
	}
}

// failing cannot be read after a time.
type failing struct {
	replay.Held

	after time.Time
}

func (f failing) Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	if at.After(f.after) {
		return nil, nil, errors.New("the disk is gone")
	}
	return f.Held.Read(ctx, at, window, names)
}

func TestWhatCannotBeReadIsAGapAndAFault(t *testing.T) {
	p := builtin(t)
	st := twoHours(t, p)
	o := over(p, st)
	o.Source = failing{replay.Held{Store: st}, o.From.Add(16 * time.Minute)}
	r := run(t, o)
	if len(r.Faults) == 0 || !strings.Contains(r.Faults[0], "the disk is gone") {
		t.Errorf("faults: %v", r.Faults)
	}
	last := r.Targets[0].Segments[len(r.Targets[0].Segments)-1]
	if last.State != replay.Gap || r.To.Sub(last.From) < 100*time.Minute {
		t.Errorf("it ends with %+v", last)
	}
	o.Source = failing{replay.Held{Store: st}, time.Time{}}
	if _, err := replay.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
		t.Errorf("got %v", err)
	}
}

// closing is a source that must not be read once Run has returned.
type closing struct {
	replay.Held

	cancel func()
	closed atomic.Bool
	t      *testing.T
}

func (c *closing) Read(_ context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	c.cancel()
	time.Sleep(50 * time.Millisecond) // a source that does not hear of it at once
	if c.closed.Load() {
		c.t.Error("it is read after the end")
	}
	return c.Held.Read(context.Background(), at, window, names)
}

func TestAReplayThatIsCalledOffLeavesItsSourceAlone(t *testing.T) {
	p := builtin(t)
	st := twoHours(t, p)
	o := over(p, st)
	ctx, cancel := context.WithCancel(t.Context())
	source := &closing{Held: replay.Held{Store: st}, cancel: cancel, t: t}
	o.Source = source
	_, err := replay.Run(ctx, o)
	source.closed.Store(true)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	time.Sleep(100 * time.Millisecond)
}

func TestMessagesArePlannedInOrderFromEveryLook(t *testing.T) {
	p := builtin(t)
	o := over(p, load(t, p, "restart"))
	o.Workers = 3
	var seen []time.Time
	o.Messages = func(at time.Time, ds []model.Diagnosis) []plan.Message {
		seen = append(seen, at)
		if len(ds) == 1 && ds[0].Status == model.Down {
			return []plan.Message{{Reason: plan.First, At: at}}
		}
		return nil
	}
	r := run(t, o)
	if len(seen) != r.Looks || len(r.Messages) != 7 {
		t.Errorf("%d looks of %d, %d messages", len(seen), r.Looks, len(r.Messages))
	}
	for i := range seen[1:] {
		if !seen[i].Before(seen[i+1]) {
			t.Fatalf("look %d is not in order", i)
		}
	}
}

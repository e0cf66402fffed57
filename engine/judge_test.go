package engine

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/rules"
)

var t0 = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)

type anything struct{}

func (anything) Known(string) bool           { return true }
func (anything) Names() []string             { return nil }
func (anything) Rule(string) bool            { return true }
func (anything) RuleIDs() []string           { return nil }
func (anything) ExplainedAs(string) []string { return nil }
func (anything) Knob(string) bool            { return true }
func (anything) Servers() []string           { return nil }
func (anything) Unit(string) string          { return "" }
func (anything) Title(n string) string       { return n }
func (anything) OfGPU(string) bool           { return false }
func (anything) Describe(_, id string) (KnobInfo, bool) {
	flag := "--" + strings.ReplaceAll(id, "_", "-")
	return KnobInfo{
		Flag: flag, Restart: true,
		Setting:  func(v string) string { return flag + " " + v },
		Rollback: func(was model.Fact) string { return flag + " " + was.Text },
	}, true
}
func (anything) Available(_, id, _ string) (bool, string) { return id != "gone", "" }
func (anything) Format(_, _ string, v float64) string {
	return strings.TrimSuffix(strings.TrimRight(ftoa(v), "0"), ".")
}
func (anything) Check(_, _ string, _, _ map[string]string) []string { return nil }

func newEngine(t *testing.T, symptoms, causes map[string]string) *Engine {
	t.Helper()
	dir := func(m map[string]string) fstest.MapFS {
		out := fstest.MapFS{}
		for id, src := range m {
			out["x/"+id+".yaml"] = &fstest.MapFile{Data: []byte(src)}
		}
		return out
	}
	rs, err := rules.Load(anything{}, dir(symptoms))
	if err != nil {
		t.Fatal(err)
	}
	ps, err := playbooks.Load(anything{}, dir(causes))
	if err != nil {
		t.Fatal(err)
	}
	return New(Options{Rules: rs, Playbooks: ps, Meanings: anything{}, Knobs: anything{}, Fit: Fit{Temperature: 1, Unknown: 1}})
}

// at makes a frame of one vLLM target; a value of -1 leaves the signal out.
func at(when time.Time, values map[string]float64, facts ...model.Fact) *model.Frame {
	es := &model.Entities{}
	id := es.Add(model.Entity{
		Scope: model.ScopeTarget, Parent: model.NoEntity, Engine: model.Engine{Name: "vllm", Version: "0.25.1"},
		Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": "a:8000"}),
	})
	b := model.NewFrame(when, 5*time.Minute, es)
	b.SetSpan(id, model.Span{First: when, Last: when.Add(time.Minute), Scrapes: 5})
	for s, v := range values {
		if v != -1 {
			b.Set(id, s, model.Known(v))
		}
	}
	for _, f := range facts {
		b.SetFact(id, f.From, f)
	}
	return b.Frame()
}

// TestForCountsObservedTime walks a rule through frames 15 s apart.
func TestForCountsObservedTime(t *testing.T) {
	e := newEngine(t, map[string]string{"queue": "{title: q, when: waiting > 5, for: 30s, keep_firing_for: 30s}"}, nil)
	const full, idle, absent = 9.0, 1.0, -1.0
	for _, tc := range []struct {
		name  string
		in    []float64
		steps []time.Duration // between frames; 15 s where not given
		want  string
	}{
		{"harm fires after its time", []float64{full, full, full, full}, nil, "pending pending firing firing"},
		{"a dip starts the wait again", []float64{full, full, idle, full}, nil, "pending pending inactive pending"},
		{"a gap is not time that was seen", []float64{full, full}, []time.Duration{10 * time.Minute}, "pending firing"},
		{"a jump back of the clock adds nothing", []float64{full, full, full}, []time.Duration{-time.Hour, 15 * time.Second}, "pending pending pending"},
		{"what fired keeps firing for a while", []float64{full, full, full, idle, idle, idle}, nil, "pending pending firing firing inactive inactive"},
		{"unknown neither fires nor resolves", []float64{full, full, full, absent, absent, absent, full}, nil, "pending pending firing firing firing firing firing"},
		{"unknown from the start is nothing", []float64{absent, absent}, nil, "inactive inactive"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var got []string
			state := State{}
			when := t0
			for i, v := range tc.in {
				var ss []model.Symptom
				f := at(when, map[string]float64{"waiting": v})
				state, ss = e.Judge(state, f)
				word := "inactive"
				if len(ss) == 1 {
					word = string(ss[0].State)
				}
				got = append(got, word)
				step := 15 * time.Second
				if i < len(tc.steps) {
					step = tc.steps[i]
				}
				when = when.Add(step)
			}
			if g := strings.Join(got, " "); g != tc.want {
				t.Errorf("got  %s\nwant %s", g, tc.want)
			}
		})
	}
}

func TestAnEntityThatNoFrameShowsKeepsItsStateForAWhile(t *testing.T) {
	e := newEngine(t, map[string]string{"queue": "{title: q, when: waiting > 5, for: 30s}"}, nil)
	full := map[string]float64{"waiting": 9}
	var state State
	when := t0
	for range 4 {
		state, _ = e.Judge(state, at(when, full))
		when = when.Add(15 * time.Second)
	}
	nobody := func(at time.Time) *model.Frame { return model.NewFrame(at, 5*time.Minute, &model.Entities{}).Frame() }
	held, _ := e.Judge(state, nobody(when.Add(time.Minute)))
	if _, ss := e.Judge(held, at(when.Add(75*time.Second), full)); len(ss) != 1 || ss[0].State != model.Firing {
		t.Errorf("after a minute away: %+v, want it still firing", ss)
	}
	if gone, _ := e.Judge(state, nobody(when.Add(10*time.Minute))); len(gone) != 0 {
		t.Errorf("after ten minutes away %d states are kept, want none", len(gone))
	}
	other := newEngine(t, map[string]string{"busy": "{title: b, when: running > 5}"}, nil)
	if left, _ := other.Judge(state, nobody(when)); len(left) != 0 {
		t.Errorf("a rule that was removed leaves %d states", len(left))
	}
}

// With 2 s as the objective and a bucket from 1 s to 2.5 s, a few requests in it make "over the objective"
// unknown for good; a symptom that began for sure must not outlive its harm by that.
func TestWhatOnlyBoundsLeaveOpenEndsAfterAWhileAndWhatIsMissingDoesNot(t *testing.T) {
	e := newEngine(t, map[string]string{"slow": "{title: s, when: over >= 3, for: 0s, keep_firing_for: 1m}"}, nil)
	frame := func(when time.Time, v model.Value, there bool) *model.Frame {
		f := at(when, map[string]float64{"waiting": 1})
		b := model.NewFrame(when, 5*time.Minute, f.Entities)
		if there {
			b.Set(0, "over", v)
		}
		return b.Frame()
	}
	judge := func(open model.Value, there bool, d time.Duration) int {
		state, _ := e.Judge(State{}, frame(t0, model.Known(9), true))
		var ss []model.Symptom
		for when := t0.Add(15 * time.Second); when.Before(t0.Add(d)); when = when.Add(15 * time.Second) {
			state, ss = e.Judge(state, frame(when, open, there))
		}
		return len(ss)
	}
	some := model.Value{V: 0, Bound: model.AtLeast, Most: 5}
	if judge(some, true, 29*time.Minute) != 1 {
		t.Error("it ended while it may well have gone on")
	}
	if judge(some, true, 32*time.Minute) != 0 {
		t.Error("nobody can tell for half an hour, and it still fires")
	}
	if judge(some, false, 10*time.Hour) != 1 {
		t.Error("a signal that is missing ended a symptom")
	}
	if judge(model.Value{V: 0, Bound: model.AtLeast, Most: 2}, true, 2*time.Minute) != 0 {
		t.Error("at most two are not three")
	}
}

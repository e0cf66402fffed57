package verify_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/verify"
)

var target = map[string]string{"instance": "a:8000", "job": "vllm"}

// shown is what one frame shows of the server.
type shown struct {
	at       time.Duration // since start
	answered time.Duration // -1: as at
	started  float64
	resets   float64
	failing  bool
	facts    map[string]model.Fact
	suggests string // a cause that asks for --max-num-seqs 64, "" when nothing is wrong
	unlikely bool   // the cause is not the primary one
	pressed  []verify.Pressed
}

func explicit(v string) model.Fact { return model.Fact{Text: v, From: "args", Explicit: true} }

func seqs(v string) map[string]model.Fact { return map[string]model.Fact{"max_num_seqs": explicit(v)} }

func (s shown) input() verify.Input {
	at := start.Add(s.at)
	es := &model.Entities{}
	id := es.Add(model.Entity{Scope: model.ScopeTarget, Labels: model.LabelsFrom(target), Parent: model.NoEntity, Engine: model.Engine{Name: "vllm"}})
	b := model.NewFrame(at, 5*time.Minute, es)
	answered := s.at
	if s.answered != 0 {
		answered = s.answered
	}
	b.SetSpan(id, model.Span{First: start, Last: start.Add(answered), Scrapes: 20})
	if s.started > 0 {
		b.Set(id, "started_at", model.Known(s.started))
	}
	b.Set(id, "counter_resets", model.Known(s.resets))
	if s.failing {
		b.Set(id, "scrape_failed_ratio", model.Known(0.2))
	}
	b.SetFacts(id, s.facts, nil)
	in := verify.Input{At: at, Frame: b.Frame(), Pressed: s.pressed}
	d := model.Diagnosis{Target: target, Scope: model.ScopeTarget, Status: model.Healthy}
	if s.suggests != "" {
		onset, from, to := start, "8", "64"
		d.Status, d.Onset = model.Degraded, &onset
		d.Causes = []model.Cause{{ID: s.suggests, Primary: !s.unlikely, Changes: []model.Action{
			{Kind: "knob", Knob: "max_num_seqs", Flag: "--max-num-seqs", From: &from, To: &to, Text: "--max-num-seqs 8 -> 64", Why: "there is room"},
		}}}
	}
	in.Diagnoses = []model.Diagnosis{d}
	return in
}

func newWatch(t testing.TB) *verify.Watch {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return verify.NewWatch(c, verify.Options{})
}

// observe shows frames one after the other, and gives what is running in the end and all that was given out.
func observe(t testing.TB, frames ...shown) (*verify.Trial, []verify.Trial) {
	t.Helper()
	w := newWatch(t)
	var s verify.State
	var out []verify.Trial
	for _, f := range frames {
		var given []verify.Trial
		s, given = w.Observe(s, f.input())
		out = append(out, given...)
	}
	for _, x := range s.Targets {
		return x.Trial, out
	}
	return nil, out
}

func TestAChangeIsMeasuredFromTheHarmBeforeToAfterTheWarmUp(t *testing.T) {
	got, _ := observe(t,
		shown{at: time.Minute, started: 100, facts: seqs("8"), suggests: "max-num-seqs-too-low"},
		shown{at: 4 * time.Minute, started: 100, facts: seqs("8"), suggests: "max-num-seqs-too-low"},
		shown{at: 5 * time.Minute, started: 100, answered: 4*time.Minute + 10*time.Second, facts: seqs("8")},
		shown{at: 6 * time.Minute, started: 5000, facts: seqs("64")},
	)
	if got == nil {
		t.Fatal("no trial")
	}
	want := verify.Trial{
		ID: got.ID, Target: target, Cause: "max-num-seqs-too-low",
		Change: verify.Change{Turns: []verify.Turn{{Knob: "max_num_seqs", Flag: "--max-num-seqs", From: "8", To: "64"}}, Restart: true, At: start.Add(6 * time.Minute)},
		Before: verify.Span{From: start, To: start.Add(4 * time.Minute)},
		After:  verify.Span{From: start.Add(7 * time.Minute)}, Due: start.Add(12 * time.Minute),
	}
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsNoChangeStartsNoTrial(t *testing.T) {
	def := func(v string) map[string]model.Fact {
		return map[string]model.Fact{"max_num_seqs": {Text: v, From: "default of 0.25"}}
	}
	inferred := func(v string) map[string]model.Fact {
		return map[string]model.Fact{"max_num_seqs": {Text: v, From: "inferred", Inferred: true}}
	}
	for _, c := range []struct {
		name   string
		frames []shown
	}{
		{"the first look", []shown{{started: 100, facts: seqs("8")}}},
		{"a value that becomes known", []shown{{started: 100}, {at: time.Minute, started: 100, facts: seqs("8")}}},
		{"a default that a command line corrects", []shown{{started: 100, facts: def("256")}, {at: time.Minute, started: 100, facts: seqs("8")}}},
		{"a default of another version", []shown{{started: 100, facts: def("256")}, {at: time.Minute, started: 100, facts: def("1024")}}},
		{"a value from elsewhere", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute, started: 100, facts: map[string]model.Fact{"max_num_seqs": {Text: "9", From: "metric label"}}}}},
		{"another inference", []shown{{started: 100, facts: inferred("8")}, {at: time.Minute, started: 100, facts: inferred("9")}}},
		{"the same number written otherwise", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute, started: 100, facts: seqs("8.0")}}},
		{"a value out of sight for a while", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute}, {at: 2 * time.Minute, started: 100, facts: seqs("8")}}},
		{"counters that fell while all was answered", []shown{{}, {at: time.Minute, resets: 1}}},
		{"counters that fell in the same process", []shown{{started: 100}, {at: time.Minute, started: 100, resets: 1, failing: true}}},
		{"a start time that comes into sight", []shown{{}, {at: time.Minute, started: 100}}},
		{"an older process behind the same address", []shown{{started: 200}, {at: time.Minute, started: 100}, {at: 2 * time.Minute, started: 200}}},
		{"the clock an hour ahead", []shown{{started: 100, facts: seqs("8")}, {at: time.Hour, started: 100, facts: seqs("8")}}},
		{"the clock an hour back", []shown{{at: time.Hour, started: 100, facts: seqs("8")}, {started: 100, facts: seqs("8")}, {at: time.Minute, started: 100, facts: seqs("8")}}},
	} {
		if got, given := observe(t, c.frames...); got != nil || len(given) > 0 {
			t.Errorf("%s: %+v %+v", c.name, got, given)
		}
	}
}

func TestWhatIsAChange(t *testing.T) {
	def := map[string]model.Fact{"max_num_seqs": {Text: "256", From: "default of 0.25"}}
	for _, c := range []struct {
		name   string
		frames []shown
		want   string
	}{
		{"another value without a restart", []shown{{facts: seqs("8")}, {at: time.Minute, facts: seqs("64")}}, "--max-num-seqs 8 -> 64"},
		{"a flag taken away", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute, started: 200, facts: def}}, "--max-num-seqs 8 -> 256"},
		{"a flag added", []shown{{started: 100, facts: def}, {at: time.Minute, started: 200, facts: seqs("8")}}, "--max-num-seqs 256 -> 8"},
		{"a restart", []shown{{started: 100}, {at: time.Minute, started: 200}}, "restart"},
		{"a restart without a start time", []shown{{}, {at: time.Minute, resets: 1, failing: true}}, "restart"},
		{"a value that shows after its restart", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute, started: 200, facts: seqs("8")}, {at: 5 * time.Minute, started: 200, facts: seqs("64")}}, "--max-num-seqs 8 -> 64"},
		{"a value that was turned and at once turned back", []shown{{started: 100, facts: seqs("8")}, {at: time.Minute, started: 200, facts: seqs("64")}, {at: 5 * time.Minute, started: 300, facts: seqs("8")}}, "restart"},
	} {
		got, _ := observe(t, c.frames...)
		if got == nil || got.Change.String() != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
	}
}

func TestFlagsTurnedOneAfterTheOtherAreMeasuredFromTheLast(t *testing.T) {
	got, given := observe(t, shown{facts: seqs("8")}, shown{at: time.Minute, facts: seqs("16")}, shown{at: 3 * time.Minute, facts: seqs("64")})
	if got == nil || got.Change.String() != "--max-num-seqs 8 -> 64" || !got.After.From.Equal(start.Add(4*time.Minute)) || len(given) > 0 {
		t.Errorf("%+v, given out %+v", got, given)
	}
	late, _ := observe(t, shown{started: 100, facts: seqs("8")}, shown{at: time.Minute, started: 200, facts: seqs("8")}, shown{at: 5 * time.Minute, started: 200, facts: seqs("64")})
	if late == nil || !late.After.From.Equal(start.Add(2*time.Minute)) {
		t.Errorf("a flag that shows late moves what is measured: %+v", late)
	}
}

func TestAChangeThatNobodySuggestedHasNoCause(t *testing.T) {
	got, _ := observe(t, shown{facts: seqs("8"), suggests: "max-num-seqs-too-low"}, shown{at: time.Minute, facts: seqs("4")})
	if got == nil || got.Cause != "" {
		t.Errorf("lowered where raising was suggested: %+v", got)
	}
}

func TestAChangeIsForWhatSuggestedItLately(t *testing.T) {
	low, other := "max-num-seqs-too-low", "batch-limit-too-low"
	for _, c := range []struct {
		name   string
		frames []shown
		want   string
	}{
		{"the likeliest first", []shown{{facts: seqs("8"), suggests: low}, {at: time.Minute, facts: seqs("8"), suggests: other, unlikely: true}, {at: 2 * time.Minute, facts: seqs("64")}}, low},
		{"the latest of two", []shown{{facts: seqs("8"), suggests: low}, {at: time.Minute, facts: seqs("8"), suggests: other}, {at: 2 * time.Minute, facts: seqs("64")}}, other},
		{"not what was said hours ago", []shown{{facts: seqs("8"), suggests: low}, {at: 3 * time.Hour, facts: seqs("8")}, {at: 3*time.Hour + time.Minute, facts: seqs("64")}}, ""},
	} {
		if got, _ := observe(t, c.frames...); got == nil || got.Cause != c.want {
			t.Errorf("%s: %+v, want %q", c.name, got, c.want)
		}
	}
}

func TestATargetThatIsGoneForADayIsForgotten(t *testing.T) {
	w := newWatch(t)
	s, _ := w.Observe(verify.State{}, shown{facts: seqs("8")}.input())
	s, _ = w.Observe(s, shown{at: time.Minute, facts: seqs("64")}.input())
	nobody := func(at time.Duration) verify.Input {
		return verify.Input{At: start.Add(at), Frame: model.NewFrame(start.Add(at), time.Minute, &model.Entities{}).Frame()}
	}
	if s, _ = w.Observe(s, nobody(23*time.Hour)); len(s.Targets) != 1 {
		t.Error("forgotten within a day")
	}
	s, given := w.Observe(s, nobody(25*time.Hour))
	if len(s.Targets) != 0 || len(given) != 1 || !strings.Contains(given[0].Ended, "not seen any more") {
		t.Errorf("%+v, given out %+v", s.Targets, given)
	}
}

func TestALookAtWhatHasMovedMeanwhileCountsForNothing(t *testing.T) {
	w := newWatch(t)
	s, _ := w.Observe(verify.State{}, shown{started: 100}.input())
	s, _ = w.Observe(s, shown{at: time.Minute, started: 200}.input())
	s, due := w.Observe(s, shown{at: 8 * time.Minute, started: 200}.input())
	s, _ = w.Observe(s, shown{at: 9 * time.Minute, started: 300}.input())
	after, done := w.Settle(s, []verify.Look{{Trial: due[0], Result: compare.Result{Verdict: compare.Improved}}}, start.Add(9*time.Minute))
	if len(done) > 0 {
		t.Errorf("told %+v", done)
	}
	if diff := cmp.Diff(s, after); diff != "" {
		t.Error(diff)
	}
}

func TestASecondChangeEndsATrialAndSaysSo(t *testing.T) {
	got, given := observe(t,
		shown{started: 100, facts: seqs("8")}, shown{at: 11 * time.Minute, started: 200, facts: seqs("64")}, shown{at: 14 * time.Minute, started: 200, facts: seqs("64")},
		shown{at: 25 * time.Minute, started: 300, facts: seqs("32")})
	if got == nil || got.Change.String() != "--max-num-seqs 64 -> 32" || !got.Before.From.Equal(start.Add(12*time.Minute)) {
		t.Errorf("the second change is %+v", got)
	}
	if len(given) != 1 || !strings.Contains(given[0].Ended, "another change followed before enough was seen: --max-num-seqs 64 -> 32") {
		t.Errorf("given out: %+v", given)
	}
}

func TestTheClockSetBackGivesARunningTrialUp(t *testing.T) {
	got, given := observe(t, shown{at: time.Hour, facts: seqs("8")}, shown{at: time.Hour + time.Minute, facts: seqs("64")}, shown{facts: seqs("64")})
	if got != nil || len(given) != 1 || !strings.Contains(given[0].Ended, "set back") {
		t.Errorf("running %+v, given out %+v", got, given)
	}
}

func press(at time.Duration) []verify.Pressed {
	return []verify.Pressed{{Target: target, Cause: "max-num-seqs-too-low", User: "ada", Key: "k", At: start.Add(at)}}
}

func TestAppliedWithoutAVisibleChangeIsMeasuredAroundTheWord(t *testing.T) {
	got, _ := observe(t, shown{started: 100}, shown{at: 10 * time.Minute, started: 100, pressed: press(10 * time.Minute)}, shown{at: 11 * time.Minute, started: 100, pressed: press(10 * time.Minute)})
	if got == nil || got.Change.String() != "applied, no visible change" || got.Cause != "max-num-seqs-too-low" || got.Key != "k" || got.Change.By != "ada" {
		t.Fatalf("%+v", got)
	}
	if !got.Before.To.Equal(start.Add(8*time.Minute)) || !got.After.From.Equal(start.Add(12*time.Minute)) {
		t.Errorf("before %v, after %v: what is near the word belongs to neither", got.Before, got.After)
	}
}

func TestAppliedAndTheChangeThatFollowsAreOne(t *testing.T) {
	said, _ := observe(t, shown{started: 100, facts: seqs("8")}, shown{at: 5 * time.Minute, started: 100, facts: seqs("8"), pressed: press(5 * time.Minute)})
	got, given := observe(t, shown{started: 100, facts: seqs("8")}, shown{at: 5 * time.Minute, started: 100, facts: seqs("8"), pressed: press(5 * time.Minute)},
		shown{at: 9 * time.Minute, started: 200, facts: seqs("64")})
	if got == nil || len(given) > 0 || got.ID != said.ID || got.Change.String() != "--max-num-seqs 8 -> 64" || got.Cause != "max-num-seqs-too-low" || got.Change.By != "ada" {
		t.Errorf("%+v, given out %+v", got, given)
	}
	after, _ := observe(t, shown{started: 100}, shown{at: 2 * time.Minute, started: 200}, shown{at: 3 * time.Minute, started: 200, pressed: press(3 * time.Minute)})
	if after == nil || after.Change.String() != "applied, seen as a restart" || after.Cause != "max-num-seqs-too-low" {
		t.Errorf("said after the restart: %+v", after)
	}
}

func TestATrialIsGivenOutOnceAndAgainWhenNothingCameOfIt(t *testing.T) {
	frames := []shown{{facts: seqs("8")}, {at: time.Minute, facts: seqs("64")}, {at: 7 * time.Minute, facts: seqs("64")}, {at: 7 * time.Minute, facts: seqs("64")}, {at: 8 * time.Minute, facts: seqs("64")}}
	if _, given := observe(t, frames...); len(given) != 1 || !given[0].After.To.Equal(start.Add(7*time.Minute)) {
		t.Errorf("given out: %+v", given)
	}
	if _, given := observe(t, append(frames, shown{at: 9 * time.Minute, facts: seqs("64")})...); len(given) != 2 {
		t.Errorf("given out %d times, want 2", len(given))
	}
}

func TestATrialThatCannotTellIsToldAtItsDeadlineOnce(t *testing.T) {
	w := newWatch(t)
	var s verify.State
	var done []verify.Concluded
	looks := 0
	for at := time.Duration(0); at < 2*time.Hour; at += time.Minute {
		value := "8"
		if at >= 10*time.Minute {
			value = "64"
		}
		var due []verify.Trial
		s, due = w.Observe(s, shown{at: at, facts: seqs(value)}.input())
		var got []verify.Look
		for _, d := range due {
			got = append(got, verify.Look{Trial: d, Result: compare.Result{Verdict: compare.CannotTell, Why: "after saw no request"}})
		}
		looks += len(got)
		var c []verify.Concluded
		s, c = w.Settle(s, got, start.Add(at))
		done = append(done, c...)
	}
	if looks != 4 || len(done) != 1 || done[0].Outcome.Verdict != "cannot-tell" || !done[0].Record.At.Equal(start.Add(41*time.Minute)) {
		t.Errorf("%d looks, told %+v", looks, done)
	}
}

// Whatever comes, a state survives JSON, the same frame again starts nothing, and what was given is not changed.
func TestStateIsPlainDataAndAFrameCountsOnce(t *testing.T) {
	w := newWatch(t)
	rng := rand.New(rand.NewPCG(1, 2))
	var s verify.State
	at, started, value, trials := time.Duration(0), 100.0, "8", 0
	for i := range 3000 {
		at += time.Duration(rng.IntN(60)+1) * time.Second
		if rng.IntN(200) == 0 {
			at += time.Duration(rng.IntN(2)*2-1) * time.Hour
		}
		if rng.IntN(20) == 0 {
			started += 1000
		}
		if rng.IntN(20) == 0 {
			value = []string{"8", "16", "64"}[rng.IntN(3)]
		}
		f := shown{at: at, answered: at, started: started, facts: seqs(value)}
		if rng.IntN(2) == 0 {
			f.suggests = "max-num-seqs-too-low"
		}
		if rng.IntN(30) == 0 {
			f.pressed = press(at)
		}
		given, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		next, due := w.Observe(s, f.input())
		if again, _ := json.Marshal(s); string(again) != string(given) {
			t.Fatalf("frame %d changed the state that it was given", i)
		}
		b, err := json.Marshal(next)
		if err != nil {
			t.Fatal(err)
		}
		var back verify.State
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(next, back); diff != "" {
			t.Fatalf("frame %d: %s", i, diff)
		}
		twice, more := w.Observe(back, f.input())
		if len(more) > 0 {
			t.Fatalf("frame %d again gives %+v", i, more)
		}
		if diff := cmp.Diff(next, twice); diff != "" {
			t.Fatalf("frame %d again: %s", i, diff)
		}
		trials += len(due)
		s = twice
	}
	if trials < 50 {
		t.Errorf("only %d trials were given out", trials)
	}
}

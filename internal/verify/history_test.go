package verify_test

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/verify"
)

const corpus = "../../corpus"

var start = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

type scenario struct {
	Name    string
	Causes  []string `yaml:"causes"`
	FixedBy string   `yaml:"fixed_by"`
	Args    []string `yaml:"args"`
}

func scenarios(t testing.TB) map[string]scenario {
	t.Helper()
	paths, err := filepath.Glob(corpus + "/*/scenario.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatal("no recordings", err)
	}
	out := map[string]scenario{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		s := scenario{Name: filepath.Base(filepath.Dir(p))}
		if err := yaml.Unmarshal(text, &s); err != nil {
			t.Fatal(p, err)
		}
		out[s.Name] = s
	}
	return out
}

// history is one server over some acts, each a recording played again and again on one clock, with the
// minute of a restart before each but the first.
type history struct {
	store *samples.Store
	acts  []act
	end   time.Time
}

type act struct {
	scenario

	from, to time.Time
}

const gap = time.Minute

func play(t testing.TB, length time.Duration, acts ...scenario) *history {
	t.Helper()
	h := &history{store: samples.NewStore(), end: start}
	labels := map[string]model.Labels{} // of the first act, by job
	for i, s := range acts {
		if i > 0 {
			for at := h.end.Add(2 * time.Second); at.Before(h.end.Add(gap)); at = at.Add(2 * time.Second) {
				for _, l := range labels {
					up := slices.Clone(l)
					h.store.Series("up", up).Add(at.UnixMilli(), 0)
				}
			}
			h.end = h.end.Add(gap)
		}
		from := h.end
		h.end = from.Add(h.loop(t, s.Name, from, length, labels))
		h.acts = append(h.acts, act{s, from, h.end})
	}
	h.store.Finish()
	return h
}

// busy is the stretch of a recording in which its server has something to do, and its scrape interval:
// played again and again, idle ends would make a load that comes and goes.
func busy(t testing.TB, st *samples.Store) (first, last, every int64) {
	t.Helper()
	for _, in := range st.Instances() {
		running := in.Named("vllm:num_requests_running")
		if len(running) == 0 {
			continue
		}
		for _, x := range running {
			for _, p := range x.Points {
				if p.V > 0 && (first == 0 || p.T < first) {
					first = p.T
				}
				if p.V > 0 {
					last = max(last, p.T)
				}
			}
		}
		every, _ = in.Interval(samples.Window{From: first - 1, To: last})
	}
	if every == 0 {
		t.Fatal("a recording without load")
	}
	return first, last, every
}

// loop plays a recording from a time on; counters go on where the round before left them.
func (h *history) loop(t testing.TB, name string, from time.Time, length time.Duration, labels map[string]model.Labels) time.Duration {
	t.Helper()
	st, err := recording.Open(filepath.Join(corpus, name, "metrics.om.gz"), func(string) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	first, last, every := busy(t, st)
	round := last - first + every
	rounds := max(length.Milliseconds()/round, 1)
	for _, in := range st.Instances() {
		job := in.Labels.Get("job")
		if labels[job] == nil {
			labels[job] = in.Labels
		}
		for _, metric := range in.Names() {
			for _, x := range in.Named(metric) {
				all := append(slices.Clone(labels[job]), x.Labels...)
				all.Sort()
				h.copySeries(h.store.Series(metric, all), span(x, first, last), from.UnixMilli()-first, round, rounds, x.Points[0].T > first)
			}
		}
	}
	return time.Duration(rounds*round-every) * time.Millisecond
}

func span(x *samples.Series, first, last int64) *samples.Series {
	return &samples.Series{Name: x.Name, Labels: x.Labels, Points: samples.Window{From: first - 1, To: last}.In(x.Points)}
}

// copySeries repeats a series; born says that it counts from 0 inside the recording.
func (h *history) copySeries(to, x *samples.Series, shift, round, rounds int64, born bool) {
	grows := slices.ContainsFunc([]string{"_total", "_count", "_sum", "_bucket"}, func(s string) bool { return strings.HasSuffix(x.Name, s) })
	step := 0.0
	if n := len(x.Points); grows && n > 0 {
		step = x.Points[n-1].V
		if !born {
			step -= x.Points[0].V
		}
	}
	for i := range rounds {
		for _, p := range x.Points {
			v := p.V + float64(i)*step
			if x.Name == "process_start_time_seconds" {
				v += float64(shift) / 1000
			}
			to.Add(p.T+shift+i*round, v)
		}
	}
}

// Read implements verify.Past.
func (h *history) Read(_ context.Context, at time.Time, window time.Duration, only func(model.Labels) bool) (*samples.Store, []model.Fault, error) {
	var names []string
	for _, in := range h.store.Instances() {
		names = append(names, in.Names()...)
	}
	slices.Sort(names)
	out := h.store.Cut(samples.Window{From: at.Add(-window).UnixMilli(), To: at.UnixMilli()}, slices.Compact(names))
	out.Drop(func(in *samples.Instance) bool { return !only(in.Labels) })
	return out, nil, nil
}

// service goes through a history as the service does, one frame after the other.
type service struct {
	pipe   *pipeline.Pipeline
	watch  *verify.Watch
	runner verify.Runner
	judged engine.State
	state  verify.State
	kept   []verify.Kept
	done   []verify.Concluded
	last   []model.Diagnosis
	notes  []string // of all frames
}

func newService(t testing.TB, past verify.Past) *service {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &service{
		pipe: pipeline.New(c, nil, engine.Fit{}), watch: verify.NewWatch(c, verify.Options{}),
		runner: verify.Runner{Past: past, Signals: c.Signals},
	}
}

func (s *service) evaluate(t testing.TB, st *samples.Store, at time.Time, args []string, pressed ...verify.Pressed) {
	t.Helper()
	f, _ := s.pipe.Frame(st, pipeline.Request{At: at, Window: 5 * time.Minute, Args: args})
	var symptoms []model.Symptom
	s.judged, symptoms = s.pipe.Engine.Judge(s.judged, f)
	ds := s.pipe.Engine.Diagnose(f, symptoms)
	var due []verify.Trial
	s.state, due = s.watch.Observe(s.state, verify.Input{At: at, Frame: f, Diagnoses: ds, Pressed: pressed})
	var done []verify.Concluded
	s.state, done = s.watch.Settle(s.state, s.runner.Look(context.Background(), due), at)
	for _, d := range done {
		s.kept = append(s.kept, verify.Kept{ID: int64(len(s.kept) + 1), Record: d.Record})
	}
	s.done = append(s.done, done...)
	m, err := verify.Recall(s.kept, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	s.last = verify.Annotate(ds, m)
	for _, d := range s.last {
		s.notes = append(s.notes, d.Notes...)
	}
}

func (s *service) run(t testing.TB, h *history) {
	t.Helper()
	for at := start.Add(30 * time.Second); at.Before(h.end); at = at.Add(30 * time.Second) {
		s.evaluate(t, h.store, at, h.args(at))
	}
}

// args are those that the target was last seen started with.
func (h *history) args(at time.Time) []string {
	out := h.acts[0].Args
	for _, a := range h.acts {
		if !a.from.After(at) {
			out = a.Args
		}
	}
	return out
}

// growing names the recordings of a queue that grows to the end. It is gone whenever such a recording is
// played anew, so that fewer seem to come, and the figures may not tell; they must not tell the contrary.
var growing = map[string]bool{"kv1600-open": true, "long-smallpool": true, "seqs5-full": true}

// A fault, its cure and the fault again, as one history: both changes are noticed and measured, and
// the diagnosis of the relapse tells what helped the first time.
func TestEveryCureIsNoticedMeasuredAndRemembered(t *testing.T) {
	all := scenarios(t)
	pairs, matched, remembered, turned := 0, 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fault := all[name]
		if fault.FixedBy == "" {
			continue
		}
		pairs++
		h := play(t, 14*time.Minute, fault, all[fault.FixedBy], fault)
		s := newService(t, h)
		s.run(t, h)
		var got []string
		for _, c := range s.done {
			got = append(got, c.Outcome.Verdict)
		}
		if growing[name] {
			if len(got) == 0 || got[0] == "worse" || slices.Contains(got[1:], "improved") {
				t.Errorf("%s, %s and back: %v", name, fault.FixedBy, got)
			}
			continue
		}
		if !slices.Equal(got, []string{"improved", "worse"}) {
			t.Errorf("%s, %s and back: %v, want improved and worse", name, fault.FixedBy, got)
			for _, c := range s.done {
				t.Logf("  %s for %q: %s", c.Outcome.Change, c.Outcome.Cause, c.Outcome.Why)
			}
			continue
		}
		first := s.done[0]
		if len(first.Trial.Change.Turns) > 0 {
			turned++
		}
		if first.Outcome.Cause == "" {
			continue
		}
		matched++
		if !slices.Contains(fault.Causes, first.Outcome.Cause) {
			t.Logf("%s: %s was taken to be for %s", name, first.Outcome.Change, first.Outcome.Cause)
		}
		if strings.Contains(strings.Join(s.notes, "\n"), first.Outcome.Change+" on 2026-11-20 improved it here") {
			remembered++
		} else {
			t.Logf("%s: the relapse is not told of %s for %s: %q", name, first.Outcome.Change, first.Outcome.Cause, s.notes)
		}
	}
	t.Logf("%d pairs, %d with a flag seen to turn, %d of them turned for a suggestion, %d told in the relapse", pairs, turned, matched, remembered)
	if pairs < 15 || matched < 8 || remembered < matched {
		t.Error("too few were noticed, matched or remembered")
	}
}

func TestARestartAloneIsNeitherImprovedNorWorse(t *testing.T) {
	all := scenarios(t)
	for _, name := range []string{"base-c64", "base-c8", "base-healthy", "base-kv", "seqs8-c64", "kvbig-open", "a2_healthy"} {
		h := play(t, 10*time.Minute, all[name], all[name])
		s := newService(t, h)
		s.run(t, h)
		for at := h.end; len(s.done) == 0 && at.Before(h.end.Add(time.Hour)); at = at.Add(30 * time.Second) {
			s.evaluate(t, h.store, at, all[name].Args)
		}
		if len(s.done) != 1 || s.done[0].Outcome.Change != "restart" {
			t.Errorf("%s: %d outcomes, want one of a restart", name, len(s.done))
			continue
		}
		o := s.done[0].Outcome
		if o.Verdict != string(compare.Unchanged) && o.Verdict != string(compare.CannotTell) {
			t.Errorf("%s: a restart is %s: %s", name, o.Verdict, o.Why)
		}
		t.Log(name, o.Verdict, o.Why)
	}
}

// The other way round: a change for the worse is found, and nobody who asks for it is heard again.
func TestAChangeForTheWorseIsNotSuggestedAgain(t *testing.T) {
	all := scenarios(t)
	h := play(t, 8*time.Minute, all["base-c64"], all["seqs8-c64"])
	s := newService(t, h)
	s.run(t, h)
	if len(s.done) != 1 || s.done[0].Outcome.Verdict != "worse" || s.done[0].Outcome.Change != "--max-num-seqs 1024 -> 8" {
		t.Fatalf("%+v", s.done)
	}
	m, err := verify.Recall(s.kept, nil, h.end)
	if err != nil {
		t.Fatal(err)
	}
	again := sick("kv-cache-too-small", "1024", "8")
	again.Target = s.done[0].Outcome.Target
	d := verify.Annotate([]model.Diagnosis{again}, m)[0]
	if got := d.Causes[0].Changes; len(got) != 1 || got[0].Kind == "knob" || !strings.Contains(got[0].Why, "made it worse here") {
		t.Errorf("%+v", got)
	}
	back := sick("max-num-seqs-too-low", "8", "1024")
	back.Target = again.Target
	if d := verify.Annotate([]model.Diagnosis{back}, m)[0]; d.Causes[0].Changes[0].Kind != "knob" {
		t.Errorf("taking it back is held back: %q", d.Notes)
	}
}

// Somebody says applied, nothing changes on the server, and what follows is measured all the same.
func TestAppliedWithoutAVisibleChangeIsMeasuredOnARecording(t *testing.T) {
	all := scenarios(t)
	h := play(t, 30*time.Minute, all["seqs8-c64"])
	s := newService(t, h)
	for at := start.Add(30 * time.Second); at.Before(h.end); at = at.Add(30 * time.Second) {
		var pressed []verify.Pressed
		if at.Equal(start.Add(10 * time.Minute)) {
			pressed = []verify.Pressed{{Target: s.last[0].Target, Cause: "max-num-seqs-too-low", User: "ada", Key: "k", At: at}}
		}
		s.evaluate(t, h.store, at, all["seqs8-c64"].Args, pressed...)
	}
	if len(s.done) != 1 || s.done[0].Outcome.Verdict != "unchanged" || s.done[0].Outcome.Cause != "max-num-seqs-too-low" ||
		!strings.Contains(s.done[0].Outcome.Why, "no change was seen on the server itself since 03:10 UTC") {
		t.Errorf("%+v", s.done)
	}
}

// One frame of a thousand servers that are alike, and what remembering them takes.
func BenchmarkObserve(b *testing.B) {
	all := scenarios(b)
	h := play(b, 2*time.Minute, all["seqs8-c64"])
	s := newService(b, h)
	one := h.store.Instances()[0]
	for _, in := range h.store.Instances() {
		if in.Labels.Get("job") == "vllm" {
			one = in
		}
	}
	st := samples.NewStore()
	for i := range 1000 {
		for _, metric := range one.Names() {
			for _, x := range one.Named(metric) {
				labels := append(model.LabelsFrom(map[string]string{"job": "vllm", "instance": "s" + strconv.Itoa(i)}), x.Labels...)
				labels.Sort()
				st.Series(metric, labels).Points = x.Points
			}
		}
	}
	st.Finish()
	at := h.end
	f, _ := s.pipe.Frame(st, pipeline.Request{At: at, Window: 5 * time.Minute, Args: all["seqs8-c64"].Args})
	state, _ := s.watch.Observe(verify.State{}, verify.Input{At: at, Frame: f})
	text, err := json.Marshal(state)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		at = at.Add(time.Second)
		state, _ = s.watch.Observe(state, verify.Input{At: at, Frame: f})
	}
	b.ReportMetric(float64(len(text)), "bytes/state")
}

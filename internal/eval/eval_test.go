package eval

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		name string
		in   Share
		want string
	}{
		{"nothing measured says nothing", share(0, 0), "-"},
		{"all of one is still wide", share(1, 1), "1.00 (1/1, 0.21-1.00)"},
		{"none of ten", share(0, 10), "0.00 (0/10, 0.00-0.28)"},
		{"sixteen of seventeen", share(16, 17), "0.94 (16/17, 0.73-0.99)"},
	} {
		if got := c.in.String(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func outcome(status model.Status, right string, causes ...Ranked) Outcome {
	r := &Recording{Scenario: Scenario{ID: "x", Status: status, AlsoAcceptable: []string{"beside"}}}
	if right != "" {
		r.Causes = strings.Fields(right)
	}
	return Outcome{R: r, Recording: "x", Status: status, Causes: causes}
}

func TestSummaryCountsEachKindOfOutcome(t *testing.T) {
	s := Summarize("c", []Outcome{
		outcome(model.Degraded, "a b", Ranked{"b", 0.9, true, false}),
		outcome(model.Degraded, "a", Ranked{"z", 0.5, false, false}, Ranked{"a", 0.3, false, false}),
		outcome(model.Degraded, "a"),
		outcome(model.Healthy, "", Ranked{"beside", 0.9, true, false}),
		outcome(model.Healthy, "", Ranked{"z", 0.2, false, false}),
		outcome(model.Idle, "", Ranked{"z", 0.9, true, false}),
	})
	got := []string{
		s.First.count(), s.Named.count(), s.Three.count(), fmt.Sprintf("%.2f", s.MRR), s.Abstained.count(),
		s.FalseAlarms.count(), s.Listed.count(), s.Status.count(),
	}
	want := []string{"1/3", "1/3", "2/3", "0.50", "2/3", "1/3", "2/3", "1/1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStateInPlaceOfACauseAbstains(t *testing.T) {
	state := Ranked{"busy", 0.9, true, true}
	if p := outcome(model.Degraded, "a", state).Primary(); p != "" {
		t.Errorf("on a faulty recording %s is named", p)
	}
	if p := outcome(model.Down, "busy", state).Primary(); p != "busy" {
		t.Errorf("a state that is the truth is named %q", p)
	}
	if p := outcome(model.Healthy, "", state).FalseAlarm(); p != "busy" {
		t.Errorf("on a healthy server the false alarm is %q", p)
	}
	healthy := &Recording{Scenario: Scenario{ID: "x", Status: model.Healthy}}
	if p := (Outcome{R: healthy, Status: model.Degraded}).FalseAlarm(); p != "called degraded" {
		t.Errorf("a healthy server called degraded without a cause: %q", p)
	}
}

func TestCalibrationIsTheGapBetweenScoreAndTruth(t *testing.T) {
	ece, brier := calibration([]Outcome{
		outcome(model.Degraded, "a", Ranked{"a", 0.9, true, false}),
		outcome(model.Degraded, "a", Ranked{"z", 0.9, true, false}),
		outcome(model.Degraded, "a", Ranked{"z", 0.9, false, false}),
	})
	if math.Abs(ece-0.4) > 1e-9 || math.Abs(brier-(0.01+0.81)/2) > 1e-9 {
		t.Errorf("ece %g, brier %g", ece, brier)
	}
}

func TestTheRandomBaselineIsTheExpectationOverAllOrders(t *testing.T) {
	b := random(4, []Outcome{outcome(model.Degraded, "a b")})
	// Two right ones of four: first 1/2, else second 1/3, else third.
	if math.Abs(b.First.P-0.5) > 1e-9 || math.Abs(b.Three.P-1) > 1e-9 || math.Abs(b.MRR-(0.5+1.0/6+1.0/18)) > 1e-9 {
		t.Errorf("%+v", b)
	}
}

func TestOlderReleasesUseTheirOwnNames(t *testing.T) {
	for _, c := range []struct {
		in   string
		at   release
		want string
	}{
		{"vllm:kv_cache_usage_perc", release{8, 5}, "vllm:gpu_cache_usage_perc"},
		{"vllm:kv_cache_usage_perc", release{10, 0}, "vllm:kv_cache_usage_perc vllm:gpu_cache_usage_perc"},
		{"vllm:kv_cache_usage_perc", release{16, 0}, "vllm:kv_cache_usage_perc"},
		{"vllm:inter_token_latency_seconds_bucket", release{10, 0}, "vllm:time_per_output_token_seconds_bucket"},
		{"vllm:inter_token_latency_seconds_bucket", release{11, 0}, "vllm:inter_token_latency_seconds_bucket vllm:time_per_output_token_seconds_bucket"},
		{"vllm:request_time_per_output_token_seconds_sum", release{10, 0}, ""},
		{"vllm:prompt_tokens_total", release{8, 5}, "vllm:prompt_tokens_total"},
	} {
		if got := strings.Join(namesAt(c.in, c.at), " "); got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.in, c.at, got, c.want)
		}
	}
}

func line(name string, values ...float64) *samples.Store {
	st := samples.NewStore()
	s := st.Series(name, model.LabelsFrom(map[string]string{"job": "j", "instance": "h:1"}))
	for i, v := range values {
		s.Add(int64(i)*5000, v)
	}
	st.Finish()
	return st
}

func points(st *samples.Store, name string) []float64 {
	var out []float64
	for _, s := range st.Instances()[0].Named(name) {
		for _, p := range s.Points {
			out = append(out, p.V)
		}
	}
	return out
}

func TestTransformationsOfSamples(t *testing.T) {
	const name = "vllm:generation_tokens_total"
	st := line(name, 10, 20, 30, 40, 50, 60, 70)
	for _, c := range []struct {
		name string
		in   *samples.Store
		want []float64
	}{
		{"thinned keeps the first of each step", thinned(st, 15_000, 0), []float64{10, 40, 70}},
		{"thinned from a later phase", thinned(st, 15_000, 5_000), []float64{20, 50}},
		{"the second half", secondHalf(st), []float64{40, 50, 60, 70}},
		{"a reset keeps what is counted between scrapes", reset(st), []float64{10, 20, 30, 40, 10, 20, 30}},
		{"shuffling is undone by the store", shuffled(st, 3), []float64{10, 20, 30, 40, 50, 60, 70}},
	} {
		if diff := cmp.Diff(c.want, points(c.in, name)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	if diff := cmp.Diff([]float64{10, 20, 30, 40, 50, 60, 70}, points(st, name)); diff != "" {
		t.Errorf("the original was changed: %s", diff)
	}
}

func TestFiguresMayBeBounds(t *testing.T) {
	var m map[string]Figure
	if err := yaml.Unmarshal([]byte("a: 2\nb: {at_least: 3}\nc: {at_most: 4}\n"), &m); err != nil {
		t.Fatal(err)
	}
	want := map[string]model.Value{"a": {V: 2}, "b": {V: 3, Bound: model.AtLeast}, "c": {V: 4, Bound: model.AtMost}}
	for k, v := range want {
		if m[k].Value != v {
			t.Errorf("%s: %+v, want %+v", k, m[k].Value, v)
		}
	}
	if err := yaml.Unmarshal([]byte("a: {about: 3}\n"), &m); err == nil {
		t.Error("{about: 3} was taken")
	}
}

func TestACorpusReportsAllItsFaults(t *testing.T) {
	if _, err := Load(fstest.MapFS{}); !errors.Is(err, ErrNoRecordings) {
		t.Errorf("an empty folder: %v", err)
	}
	_, err := Load(fstest.MapFS{
		"a/scenario.yaml": {Data: []byte("id: a\n")},
		"b/scenario.yaml": {Data: []byte("id: b\nstatus: healthy\n")},
		"c/scenario.yaml": {Data: []byte(":")},
	})
	for _, want := range []string{"a/scenario.yaml: status is missing", "b/metrics.om.gz", "c/scenario.yaml"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in: %v", want, err)
		}
	}
}

func TestIncidentsOfUnknownClassesAndNamesAreRefused(t *testing.T) {
	_, _, err := Incidents(fstest.MapFS{
		"cases/classes.yaml": {Data: []byte("known: over-capacity\n")},
		"cases/one.yaml":     {Data: []byte("class: strange\n")},
		"cases/two.yaml":     {Data: []byte("klass: known\n")},
	})
	for _, want := range []string{`the class "strange"`, "field klass not found"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in: %v", want, err)
		}
	}
	c := newCatalogue(builtin(t), engine.Fit{})
	in := Incident{ID: "x", Engine: "vllm", Bad: State{Signals: map[string]Figure{"queue_depth": {}}}}
	if _, err := in.still(c, in.Bad); err == nil || !strings.Contains(err.Error(), "unknown name queue_depth") {
		t.Errorf("a mistyped signal: %v", err)
	}
}

func TestStaticFramesKnowWhatTheirFiguresImply(t *testing.T) {
	c := newCatalogue(builtin(t), engine.Fit{})
	in := Incident{ID: "x", Engine: "vllm", Bad: State{
		Gauges: map[string]Figure{"running": {model.Known(3)}, "waiting": {model.Known(2)}},
		Facts:  map[string]any{"max_num_seqs": 4},
	}}
	f, err := in.still(c, in.Bad)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := f.Get(0, "in_engine"); v.V != 5 {
		t.Errorf("in_engine is %g, want running and waiting together", v.V)
	}
	if x, ok := f.Fact(0, "max_num_seqs"); !ok || x.Num != 4 || !x.Explicit {
		t.Errorf("max_num_seqs is %+v", x)
	}
	if _, ok := f.Get(0, "kv_used_ratio"); ok {
		t.Error("kv_used_ratio was invented")
	}
}

func TestAMarginIsWhereTheComparisonTurns(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ms, err := Margins(c, open(t))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(ms, func(m Margin) bool {
		return m.Owner == "gpu-underused" && strings.HasPrefix(m.Compares, "gpu_util_ratio")
	})
	if i < 0 {
		t.Fatal("the threshold of gpu-underused was not found")
	}
	m := ms[i]
	if m.Values == 0 || math.Abs(m.Distance-math.Abs(m.Nearest/m.Value-1)) > 1e-9 {
		t.Errorf("%+v", m)
	}
	for j := 1; j < len(ms); j++ {
		if ms[j].Values > 0 && ms[j-1].Values > 0 && ms[j].Distance < ms[j-1].Distance {
			t.Fatalf("not sorted at %d", j)
		}
	}
}

func TestFitsAreJudgedOnWhatWasLeftOut(t *testing.T) {
	var rs []*Recording
	for _, r := range open(t) {
		if r.Rig == "h200" && len(rs) < 8 && r.Faulty() || r.ID == "b_kv_small" {
			rs = append(rs, r)
		}
	}
	rows, err := Fit(func() (*content.Content, error) { return content.Load(content.Options{}) }, rs)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
	}
	want := []string{"present values", "in sample", "families left out", "fitted elsewhere, on cpu", "fitted elsewhere, on h200"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatal(diff)
	}
	if rows[1].NLL > rows[0].NLL || rows[1].NLL > rows[2].NLL+1e-9 {
		t.Errorf("in sample %.4f is worse than at present %.4f or left out %.4f", rows[1].NLL, rows[0].NLL, rows[2].NLL)
	}
	if n := rows[3].N + rows[4].N; n != rows[1].N {
		t.Errorf("the rigs have %d looks, all have %d", n, rows[1].N)
	}
}

func TestTheReportNamesEverySplitApart(t *testing.T) {
	r, err := Measure(Options{
		Corpus: corpus.Recordings(), Content: func() (*content.Content, error) { return content.Load(content.Options{}) },
		Conditions: []string{"args", "no-args"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Text(&b, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"given: ", "heldout: ", "AC@1", "random", "most frequent", "severity", "flags only", "confirmed incidents"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no word of %q in the report", want)
		}
	}
	if _, err := Measure(Options{Corpus: corpus.Recordings(), Splits: []string{"none"}}); !errors.Is(err, ErrNoRecordings) {
		t.Errorf("an unknown split: %v", err)
	}
	if _, err := Pick("args", "argz"); err == nil || !strings.Contains(err.Error(), "unknown condition argz") {
		t.Errorf("an unknown condition: %v", err)
	}
}

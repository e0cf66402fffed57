package signals_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

// began is when the servers below were first scraped.
var began = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)

func own(t *testing.T, text string) (*signals.Catalog, error) {
	t.Helper()
	folder := fstest.MapFS{"meaning/mine.yaml": {Data: []byte(text)}}
	return signals.Options{PromQL: promadapter.Parse}.Load(signals.Builtin(), folder)
}

// servers counts requests of my_metric at 1/s on a and 3/s on b, which is scraped a minute later.
func servers() *samples.Store {
	st := samples.NewStore()
	for i, name := range []string{"a:1", "b:1"} {
		for k := range 9 {
			at := began.Add(time.Duration(i)*time.Minute + time.Duration(k)*15*time.Second).UnixMilli()
			for _, path := range []string{"x", "y"} {
				labels := map[string]string{"job": "j", "instance": name, "path": path}
				st.Series("my_metric", model.LabelsFrom(labels)).Add(at, float64(1000+15*k*(1+2*i))/2)
				st.Series("vllm:num_requests_running", model.LabelsFrom(labels)).Add(at, 1)
			}
		}
	}
	st.Finish()
	return st
}

// answers gives a signal by instance, and the faults of the frame.
func answers(t *testing.T, text string) (map[string]float64, []model.Fault) {
	t.Helper()
	c, err := own(t, text)
	if err != nil {
		t.Fatal(err)
	}
	st := servers()
	f := c.Frame(st, signals.Request{
		At: began.Add(3 * time.Minute), Window: 5 * time.Minute,
		PromQL: promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance,
	})
	out := map[string]float64{}
	for _, e := range f.Entities.All() {
		if v, ok := f.Get(e.ID, "mine"); ok {
			out[e.Name()] = v.V
		}
	}
	return out, f.Faults
}

func TestUsersSignalIsEvaluatedForEveryTarget(t *testing.T) {
	for _, tt := range []struct{ name, in string }{
		{"folded by the target's labels", "sum by ($by) (increase(my_metric{$match}[$window]))"},
		{"folded into one number", "sum(increase(my_metric{$match}[$window]))"},
		{"over all targets", "sum by ($by) (increase(my_metric[3m15s]))"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, faults := answers(t, "mine: {unit: requests, promql: '"+tt.in+" > 0 < 1000'}")
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			if got["a:1"] < 119 || got["a:1"] > 145 || got["b:1"] < 359 || got["b:1"] > 435 {
				t.Errorf("got %v, want about 120 and 360", got)
			}
		})
	}
}

func TestFormulasReadUsersSignals(t *testing.T) {
	got, _ := answers(t, "ones: {unit: count, promql: 'count by ($by) (my_metric{$match})'}\nmine: {unit: count, formula: ones * 2}")
	if diff := cmp.Diff(map[string]float64{"a:1": 4, "b:1": 4}, got); diff != "" {
		t.Error(diff)
	}
}

func TestUsersSignalThatFailsIsAFaultAndAbsent(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"several series", "rate(my_metric{$match}[$window])", "several series"},
		{"nobody's number", "sum(rate(my_metric[$window]))", "does not say whose it is"},
		{"labels that do not match", "my_metric{$match} / on (job) my_metric{$match}", "many-to-many"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, faults := answers(t, "mine: {unit: requests, promql: '"+tt.in+"'}")
			if len(got) > 0 || len(faults) != 1 || faults[0].Source != "signal mine" || !strings.Contains(faults[0].Err, tt.want) {
				t.Errorf("got %v and %v, want one fault with %q", got, faults, tt.want)
			}
		})
	}
}

func TestUsersSignalIsCheckedWhenItIsLoaded(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"a fault in the query", "mine: {promql: 'sum by ($by) (rate(m{$match}[$window])'}", "meaning/mine.yaml:1:"},
		{"a place after a variable", "mine: {promql: 'sum by ($by) (m{$match}) + + *'}", "meaning/mine.yaml:1:46: signal mine: unexpected <op:*>"},
		{"an unknown variable", "mine: {promql: 'rate(m[$range])'}", "meaning/mine.yaml:1:24: signal mine: unknown variable $range"},
		{"a range", "mine: {promql: 'm[$window]'}", "signal mine: it gives a range vector, want one number"},
		{"an open name", "mine: {promql: 'sum({job=\"x\"})'}", "name the metric"},
		{"a formula beside it", "mine: {promql: m, formula: running}", "a formula or setting"},
		{"another scope", "mine: {promql: m, scope: gpu}", "of a target only"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := own(t, tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestMetricsOfUsersSignalsAreKept(t *testing.T) {
	c, err := own(t, "mine: {promql: 'sum by ($by) (my_metric{$match}) / sum by ($by) (other:metric{$match})'}")
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, m := range c.Metrics() {
		kept[m] = true
	}
	if !kept["my_metric"] || !kept["other:metric"] {
		t.Error("the metrics of the query would be dropped at a scrape")
	}
	if diff := cmp.Diff([]string{"mine"}, c.Own()); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutAnEvaluatorUsersSignalsAreAFault(t *testing.T) {
	c, err := own(t, "mine: {promql: 'm{$match}'}")
	if err != nil {
		t.Fatal(err)
	}
	f := c.Frame(servers(), signals.Request{At: began.Add(3 * time.Minute), Window: 5 * time.Minute})
	if len(f.Faults) != 1 || f.Faults[0].Source != "signal mine" {
		t.Errorf("got %v, want one fault", f.Faults)
	}
	if _, err := signals.Load(fstest.MapFS{"meaning/mine.yaml": {Data: []byte("mine: {promql: m}")}}); err == nil || errors.Unwrap(err) != nil {
		t.Errorf("got %v, want a refusal", err)
	}
}

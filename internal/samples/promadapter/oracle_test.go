package promadapter_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/value"
	"pgregory.net/rapid"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
)

const began = int64(1_790_000_000_000)

var (
	nan   = math.Float64frombits(value.NormalNaN)
	stale = math.Float64frombits(value.StaleNaN)
)

// scene is a server with ranks that start late, end early, miss scrapes and restart.
type scene struct {
	native, oracle *samples.Store // the oracle's has no NaN, for native functions leave NaN out
	window         samples.Window
}

// draw makes a scene of one metric m. walk gives the next value of a series after the last one.
func draw(t *rapid.T, walk func(t *rapid.T, last float64) float64) scene {
	s := scene{native: samples.NewStore(), oracle: samples.NewStore()}
	n := rapid.IntRange(2, 24).Draw(t, "scrapes")
	times := make([]int64, n)
	at := began
	for i := range times {
		at += rapid.SampledFrom([]int64{15_000, 15_000, 15_000, 14_990, 15_013, 45_000}).Draw(t, "interval")
		times[i] = at
	}
	for rank := range rapid.IntRange(1, 3).Draw(t, "ranks") {
		labels := model.LabelsFrom(map[string]string{"job": "j", "instance": "i", "engine": strconv.Itoa(rank)})
		native, oracle := s.native.Series("m", labels), s.oracle.Series("m", labels)
		from := rapid.IntRange(0, n-1).Draw(t, "starts")
		to := rapid.IntRange(from, n-1).Draw(t, "ends")
		v := rapid.SampledFrom([]float64{0, 1, 7, 1e6}).Draw(t, "first value")
		for _, at := range times[from : to+1] {
			v = walk(t, v)
			switch rapid.SampledFrom([]string{"", "", "", "", "", "missed", "NaN", "stale"}).Draw(t, "fate") {
			case "missed":
			case "NaN":
				native.Add(at, nan)
			case "stale":
				native.Add(at, stale)
				oracle.Add(at, stale)
			default:
				native.Add(at, v)
				oracle.Add(at, v)
			}
		}
	}
	s.native.Finish()
	s.oracle.Finish()
	s.window.To = times[n-1] + rapid.SampledFrom([]int64{0, 0, 1, 7_000, 16_000, 17_000, 18_000, -20_000, 40_000}).Draw(t, "end")
	s.window.From = s.window.To - rapid.Int64Range(16_000, 400_000).Draw(t, "length")
	return s
}

// answers evaluates fn(m[window]), %s being the range, by rank.
func answers(t *rapid.T, st *samples.Store, w samples.Window, query string) map[string]float64 {
	text := fmt.Sprintf(query, fmt.Sprintf("[%dms]", w.To-w.From))
	v, err := promadapter.NewEvaluator(st, promadapter.Options{}).Vector(context.Background(), text, time.UnixMilli(w.To))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, s := range v {
		out[s.Metric.Get("engine")] = s.F
	}
	return out
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-6*max(math.Abs(a), math.Abs(b))+1e-12 }

// hold compares a native function with the oracle, series by series.
func hold(t *rapid.T, s scene, query string, native func([]samples.Point) (float64, bool)) {
	want := answers(t, s.oracle, s.window, query)
	for _, x := range s.native.Instances()[0].Named("m") {
		got, ok := native(s.window.In(x.Points))
		oracle, answered := want[x.Labels.Get("engine")]
		if ok != answered || ok && !near(got, oracle) {
			t.Fatalf("%s of rank %s: got %g, %v; PromQL says %g, %v", query, x.Labels.Get("engine"), got, ok, oracle, answered)
		}
	}
}

func counter(t *rapid.T, last float64) float64 {
	if rapid.IntRange(0, 9).Draw(t, "restart") == 0 {
		return float64(rapid.IntRange(0, 3).Draw(t, "after the restart"))
	}
	return last + float64(rapid.SampledFrom([]int{0, 0, 1, 5, 300}).Draw(t, "gain"))
}

func gauge(t *rapid.T, _ float64) float64 {
	return rapid.SampledFrom([]float64{0, 0, 1, 0.1, 3.5, -2, 1e6}).Draw(t, "value")
}

func TestCountersAreReadAsPromQLReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, counter)
		hold(t, s, "rate(m%s)", func(ps []samples.Point) (float64, bool) { return samples.Rate(ps, s.window) })
		hold(t, s, "increase(m%s)", func(ps []samples.Point) (float64, bool) {
			rate, ok := samples.Rate(ps, s.window)
			whole, _, _ := samples.Increase(ps)
			if extrapolated := rate * s.window.Seconds(); ok && whole > extrapolated*(1+1e-9) {
				t.Fatalf("increase %g is above what PromQL extrapolates it to, %g", whole, extrapolated)
			}
			return rate * s.window.Seconds(), ok
		})
		hold(t, s, "resets(m%s)", func(ps []samples.Point) (float64, bool) {
			_, seen := samples.Over{Fold: "last"}.Apply(ps)
			return float64(samples.Resets(ps)), seen
		})
	})
}

func TestGaugesAreReadAsPromQLReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := draw(t, gauge)
		for _, fold := range []string{"avg", "min", "max", "last", "first", "sum", "count"} {
			hold(t, s, fold+"_over_time(m%s)", samples.Over{Fold: fold}.Apply)
		}
		hold(t, s, "changes(m%s)", samples.Over{Fold: "changes"}.Apply)
		phi := rapid.Float64Range(0, 1).Draw(t, "phi")
		hold(t, s, strconv.FormatFloat(phi, 'f', -1, 64)+" * 0 + quantile_over_time("+strconv.FormatFloat(phi, 'f', -1, 64)+", m%s)", samples.Over{Fold: "q", Phi: phi}.Apply)
		hold(t, s, "deriv(m%[1]s) and count_over_time(m%[1]s) > 2", samples.Slope)
	})
}

// edges are written as servers of different ages write them; the two ranks of a scene differ in it.
var spellings = [][]string{{"0.5", "1", "2", "10", "+Inf"}, {"0.5", "1.0", "2.0", "10.0", "+Inf"}}

func TestHistogramsAreReadAsPromQLReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := samples.NewStore()
		n := rapid.IntRange(2, 10).Draw(t, "scrapes")
		for rank := range rapid.IntRange(1, 2).Draw(t, "ranks") {
			held := make([]float64, 5)
			for i := range n {
				total := 1e7 // so far from 0 that every bucket is extrapolated alike
				for b, le := range spellings[rank] {
					held[b] += float64(rapid.SampledFrom([]int{0, 0, 1, 40}).Draw(t, "observations"))
					total += held[b]
					labels := map[string]string{"job": "j", "instance": "i", "engine": strconv.Itoa(rank), "le": le}
					st.Series("m_bucket", model.LabelsFrom(labels)).Add(began+int64(i)*15_000, total)
				}
			}
		}
		st.Finish()
		w := samples.Window{From: began - 1, To: began + int64(n-1)*15_000}
		h, ok := samples.Gain(st.Instances()[0].Named("m_bucket"), nil, w)
		if !ok {
			t.Fatal("no gain")
		}
		phi := rapid.SampledFrom([]float64{0.01, 0.25, 0.5, 0.9, 0.99, 1}).Draw(t, "phi")
		if onEdge(h, phi) {
			t.Skip("the rank is a bucket's last: rounding decides which bucket it falls into")
		}
		got, ok := h.Quantile(phi)
		want := answers(t, st, w, fmt.Sprintf("histogram_quantile(%g, sum by (le) (increase(m_bucket%%s)))", phi))[""]
		switch {
		case ok == math.IsNaN(want):
			t.Fatalf("P%g: got %v, %v; PromQL says %g", 100*phi, got, ok, want)
		case !ok:
		case got.Bound == model.AtMost && (want < 0 || want > got.V*(1+1e-9)), got.Bound != model.AtMost && !near(got.V, want):
			t.Fatalf("P%g: got %v; PromQL says %g", 100*phi, got, want)
		}
		rate := answers(t, st, w, `sum(rate(m_bucket{le="+Inf"}%s))`)[""]
		if !near(h.Rate, rate) {
			t.Fatalf("rate: got %g, PromQL says %g", h.Rate, rate)
		}
	})
}

func onEdge(h samples.Histogram, phi float64) bool {
	return phi < 1 && slices.ContainsFunc(h.Cum, func(n float64) bool { return near(n, phi*h.Count()) })
}

func TestWithoutTheLastBucketAHistogramSaysNothing(t *testing.T) {
	st := samples.NewStore()
	for i, le := range []string{"1", "2"} {
		x := st.Series("m_bucket", model.LabelsFrom(map[string]string{"instance": "i", "le": le}))
		x.Add(began, 0)
		x.Add(began+15_000, float64(10*(i+1)))
	}
	st.Finish()
	if h, ok := samples.Gain(st.Instances()[0].Named("m_bucket"), nil, samples.Window{From: began - 1, To: began + 15_000}); ok {
		t.Errorf("got %v: how many were above 2 is not known", h)
	}
}

package signals_test

import (
	"context"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

func TestASignalIsReadOverAWindowOfItsOwn(t *testing.T) {
	st := twoDays(nil)
	names := []string{"requests_started_1h", "requests_started_6h", "requests_started_10m", "ttft_over_slo_ratio_6h", "ttft_budget_burn_1h", "ttft_p99_s_6h", "ttft_p99_s_2d", "requests_started_3d", "requests_failed_1h"}
	f := compared(t, st, 10*time.Minute, names...)
	six := catalog(t).Frame(st, signals.Request{At: end, Window: 6 * time.Hour})
	for _, tt := range []struct{ in, want string }{
		{"requests_started_1h", "714 exact"}, // 120 scrapes of six, the first of which is where it begins
		{"requests_started_6h", only(t, six, "requests_started")},
		{"requests_started_10m", only(t, f, "requests_started")}, // the frame's own window
		{"ttft_over_slo_ratio_6h", only(t, six, "ttft_over_slo_ratio")},
		{"ttft_p99_s_6h", only(t, six, "ttft_p99_s")},
		{"ttft_budget_burn_1h", only(t, six, "ttft_budget_burn")}, // late from beginning to end
		{"requests_started_3d", "absent"},
		{"requests_failed_1h", "absent"},  // nobody exports it
		{"requests_started_2h", "absent"}, // nobody asked for it
	} {
		if got := only(t, f, tt.in); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestAWindowIsAbsentUnlessMostOfItWasSeen(t *testing.T) {
	last := func(d time.Duration) func(time.Duration) bool {
		return func(at time.Duration) bool { return at >= 48*time.Hour-d }
	}
	for _, tt := range []struct {
		name string
		in   func(time.Duration) bool
		want string
	}{
		{"all of it", nil, "known"},
		{"three quarters of it", last(45 * time.Minute), "known"},
		{"less than three quarters", last(44 * time.Minute), "absent"},
		{"one minute", last(time.Minute), "absent"},
		{"a short outage in its middle", func(at time.Duration) bool {
			return at < 47*time.Hour+20*time.Minute || at > 47*time.Hour+30*time.Minute
		}, "known"},
		{"its ends only", func(at time.Duration) bool { return at < 47*time.Hour+5*time.Minute || at > 48*time.Hour-6*time.Minute }, "absent"},
		{"a scrape every twenty minutes", func(at time.Duration) bool { return at%(20*time.Minute) == 0 || at > 48*time.Hour-2*time.Minute }, "absent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := only(t, compared(t, twoDays(tt.in), 10*time.Minute, "requests_started_1h"), "requests_started_1h")
			if (got == "absent") != (tt.want == "absent") {
				t.Errorf("got %s, want it %s", got, tt.want)
			}
		})
	}
}

func TestTheFramesOwnWindowIsAbsentUnlessMostOfItWasSeen(t *testing.T) {
	minute := twoDays(func(at time.Duration) bool { return at >= 48*time.Hour-time.Minute })
	f := compared(t, minute, 5*time.Minute, "requests_started_5m", "ttft_budget_burn_5m")
	if got := only(t, f, "requests_started") + ", " + only(t, f, "requests_started_5m"); got != "12 exact, absent" {
		t.Errorf("got %s", got)
	}
	if got := only(t, compared(t, twoDays(nil), 5*time.Minute, "ttft_budget_burn_5m"), "ttft_budget_burn_5m"); got == "absent" {
		t.Error("a whole window gives nothing")
	}
}

func TestTooFewRequestsBurnNoBudget(t *testing.T) {
	f := compared(t, twoDays(nil), 2*time.Minute, "ttft_over_slo_ratio_2m", "ttft_budget_burn_2m", "ttft_budget_burn_5m")
	for name, known := range map[string]bool{"ttft_over_slo_ratio_2m": true, "ttft_budget_burn": false, "ttft_budget_burn_2m": false, "ttft_budget_burn_5m": true} {
		if got := only(t, f, name); (got != "absent") != known {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// TestFewSamplesGiveWhatAllOfThemGive takes a window with a reset and a gap from a store that holds only
// what counters need, and from the whole one.
func TestFewSamplesGiveWhatAllOfThemGive(t *testing.T) {
	c := catalog(t)
	whole := twoDays(func(at time.Duration) bool { return at < 46*time.Hour || at > 46*time.Hour+4*time.Minute })
	restart(whole, began.Add(45*time.Hour))
	names := []string{"requests_started_6h", "ttft_over_slo_6h", "ttft_p50_s_6h", "ttft_mean_s_6h", "gen_tokens_per_s_6h", "ttft_budget_burn_6h"}
	h := c.History(names)
	w := h.Windows()[0]
	few, n := samples.NewStore(), 0
	for _, in := range whole.Cut(samples.Window{From: end.Add(-w.Length).UnixMilli(), To: end.UnixMilli()}, w.Metrics).Instances() {
		part, _ := few.Instance(in.Labels)
		part.Scrapes = samples.Sparse{Cell: w.Cell().Milliseconds()}.Times(in.Scrapes)
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				part.Ensure(name, s.Labels).Points = samples.Sparse{From: end.Add(-w.Length).UnixMilli(), Cell: w.Length.Milliseconds() + 1}.Thin(s.Points)
				n = max(n, len(part.Ensure(name, s.Labels).Points))
			}
		}
	}
	want := c.Frame(whole, signals.Request{At: end, Window: 5 * time.Minute, Past: h})
	still := []signals.Earlier{{Length: w.Length, Still: signals.NewStill(end, few)}}
	for _, look := range []string{"first", "second"} {
		got := c.Frame(whole, signals.Request{At: end.Add(time.Second), Window: 5 * time.Minute, Past: h, Earlier: still})
		for _, name := range names {
			if g, w := only(t, got, name), only(t, want, name); g != w || g == "absent" {
				t.Errorf("%s look, %s: got %s, want %s", look, name, g, w)
			}
		}
	}
	if n > 4 {
		t.Errorf("%d samples of a series were kept", n)
	}
}

func TestAWindowThatWasReadLetsGoOfItsSamples(t *testing.T) {
	c := catalog(t)
	h := c.History([]string{"requests_started_6h"})
	st := twoDays(nil)
	samplesOf := weak.Make(&st.Instances()[0].Named("vllm:time_to_first_token_seconds_count")[0].Points[0])
	still := signals.NewStill(end, st)
	st = nil
	present := twoDays(func(at time.Duration) bool { return at > 47*time.Hour })
	for range 2 {
		f := c.Frame(present, signals.Request{At: end, Window: 5 * time.Minute, Past: h, Earlier: []signals.Earlier{{Length: 6 * time.Hour, Still: still}}})
		if got := only(t, f, "requests_started_6h"); got == "absent" {
			t.Fatal(got)
		}
		runtime.GC()
	}
	if samplesOf.Value() != nil {
		t.Error("the samples are held")
	}
	runtime.KeepAlive(still)
}

// restart lets every counter begin anew at a time.
func restart(st *samples.Store, at time.Time) {
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				base := math.NaN()
				for i, p := range s.Points {
					if p.T < at.UnixMilli() || name == "up" {
						continue
					}
					if math.IsNaN(base) {
						base = p.V
					}
					s.Points[i].V -= base
				}
			}
		}
	}
}

func TestOnlyWhatIsCountedHasAWindowOfItsOwn(t *testing.T) {
	c := catalog(t)
	for name, want := range map[string]string{
		"ttft_budget_burn_6h": "", "requests_failed_ratio_30m": "", "ttft_p99_s_7d": "",
		"running_1h":           "running_1h: running is not counted, and only what counters and histograms count has a window of its own",
		"stall_events_1h":      "stall_events_1h: running is not counted",
		"down_1h":              "down_1h: down is not read from a counter or a histogram",
		"slo_ttft_p99_s_1h":    "slo_ttft_p99_s_1h: slo_ttft_p99_s is set by configuration and has no window; write slo_ttft_p99_s",
		"ttft_over_slo_0h":     "ttft_over_slo_0h: 0h is no usable length; from 1m to 366d, as ttft_over_slo_1h",
		"ttft_over_sla_1h":     "unknown name ttft_over_sla_1h; did you mean ttft_over_slo_1h?",
		"ttft_p99_s_1h_1d_ago": "unknown name ttft_p99_s_1h_1d_ago",
	} {
		_, ok, err := c.Timed(name)
		got := ""
		if r, refused := err.(*signals.Refusal); refused { //nolint:errorlint // as Timed promises
			got = r.Msg + "; " + r.Hint
		}
		if !ok || (want == "") != (got == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if m, _ := c.Meaning("ttft_over_slo_ratio_6h"); m.Name != "share of first tokens over the objective in 6 hours" || m.Unit != "ratio" {
		t.Errorf("got %+v", m)
	}
}

// TestWindowsAgreeWithPromQL renders every signal over an hour and holds the two answers together.
func TestWindowsAgreeWithPromQL(t *testing.T) {
	c, st := catalog(t), twoDays(nil)
	var names []string
	for _, id := range c.IDs() {
		if _, ok, err := c.Timed(id + "_1h"); ok && err == nil {
			names = append(names, id+"_1h")
		}
	}
	f := compared(t, st, 5*time.Minute, names...)
	eval := promadapter.NewEvaluator(st, promadapter.Options{})
	target := f.Entities.All()[1]
	same := 0
	for _, name := range names {
		text, err := c.PromQL("vllm", name, signals.PromQLOptions{Window: "5m", By: []string{"instance"}})
		if err != nil {
			continue
		}
		if strings.Contains(text, "[5m]") {
			t.Errorf("%s: a part is read over the frame's window: %s", name, text)
		}
		got, err := eval.Vector(context.Background(), text, end)
		if err != nil {
			t.Fatal(err)
		}
		v, known := f.Get(target.ID, name)
		switch {
		case len(got) == 0 && !known:
		case len(got) != 1 || !known:
			t.Errorf("%s: frame %v %t, PromQL %v\n%s", name, v, known, got, text)
		case v.Bound == model.Exact && math.Abs(got[0].F-v.V) > 0.02*math.Abs(v.V):
			t.Errorf("%s: frame %v, PromQL %g\n%s", name, v, got[0].F, text)
		default:
			same++
		}
	}
	if same < 10 {
		t.Errorf("only %d signals were compared", same)
	}
}

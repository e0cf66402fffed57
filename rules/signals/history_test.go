package signals_test

import (
	"context"
	"fmt"
	"math"
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

const step = 30 * time.Second

// twoDays is a server scraped every 30 s for two days. Each scrape adds six requests; their first
// token takes under 0.5 s, on the second day up to 4 s. `seen` leaves scrapes out.
func twoDays(seen func(at time.Duration) bool) *samples.Store {
	st := samples.NewStore()
	labels := func(more ...string) model.Labels {
		m := map[string]string{"job": "vllm", "instance": "a:8000"}
		for i := 0; i < len(more); i += 2 {
			m[more[i]] = more[i+1]
		}
		return model.LabelsFrom(m)
	}
	fast, all := 0.0, 0.0
	for at := time.Duration(0); at <= 48*time.Hour; at += step {
		all += 6
		if at <= 24*time.Hour {
			fast += 6
		}
		if seen != nil && !seen(at) {
			continue
		}
		t := began.Add(at).UnixMilli()
		st.Series("up", labels()).Add(t, 1)
		st.Series("vllm:num_requests_running", labels("model_name", "m")).Add(t, 4+at.Hours())
		st.Series("vllm:generation_tokens_total", labels("model_name", "m")).Add(t, 100*all)
		for _, b := range []struct {
			le string
			v  float64
		}{{"0.5", fast}, {"4", all}, {"+Inf", all}} {
			st.Series("vllm:time_to_first_token_seconds_bucket", labels("model_name", "m", "le", b.le)).Add(t, b.v)
		}
		st.Series("vllm:time_to_first_token_seconds_sum", labels("model_name", "m")).Add(t, fast*0.3+(all-fast)*3)
		st.Series("vllm:time_to_first_token_seconds_count", labels("model_name", "m")).Add(t, all)
	}
	st.Finish()
	return st
}

var end = began.Add(48 * time.Hour)

// compared builds the frame at the end of the two days with the given names in its plan.
func compared(t *testing.T, st *samples.Store, window time.Duration, names ...string) *model.Frame {
	t.Helper()
	c := catalog(t)
	return c.Frame(st, signals.Request{At: end, Window: window, Past: c.History(names)})
}

// only gives a signal of the single target.
func only(t *testing.T, f *model.Frame, name string) string {
	t.Helper()
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget {
			v, ok := f.Get(e.ID, name)
			if !ok {
				return "absent"
			}
			return fmt.Sprintf("%.4g %s", v.V, v.Bound)
		}
	}
	t.Fatal("no target")
	return ""
}

func TestASignalIsReadAsItWas(t *testing.T) {
	st := twoDays(nil)
	names := []string{"ttft_p99_s_1d_ago", "running_1h_ago", "running_24h_ago", "gen_tokens_per_s_1d_ago", "tokens_per_running_1d_ago", "running_7d_ago", "waiting_1d_ago"}
	f := compared(t, st, 10*time.Minute, names...)
	then := catalog(t).Frame(st, signals.Request{At: end.Add(-24 * time.Hour), Window: 10 * time.Minute})
	for _, tt := range []struct{ in, want string }{
		{"ttft_p99_s_1d_ago", "0.5 at_most"},
		{"ttft_p99_s", "3.965 exact"},
		{"running_1h_ago", "50.92 exact"},
		{"running_24h_ago", only(t, then, "running")},
		{"gen_tokens_per_s_1d_ago", only(t, then, "gen_tokens_per_s")},
		{"tokens_per_running_1d_ago", only(t, then, "tokens_per_running")}, // a formula
		{"running_7d_ago", "absent"},
		{"waiting_1d_ago", "absent"},      // nobody exports it
		{"running_1d_ago", "absent"},      // nobody asked for it
		{"requests_started_1d", "absent"}, // no such name
	} {
		if got := only(t, f, tt.in); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestThePastIsAbsentUnlessItsWindowWasSeen(t *testing.T) {
	day := 24 * time.Hour
	ago := func(at time.Duration) time.Duration { return day - at } // into the window of a day ago, which ends at 24 h
	for _, tt := range []struct {
		name string
		in   func(time.Duration) bool
		want string
	}{
		{"all of it", nil, "27.92 exact"},
		{"every other scrape", func(at time.Duration) bool { return at > day || at%(2*step) == 0 }, "27.93 exact"},
		{"its last half", func(at time.Duration) bool { return at > day-5*time.Minute }, "27.96 exact"},
		{"its last third", func(at time.Duration) bool { return at > day || ago(at) < 200*time.Second }, "absent"},
		{"its first third, then the server was down", func(at time.Duration) bool { return at > day || ago(at) > 400*time.Second }, "absent"},
		{"three scrapes at even distances", func(at time.Duration) bool { return at > day || at%(200*time.Second) == 0 && at%step == 0 }, "absent"},
		{"no scrape", func(at time.Duration) bool { return at > day }, "absent"},
		{"history begins an hour ago", func(at time.Duration) bool { return at > 47*time.Hour }, "absent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := only(t, compared(t, twoDays(tt.in), 10*time.Minute, "running_1d_ago"), "running_1d_ago"); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAQuantileOfThePastNeedsItsCount(t *testing.T) {
	f := compared(t, twoDays(nil), 5*time.Minute, "ttft_p99_s_1d_ago", "ttft_p50_s_1d_ago") // 54 to 60 requests
	if p99, p50 := only(t, f, "ttft_p99_s_1d_ago"), only(t, f, "ttft_p50_s_1d_ago"); p99 != "absent" || p50 == "absent" {
		t.Errorf("P99 %s, P50 %s", p99, p50)
	}
}

func TestAnotherModelAtTheSameAddressIsNoPast(t *testing.T) {
	st := twoDays(nil)
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				old := in.Ensure(name, append(model.Labels{{Name: "earlier", Value: "yes"}}, s.Labels...))
				for i, l := range old.Labels {
					if l.Name == "model_name" {
						old.Labels[i].Value = "another"
					}
				}
				cut := 2 * 60 * 26
				if name != "up" {
					old.Points, s.Points = s.Points[:cut:cut], s.Points[cut:]
				}
			}
		}
	}
	f := compared(t, st, 10*time.Minute, "running_1d_ago", "running_1h_ago")
	if day, hour := only(t, f, "running_1d_ago"), only(t, f, "running_1h_ago"); day != "absent" || hour == "absent" {
		t.Errorf("a day ago %s, an hour ago %s", day, hour)
	}
}

func TestHiddenSignalsHaveNoPast(t *testing.T) {
	c := catalog(t)
	for _, hidden := range []string{"running", "running_1d_ago"} {
		f := c.Frame(twoDays(nil), signals.Request{At: end, Window: 10 * time.Minute, Past: c.History([]string{"running_1d_ago"}), Without: []string{hidden}})
		if got := only(t, f, "running_1d_ago"); got != "absent" {
			t.Errorf("without %s: %s", hidden, got)
		}
	}
}

func TestThePastMayComeFromAnotherStore(t *testing.T) {
	c, whole := catalog(t), twoDays(nil)
	h := c.History([]string{"ttft_p99_s_1d_ago", "running_1d_ago"})
	w := h.Windows()[0]
	window := func(end time.Time) samples.Window {
		return samples.Window{From: end.Add(-10 * time.Minute).UnixMilli(), To: end.UnixMilli()}
	}
	present := whole.Cut(window(end), append(whole.Instances()[0].Names(), "up"))
	earlier := whole.Cut(window(end.Add(-w.Back)), w.Metrics)
	f := c.Frame(present, signals.Request{At: end, Window: 10 * time.Minute, Past: h, Earlier: []signals.Earlier{{Back: w.Back, Store: earlier}}})
	for _, name := range w.Signals {
		if got, want := only(t, f, name), only(t, compared(t, whole, 10*time.Minute, name), name); got != want || got == "absent" {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestThePlanListsWhatMustBeReadAndKept(t *testing.T) {
	c := catalog(t)
	h := c.History([]string{"waiting", "itl_mean_s_1w_ago", "ttft_p99_s_1d_ago", "ttft_p99_s_7d_ago", "ttft_p99_s_0d_ago"})
	var got []string
	for _, w := range h.Windows() {
		got = append(got, fmt.Sprint(w.Back, " ", w.Signals))
	}
	if d := cmp.Diff([]string{"24h0m0s [ttft_p99_s_1d_ago]", "168h0m0s [itl_mean_s_1w_ago ttft_p99_s_7d_ago]"}, got); d != "" {
		t.Error(d)
	}
	if got, want := h.Retention(5*time.Minute), 168*time.Hour+5*time.Minute; got != want {
		t.Errorf("keeps %s, want %s", got, want)
	}
	day := " " + strings.Join(h.Windows()[0].Metrics, " ") + " "
	for _, m := range []string{"vllm:time_to_first_token_seconds_bucket", "vllm:num_requests_running", "vllm_num_requests_running"} {
		if !strings.Contains(day, " "+m+" ") {
			t.Errorf("%s is not read: %s", m, day)
		}
	}
	for _, m := range []string{"inter_token", "DCGM", "node_"} {
		if strings.Contains(day, m) {
			t.Errorf("%s is read for nothing: %s", m, day)
		}
	}
	if none := c.History([]string{"waiting", "lora_waiting_ago_s"}); len(none.Windows()) > 0 || none.Retention(time.Minute) != time.Minute {
		t.Errorf("content without an offset needs %v", none.Windows())
	}
}

func TestAnOffsetHasItsSignalsUnitAndTitle(t *testing.T) {
	c := catalog(t)
	for name, want := range map[string]string{
		"ttft_p99_s_1d_ago": "TTFT P99, 1 day ago", "ttft_p99_s_7d_ago": "TTFT P99, 7 days ago", "waiting_90m_ago": "waiting, 90 minutes ago",
	} {
		if m, ok := c.Meaning(name); !ok || m.Name != want || m.Unit == "" {
			t.Errorf("%s: %+v, %t", name, m, ok)
		}
	}
	for name, want := range map[string]string{
		"ttft_p99_1d_ago":       "unknown name ttft_p99_1d_ago; did you mean ttft_p99_s_1d_ago?",
		"ttft_p99_s_0d_ago":     "ttft_p99_s_0d_ago: 0d is no usable offset; from 1m to 366d, as ttft_p99_s_1d_ago",
		"ttft_p99_s_400d_ago":   "ttft_p99_s_400d_ago: 400d is no usable offset; from 1m to 366d, as ttft_p99_s_1d_ago",
		"slo_ttft_p99_s_1d_ago": "slo_ttft_p99_s_1d_ago: slo_ttft_p99_s is set by configuration and has no past; write slo_ttft_p99_s",
		"step_share_1d_ago":     "",
		"seq_cap_1d_ago":        "seq_cap_1d_ago: seq_cap is computed from",
	} {
		_, _, err := c.Timed(name)
		r, ok := err.(*signals.Refusal) //nolint:errorlint // as Timed promises
		if !ok {
			t.Errorf("%s is taken", name)
		} else if got := r.Msg + "; " + r.Hint; !strings.HasPrefix(got, want) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestFormulasMayCompareWithThePast(t *testing.T) {
	load := func(text string) (*signals.Catalog, error) {
		return signals.Load(signals.Builtin(), fstest.MapFS{"meaning/mine.yaml": {Data: []byte(text)}})
	}
	c, err := load("growth: {unit: ratio, formula: running / running_1d_ago}\n")
	if err != nil {
		t.Fatal(err)
	}
	f := c.Frame(twoDays(nil), signals.Request{At: end, Window: 10 * time.Minute, Past: c.History(nil)})
	if got := only(t, f, "growth"); got != "1.86 exact" {
		t.Errorf("got %s", got)
	}
	for text, want := range map[string]string{
		"growth: {unit: ratio, formula: queue_p9_s_1d_ago / running}\n":                                            "meaning/mine.yaml:1:32: signal growth: unknown name queue_p9_s_1d_ago",
		"growth: {unit: ratio, formula: running_1d_ago}\ntwice: {unit: ratio, formula: growth_1d_ago / running}\n": "meaning/mine.yaml:2:31: signal twice: growth_1d_ago: growth compares with the past by itself",
	} {
		if _, err := load(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestThePastAgreesWithPromQLsOffset renders every signal with an offset and holds the two answers together.
func TestThePastAgreesWithPromQLsOffset(t *testing.T) {
	c, st := catalog(t), twoDays(nil)
	var names []string
	for _, id := range c.IDs() {
		if _, ok, err := c.Timed(id + "_1d_ago"); ok && err == nil {
			names = append(names, id+"_1d_ago")
		}
	}
	f := compared(t, st, 10*time.Minute, names...)
	eval := promadapter.NewEvaluator(st, promadapter.Options{})
	target := f.Entities.All()[1]
	same := 0
	for _, name := range names {
		// The frame's window starts at its first scrape.
		text, err := c.PromQL("vllm", name, signals.PromQLOptions{Window: "570001ms", By: []string{"instance"}})
		if err != nil {
			continue
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
		case v.Bound == model.Exact && math.Abs(got[0].F-v.V) > 0.06*math.Abs(v.V):
			t.Errorf("%s: frame %v, PromQL %v\n%s", name, v, got, text)
		default:
			same++
		}
	}
	if same < 10 {
		t.Errorf("only %d signals were compared", same)
	}
}

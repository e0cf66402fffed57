package faults_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

func TestFault20NaNSampleDoesNotFire(t *testing.T) {
	d := diagnose(t, serving().with(page{"vllm:num_requests_waiting": always(math.NaN())}))
	if symptoms(d) != "" || d.Status != model.Unknown {
		t.Errorf("%s, %q", d.Status, symptoms(d))
	}
	if !strings.Contains(strings.Join(d.Notes, "\n"), "waiting was not seen") {
		t.Errorf("nobody says what is unknown: %q", d.Notes)
	}
	some := func(i int) float64 {
		if i%3 == 0 {
			return math.NaN()
		}
		return 40
	}
	if d := diagnose(t, queueing().with(page{"vllm:num_requests_waiting": some})); !strings.Contains(symptoms(d), "requests-queueing") {
		t.Errorf("the samples beside a NaN are good: %s, %q", d.Status, symptoms(d))
	}
}

func TestFault21InfinityIsNoHugeNumber(t *testing.T) {
	for _, inf := range []float64{math.Inf(1), math.Inf(-1)} {
		for name := range serving() {
			if name == "up" || strings.Contains(name, "_bucket") {
				continue
			}
			d := diagnose(t, queueing().with(page{name: always(inf)}))
			r := &model.Report{Targets: []model.Diagnosis{d}}
			var text, js strings.Builder
			if err := render.Text(&text, r, render.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := render.JSON(&js, r); err != nil {
				t.Fatalf("%s %g: %v", name, inf, err)
			}
			for _, bad := range []string{"9223372036854775807", "-9223372036854775808", "1.797", "NaN", "e+3"} {
				if strings.Contains(text.String(), bad) || strings.Contains(js.String(), bad) {
					t.Errorf("%s %g: %s in\n%s", name, inf, bad, text.String())
				}
			}
			for _, c := range d.Causes {
				if math.IsNaN(c.Score) || c.Score < 0 || c.Score > 1 {
					t.Errorf("%s %g: score %g of %s", name, inf, c.Score, c.ID)
				}
			}
		}
	}
}

func TestFault23SamplesOfADayAgoAreStale(t *testing.T) {
	r := builtin(t).Diagnose(queueing().store(t), at(end.Add(24*time.Hour)))
	for _, d := range r.Targets {
		if symptoms(d) != "" || d.Status == model.Healthy {
			t.Errorf("%s, %q", d.Status, symptoms(d))
		}
	}
}

func TestFault24SamplesOfTheFutureAreNotUsed(t *testing.T) {
	later := func(i int) float64 {
		if i < scrapes {
			return 0
		}
		return 40
	}
	st := read(t, om(map[string]page{one: serving().with(page{"vllm:num_requests_waiting": later})}, 2*scrapes, interval))
	if d := only(t, builtin(t).Diagnose(st, at(end))); d.Status != model.Healthy || symptoms(d) != "" {
		t.Errorf("%s, %q", d.Status, symptoms(d))
	}
}

func TestFault29ARestartIsSaidAndNoRateIsNegative(t *testing.T) {
	restart := func(v values) values {
		return func(i int) float64 {
			if i < 12 {
				return v(i)
			}
			return v(i) - v(12)
		}
	}
	p := serving()
	for name, v := range p {
		if strings.HasSuffix(name, "_total") || strings.Contains(name, "_bucket") || strings.HasSuffix(name, "_count") || strings.HasSuffix(name, "_sum") {
			p[name] = restart(v)
		}
	}
	p["process_start_time_seconds"] = func(i int) float64 {
		if i < 12 {
			return 1_759_000_000
		}
		return float64(begin.Unix() + 170)
	}
	if d := diagnose(t, p); !strings.Contains(symptoms(d)+strings.Join(d.Notes, " "), "restart") {
		t.Errorf("nobody says that it restarted: %q, %q", symptoms(d), d.Notes)
	}
	f, _ := builtin(t).Frame(p.store(t), at(end))
	pl := builtin(t)
	for _, id := range pl.Content.Signals.IDs() {
		if strings.HasSuffix(id, "growth_per_s") {
			continue // a slope
		}
		if v, ok := f.Get(0, id); ok && strings.HasSuffix(id, "_per_s") && v.V < 0 {
			t.Errorf("%s is %g", id, v.V)
		}
	}
	if v, ok := signal(t, p.store(t), "gen_tokens_per_s"); !ok || math.Abs(v.V-200) > 25 {
		t.Errorf("3000 tokens in 15 s are %g a second", v.V)
	}
}

func TestFault31OneSampleInTheWindowIsNotEnough(t *testing.T) {
	st := read(t, om(map[string]page{one: queueing()}, 4, 10*time.Minute))
	d := only(t, builtin(t).Diagnose(st, at(begin.Add(31*time.Minute))))
	if d.Status != model.Unknown || !strings.Contains(strings.Join(d.Notes, " ")+d.Summary, "only one scrape was read: rates need two") {
		t.Errorf("%s, %q, %q", d.Status, d.Summary, d.Notes)
	}
}

func TestFault32ACoarseHistogramFabricatesNoQuantile(t *testing.T) {
	const name = "vllm:time_to_first_token_seconds"
	buckets := func(edges ...string) page {
		p := serving()
		for series := range p {
			if strings.HasPrefix(series, name+"_bucket") {
				delete(p, series)
			}
		}
		for _, le := range edges {
			p[name+`_bucket{le="`+le+`"}`] = growing(0, 30)
		}
		return p
	}
	if v, ok := signal(t, buckets("+Inf").store(t), "ttft_p99_s"); ok {
		t.Errorf("of +Inf alone: %+v", v)
	}
	v, ok := signal(t, buckets("0.5", "+Inf").store(t), "ttft_p99_s")
	if !ok || v.Bound != model.AtMost || v.V != 0.5 {
		t.Errorf("all below the first edge: %+v %t, want at most 0.5", v, ok)
	}
	if v, ok := signal(t, serving().store(t), "ttft_p99_s"); !ok || v.Bound != model.Exact {
		t.Errorf("where the buckets tell: %+v %t", v, ok)
	}
}

func TestFault33ARenamedMetricIsReadUnderBothNamesAndAnUnknownOneIsMissed(t *testing.T) {
	old := serving().with(page{"vllm:kv_cache_usage_perc": nil, "vllm:gpu_cache_usage_perc": always(0.4)})
	if v, ok := signal(t, old.store(t), "kv_used_ratio"); !ok || math.Abs(v.V-0.4) > 1e-9 {
		t.Errorf("the name before 0.9.2: %+v %t", v, ok)
	}
	next := queueing().with(page{"vllm:num_requests_waiting": nil, "vllm:requests_in_queue": always(40)})
	d := diagnose(t, next)
	if d.Status == model.Healthy || strings.Contains(symptoms(d), "requests-queueing") {
		t.Errorf("a name that is not known: %s, %q", d.Status, symptoms(d))
	}
	missing := strings.Join(d.Notes, "\n")
	for _, m := range d.Missing {
		missing += "\n" + m.Signal
	}
	if !strings.Contains(missing, "waiting") {
		t.Errorf("nobody says that waiting is missing: %q", missing)
	}
}

func TestFault35ASlowPageIsNeverAskedForTwiceAtOnce(t *testing.T) {
	var now, most, all atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		all.Add(1)
		time.Sleep(120 * time.Millisecond)
		fmt.Fprintln(w, "vllm:num_requests_running 4")
	}))
	defer s.Close()
	_, faults, err := scrape.Run(t.Context(), scrape.Options{URLs: []string{s.URL}, Interval: 50 * time.Millisecond, Duration: time.Second})
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	if most.Load() != 1 || all.Load() > 9 {
		t.Errorf("%d at once, %d in a second", most.Load(), all.Load())
	}
}

func TestFault36HostileLabelsAreEscapedAndCut(t *testing.T) {
	long := strings.Repeat("x", 64<<10)
	for _, hostile := range []string{"a\nHEALTHY", `a"b`, "{{ .Secret }}", "<script>alert(1)</script>", "\u202egpj.exe", "🔥", long, "<!channel> @everyone"} {
		escaped := strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(hostile)
		st := read(t, om(map[string]page{fmt.Sprintf(`job="vllm",instance="%s"`, escaped): queueing()}, scrapes, interval))
		r := builtin(t).Diagnose(st, at(end))
		if got := only(t, r).Target["instance"]; got != hostile {
			t.Errorf("%.40q arrives as %.40q", hostile, got)
		}
		var text, markdown, js strings.Builder
		for _, err := range []error{render.Text(&text, r, render.TextOptions{Width: 100}), render.Markdown(&markdown, r), render.JSON(&js, r)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		for form, s := range map[string]string{"text": text.String(), "markdown": markdown.String()} {
			if !utf8.ValidString(s) || strings.Contains(s, "\nHEALTHY") || strings.Contains(s, "\u202e") || len(s) > 32<<10 {
				t.Errorf("%s of %.40q: %d bytes\n%.300s", form, hostile, len(s), s)
			}
		}
		var back model.Report
		if err := json.Unmarshal([]byte(js.String()), &back); err != nil || only(t, &back).Target["instance"] != hostile {
			t.Errorf("JSON of %.40q: %v", hostile, err)
		}
	}
}

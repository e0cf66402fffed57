package promapi_test

import (
	"cmp"
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

func TestEarlierWindowsAreAskedForByTheSameRules(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.FormValue("query")+" at "+r.FormValue("time"))
		_, _ = io.WriteString(w, none)
	}))
	defer s.Close()
	o := promapi.Options{URL: s.URL, Offset: 40 * time.Second}
	sel := promapi.Selection{At: time.Unix(100_000, 0), Window: 90 * time.Minute, Names: []string{"a", "b"}, Matchers: []string{`env="x"`}}
	stores, faults := promapi.FetchEarlier(t.Context(), o, sel, []promapi.Back{{By: 20_000 * time.Second, Names: []string{"b"}}})
	if len(stores) != 1 || stores[0] == nil || len(faults) > 0 {
		t.Fatalf("got %v, %v", stores, faults)
	}
	slices.Sort(asked) // 100,000 less 20,000 less 40, in chunks of an hour
	if d := gocmp.Diff([]string{`{__name__="b",env="x"}[1800s] at 79960`, `{__name__="b",env="x"}[3600s] at 78160`}, shorten(asked)); d != "" {
		t.Error(d)
	}
}

// shorten takes the zeros off the times.
func shorten(asked []string) []string {
	for i, a := range asked {
		asked[i] = strings.TrimSuffix(a, ".000")
	}
	return asked
}

func TestWindowsOfTheirOwnLengthAreAskedForSparsely(t *testing.T) {
	var a asked
	o := fake(t, func(_ http.ResponseWriter, q string) string { a.query(q); return "" })
	stores, faults := promapi.FetchEarlier(t.Context(), o, selection("a"), []promapi.Back{{Length: 6 * time.Hour, Names: []string{"b", "c"}}})
	if len(stores) != 1 || stores[0] == nil || len(faults) > 0 {
		t.Fatalf("got %v, %v", stores, faults)
	}
	if d := gocmp.Diff([]string{`{__name__=~"b|c"}[21600s:360s]`}, a.queries); d != "" {
		t.Error(d)
	}
}

// TestARealPrometheusGivesWindowsOfTheirOwnLength holds what sixty samples of six hours give against all of
// them, and against Prometheus's own answer.
func TestARealPrometheusGivesWindowsOfTheirOwnLength(t *testing.T) {
	path, end := twoDays(t)
	server := require.Prometheus(t, path)
	whole, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := signals.Load(signals.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"requests_started_6h", "ttft_mean_s_6h", "ttft_p50_s_1h", "requests_started_per_s_1h", "requests_started_3d"}
	h := c.History(names)
	var backs []promapi.Back
	for _, w := range h.Windows() {
		backs = append(backs, promapi.Back{Length: w.Length, Names: w.Metrics})
	}
	stores, faults := promapi.FetchEarlier(t.Context(), promapi.Options{URL: server}, promapi.Selection{At: end, Window: 10 * time.Minute, Names: c.Metrics()}, backs)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var windows []signals.Earlier
	for i, st := range stores {
		windows = append(windows, signals.Earlier{Length: backs[i].Length, Store: st})
	}
	request := signals.Request{At: end, Window: 10 * time.Minute, Past: h}
	recorded := c.Frame(whole, request)
	request.Earlier = windows
	fetched := c.Frame(whole, request)
	for _, name := range names {
		got, known := fetched.Get(target(t, fetched), name)
		want, seen := recorded.Get(target(t, recorded), name)
		if known != seen || known == strings.Contains(name, "3d") || math.Abs(got.V-want.V) > 0.03*want.V {
			t.Errorf("%s: fetched %v %t, recorded %v %t", name, got, known, want, seen)
		}
		text, err := c.PromQL("vllm", name, signals.PromQLOptions{Window: "5m"})
		if err != nil {
			t.Fatal(err)
		}
		if said, ok := ask(t, server, text, end); known && got.Bound == model.Exact && (!ok || math.Abs(said-got.V) > 0.03*got.V) {
			t.Errorf("%s: Prometheus says %g (%t) to %s, the frame %v", name, said, ok, text, got)
		}
	}
}

func TestAPastThatCannotBeReadIsAFaultAndNoMore(t *testing.T) {
	o := fake(t, func(w http.ResponseWriter, q string) string {
		if strings.Contains(q, "beyond") {
			return status(422, `{"status":"error","errorType":"execution","error":"the query goes back too far"}`)(w)
		}
		return matrix
	})
	stores, faults := promapi.FetchEarlier(t.Context(), o, selection("a"), []promapi.Back{{By: 24 * time.Hour, Names: []string{"beyond"}}, {By: time.Second, Names: []string{"a"}}})
	if len(stores) != 2 || stores[0] != nil || len(stores[1].Instances()) != 1 {
		t.Fatalf("got %v", stores)
	}
	if len(faults) != 1 || !strings.Contains(faults[0].Err, "goes back too far") || !strings.HasSuffix(faults[0].Source, ", 1d earlier") {
		t.Errorf("got %v", faults)
	}
}

// TestARealPrometheusGivesThePast loads two days into a Prometheus. What is fetched of them a day and
// an hour earlier is what the recording holds, makes the same frame, and agrees with what Prometheus
// says to the same signals rendered with an offset.
func TestARealPrometheusGivesThePast(t *testing.T) {
	path, end := twoDays(t)
	server := require.Prometheus(t, path)
	whole, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := signals.Load(signals.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"ttft_p99_s_1d_ago", "ttft_mean_s_1d_ago", "requests_started_per_s_1d_ago", "running_1d_ago", "running_1h_ago", "running_7d_ago"}
	h := c.History(names)
	sel := promapi.Selection{At: end, Window: 10 * time.Minute, Names: c.Metrics()}
	o := promapi.Options{URL: server}
	present, faults, err := promapi.Fetch(t.Context(), o, sel)
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	var backs []promapi.Back
	for _, w := range h.Windows() {
		backs = append(backs, promapi.Back{By: w.Back, Names: w.Metrics})
	}
	stores, faults := promapi.FetchEarlier(t.Context(), o, sel, backs)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	var earlier []signals.Earlier
	for i, st := range stores {
		earlier = append(earlier, signals.Earlier{Back: backs[i].By, Store: st})
		from := end.Add(-backs[i].By - sel.Window)
		want, _ := flat(whole.Cut(samples.Window{From: from.UnixMilli(), To: from.Add(sel.Window).UnixMilli()}, append(backs[i].Names, "up")), everything)
		if got, _ := flat(st, everything); len(want) == 0 != (backs[i].By > 48*time.Hour) || gocmp.Diff(want, got) != "" {
			t.Errorf("%s earlier: %s", backs[i].By, gocmp.Diff(want, got))
		}
	}
	fetched := c.Frame(present, signals.Request{At: end, Window: sel.Window, Past: h, Earlier: earlier})
	recorded := c.Frame(whole, signals.Request{At: end, Window: sel.Window, Past: h})
	for _, name := range names {
		got, known := fetched.Get(target(t, fetched), name)
		want, _ := recorded.Get(target(t, recorded), name)
		if got != want || known == strings.Contains(name, "7d") {
			t.Errorf("%s: fetched %v, recorded %v", name, got, want)
		}
		text, err := c.PromQL("vllm", name, signals.PromQLOptions{Window: "570001ms"}) // from the first scrape on, as frames do
		if err != nil {
			t.Fatal(err)
		}
		if said, ok := ask(t, server, text, end); ok != known || got.Bound == model.Exact && math.Abs(said-got.V) > 1e-3*got.V {
			t.Errorf("%s: Prometheus says %g (%t) to %s, the frame %v", name, said, ok, text, got)
		}
	}
}

var everything = samples.Window{From: math.MinInt64, To: math.MaxInt64}

func target(t *testing.T, f *model.Frame) model.EntityID {
	t.Helper()
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget {
			return e.ID
		}
	}
	t.Fatal("no target")
	return 0
}

// ask is a plain instant query.
func ask(t *testing.T, server, query string, at time.Time) (float64, bool) {
	t.Helper()
	resp, err := http.PostForm(server+"/api/v1/query", url.Values{"query": {query}, "time": {at.Format(time.RFC3339)}}) //nolint:noctx // a loopback address of the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Status string
		Data   struct {
			Result []struct{ Value [2]json.Number }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %v %s", query, err, answer.Status)
	}
	if len(answer.Data.Result) == 0 {
		return 0, false
	}
	v, err := answer.Data.Result[0].Value[1].Float64()
	return v, err == nil
}

// twoDays writes two days of a server whose first tokens come ever later, and gives their end.
func twoDays(t *testing.T) (path string, end time.Time) {
	t.Helper()
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	st := samples.NewStore()
	add := func(at time.Time, name string, v float64, labels ...string) {
		m := map[string]string{"job": "vllm", "instance": "a:8000"}
		for i := 0; i+1 < len(labels); i += 2 {
			m[labels[i]] = labels[i+1]
		}
		st.Series(name, model.LabelsFrom(m)).Add(at.UnixMilli(), v)
	}
	var fast, all, sum float64
	for i := range 2*24*120 + 1 {
		at := begin.Add(time.Duration(i) * 30 * time.Second)
		hours := at.Sub(begin).Hours()
		all += 10
		fast += 10 - hours/10
		sum += 10 * (0.3 + hours/24)
		add(at, "up", 1)
		add(at, "vllm:num_requests_running", math.Round(4+hours), "model_name", "m")
		const ttft = "vllm:time_to_first_token_seconds"
		for le, v := range map[string]float64{"0.5": fast, "5.0": all, "+Inf": all} {
			add(at, ttft+"_bucket", v, "model_name", "m", "le", le)
		}
		add(at, ttft+"_sum", sum, "model_name", "m")
		add(at, ttft+"_count", all, "model_name", "m")
		end = at
	}
	st.Finish()
	path = filepath.Join(t.TempDir(), "two-days.om.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	if err := cmp.Or(recording.Write(z, st, nil), z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return path, end
}

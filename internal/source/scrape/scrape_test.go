package scrape_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=1.0.0; charset=utf-8")
		fmt.Fprint(w, s)
	}
}

// quick are options for a run of three scrapes.
func quick(urls ...string) scrape.Options {
	return scrape.Options{URLs: urls, Interval: 20 * time.Millisecond, Duration: 40 * time.Millisecond, Timeout: 500 * time.Millisecond, BodyLimit: 1 << 16}
}

func instance(t *testing.T, st *samples.Store, url string) *samples.Instance {
	t.Helper()
	for _, in := range st.Instances() {
		if strings.HasSuffix(url, in.Labels.Get("instance")) {
			return in
		}
	}
	t.Fatalf("no instance for %s", url)
	return nil
}

func TestAPageBecomesSeriesOfItsTarget(t *testing.T) {
	var n atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics" || !strings.Contains(r.Header.Get("Accept"), "application/openmetrics-text") {
			http.NotFound(w, r)
			return
		}
		text(fmt.Sprintf("# TYPE vllm:x_total counter\nvllm:x_total{engine=\"0\",job=\"inner\"} %d 99\nnan NaN\nup 0\n", n.Add(1)))(w, r)
	})
	st, faults, err := scrape.Run(t.Context(), quick(url))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	in := instance(t, st, url)
	if len(in.Scrapes) != 3 || in.Labels.Get("job") != "vllm" {
		t.Errorf("%d scrapes of %v", len(in.Scrapes), in.Labels)
	}
	s := in.Named("vllm:x_total")[0]
	if d := cmp.Diff(map[string]string{"engine": "0", "exported_job": "inner"}, s.Labels.Map()); d != "" {
		t.Error(d)
	}
	if len(s.Points) != 3 || s.Points[2].V != 3 || s.Points[0].T != in.Scrapes[0] {
		t.Errorf("got %v at %v: the page's own time is not to be used", s.Points, in.Scrapes)
	}
	if v := in.Named("nan")[0].Points[0].V; !math.IsNaN(v) {
		t.Errorf("NaN became %v", v)
	}
}

func TestTheJobIsGuessedFromThePage(t *testing.T) {
	for page, want := range map[string]string{
		"python_info 1\nvllm:a 1\n": "vllm", "vllm_a 1\n": "vllm", "DCGM_FI_DEV_GPU_UTIL 1\n": "dcgm",
		"node_load1 1\n": "node", "go_goroutines 1\n": "target", "node_load1 1\nvllm:a 1\n": "vllm",
	} {
		url := serve(t, text(page))
		st, _, err := scrape.Run(t.Context(), scrape.Options{URLs: []string{url}})
		if err != nil {
			t.Fatal(err)
		}
		if got := st.Instances()[0].Labels.Get("job"); got != want {
			t.Errorf("%q: got %s, want %s", page, got, want)
		}
	}
}

func TestLabelsTimestampsAndMetricsCanBeChosen(t *testing.T) {
	url := serve(t, text("a 1 5000\nb 1\n"))
	o := scrape.Options{URLs: []string{url}, HonorTimestamps: true, Keep: func(m string) bool { return m == "a" }}
	o.Name = func(string) (string, string) { return "mine", "box" }
	st, _, err := scrape.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	in := st.Instances()[0]
	if d := cmp.Diff([]string{"a", "up"}, in.Names()); d != "" || in.Labels.Get("job") != "mine" || in.Labels.Get("instance") != "box" {
		t.Errorf("got %v %s", in.Labels, d)
	}
	if in.Named("a")[0].Points[0].T != 5000 {
		t.Errorf("got %v", in.Named("a")[0].Points)
	}
}

func TestFormatsAndEncodings(t *testing.T) {
	packed := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			http.Error(w, "gzip only", http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		fmt.Fprint(z, "a 7\n")
		_ = z.Close()
	}
	openMetrics := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
		fmt.Fprint(w, "# TYPE a gauge\na 7\n# EOF\n")
	}
	untyped := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		fmt.Fprint(w, "a 7")
	}
	slash := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" {
			http.Redirect(w, r, "/metrics/", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprint(w, "a 7\n")
	}
	for name, h := range map[string]http.HandlerFunc{"gzip": packed, "OpenMetrics": openMetrics, "no type": untyped, "redirect to a slash": slash} {
		st, faults, err := scrape.Run(t.Context(), quick(serve(t, h)))
		if err != nil || len(faults) > 0 || st.Instances()[0].Named("a")[0].Points[0].V != 7 {
			t.Errorf("%s: %v, %v", name, faults, err)
		}
	}
}

func TestEveryBadPageIsAFailedScrapeWithItsReason(t *testing.T) {
	elsewhere := serve(t, text("a 99\n"))
	tests := []struct {
		name string
		in   http.HandlerFunc
		want string
	}{
		{"a login page", text("\n<!DOCTYPE html><html>"), "HTML page"},
		{"JSON", text(`{"detail": "Not Found"}`), "JSON"},
		{"nothing", text(""), "no samples"},
		{"comments alone", text("# TYPE a gauge\n"), "no samples"},
		{"prose", text("OK it works\n"), "parse the page"},
		{"a page that turns bad", text("a 1\nb 1\nc{ 1\n"), "parse the page"},
		{"too much", text(strings.Repeat("a 1\n", 1<<15)), "answer too large: more than 65536 bytes"},
		{"404", http.NotFound, "status 404 Not Found"},
		{"another host", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusFound)
		}, "redirect not followed: redirected to another host"},
		{"OpenMetrics cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/openmetrics-text")
			fmt.Fprint(w, "a 1\n")
		}, "# EOF"},
		{"a hang", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in time"},
		{"a trickle", func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				fmt.Fprint(w, "a 1\n")
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, "no answer in time"},
		{"an abort", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "a 1\n")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "answer broke off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			good := serve(t, text("a 1\n"))
			bad := serve(t, tt.in)
			o := quick(good, bad)
			o.Timeout = 150 * time.Millisecond
			o.Interval, o.Duration = 200*time.Millisecond, 400*time.Millisecond // a busy machine is late, but not by so much
			st, faults, err := scrape.Run(t.Context(), o)
			if err != nil || len(faults) != 1 || !strings.Contains(faults[0].Err, tt.want) {
				t.Fatalf("got %v, %v, want %q", faults, err, tt.want)
			}
			in := instance(t, st, bad)
			if len(in.Failed) == 0 || len(in.Scrapes) > 0 || len(in.Names()) != 1 {
				t.Errorf("failed %v, scraped %v, metrics %v", in.Failed, in.Scrapes, in.Names())
			}
			if in := instance(t, st, good); len(in.Scrapes) < 2 { // three, or one less on a busy machine
				t.Errorf("the good one has %d scrapes", len(in.Scrapes))
			}
		})
	}
}

func TestNothingReadableNamesEachURLAndNoSecret(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	host := strings.TrimPrefix(dead.URL, "http://")
	html := serve(t, text("<html>"))
	o := quick("http://me:TOPSECRET@"+host+"?token=TOPSECRET", html+"/page")
	o.Interval, o.Duration = 200*time.Millisecond, 400*time.Millisecond // a busy machine is late, but not by so much
	st, faults, err := scrape.Run(t.Context(), o)
	var nothing *scrape.NothingRead
	if !errors.As(err, &nothing) || len(faults) != 2 {
		t.Fatalf("got %v, %v", faults, err)
	}
	want := "nothing could be scraped:\n  " + dead.URL + "/metrics: connection refused\n  " + html + "/page: " + scrape.ErrHTML.Error()
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if in := instance(t, st, host); len(in.Failed) != 3 {
		t.Errorf("a refused connection is up = 0: %v", in.Failed)
	}
}

func TestAURLNeedsOnlyAHost(t *testing.T) {
	for in, want := range map[string]string{
		"localhost:8000": "http://localhost:8000/metrics", "10.0.0.1": "http://10.0.0.1/metrics", "http://h:1/": "http://h:1/metrics",
		"https://h": "https://h/metrics", "h:1/x": "http://h:1/x", "[::1]:8000": "http://[::1]:8000/metrics", "http://h/m?a=b": "http://h/m?a=b",
	} {
		if u, err := scrape.Normalize(in); err != nil || u.String() != want {
			t.Errorf("%s: got %v, %v", in, u, err)
		}
	}
	for _, in := range []string{"", "ftp://h", "http://", "http://u:TOPSECRET@h:port", "\x00"} {
		if u, err := scrape.Normalize(in); err == nil || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%q: got %v, %v", in, u, err)
		}
	}
}

func TestOneURLGivenTwiceIsScrapedOnceAndTwoPagesOfAServerStayApart(t *testing.T) {
	url := serve(t, text("a 1\n"))
	st, _, err := scrape.Run(t.Context(), scrape.Options{URLs: []string{url, url + "/metrics", url + "/gpu"}})
	if err != nil || len(st.Instances()) != 2 {
		t.Errorf("got %d instances, %v", len(st.Instances()), err)
	}
}

func TestWhatWasScrapedCanBeRecorded(t *testing.T) {
	f, err := os.Open("../../../corpus/base-c64/metrics.om.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := io.ReadAll(z)
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openmetrics-text; version=1.0.0")
		_, _ = w.Write(whole)
	})
	types := map[string]string{}
	st, _, err := scrape.Run(t.Context(), scrape.Options{URLs: []string{url}, HonorTimestamps: true, Type: func(f, k string) { types[f] = k }})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "r.om")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(recording.Write(out, st, types), out.Close()); err != nil {
		t.Fatal(err)
	}
	again, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := st.Instances()[0], again.Instances()[0]
	if d := cmp.Diff(a.Names(), b.Names()); d != "" {
		t.Error(d)
	}
	for _, name := range a.Names() {
		if len(a.Named(name)) != len(b.Named(name)) {
			t.Errorf("%s: %d series, then %d", name, len(a.Named(name)), len(b.Named(name)))
		}
	}
}

package promapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
)

var at = time.Unix(1000, 0)

const (
	matrix = `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","job":"j","instance":"i"},"values":[[990,"1"],[995.5,"NaN"],[1000,"+Inf"]]}]}}`
	none   = `{"status":"success","data":{"resultType":"matrix","result":[]}}`
)

// fake answers every query by a function of the query; "" means an empty matrix.
func fake(t *testing.T, answer func(w http.ResponseWriter, query string) string) promapi.Options {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/prefix/api/v1/query" {
			http.NotFound(w, r)
			return
		}
		text := answer(w, r.FormValue("query"))
		if text == "" {
			text = none
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return promapi.Options{URL: s.URL + "/prefix/", Timeout: 300 * time.Millisecond, BodyLimit: 1 << 20}
}

func selection(names ...string) promapi.Selection {
	return promapi.Selection{At: at, Window: 5 * time.Minute, Names: names}
}

func TestRawSamplesArriveAsTheyAre(t *testing.T) {
	o := fake(t, func(_ http.ResponseWriter, q string) string {
		if q == `{__name__=~"a|b\\.c"}[300s]` {
			return matrix
		}
		return ""
	})
	st, faults, err := promapi.Fetch(t.Context(), o, selection("b.c", "a", "a"))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	got := st.Instances()[0].Named("a")[0].Points
	if len(got) != 3 || got[0] != (samples.Point{T: 990000, V: 1}) || got[1].T != 995500 || !math.IsNaN(got[1].V) || !math.IsInf(got[2].V, 1) {
		t.Errorf("got %v", got)
	}
}

func TestAFailedQueryIsAFaultAndTheRestStands(t *testing.T) {
	cut := matrix[:len(matrix)/2]
	tests := []struct {
		name   string
		answer func(http.ResponseWriter) string
		want   string
	}{
		{"a login page", say("<html>login</html>"), "an HTML page instead of data"},
		{"JSON cut off", say(cut), "not what the query API gives"},
		{"other JSON", say(`{"hello":"world"}`), "asked for a matrix, got nothing"},
		{"a list", say(`[]`), "not what the query API gives"},
		{"plain text", say("OK"), "not what the query API gives"},
		{"an empty answer", say(" "), "not what the query API gives"},
		{"a vector", say(`{"status":"success","data":{"resultType":"vector","result":[]}}`), "asked for a matrix, got a vector"},
		{"a scalar", say(`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`), "asked for a matrix, got a scalar"},
		{"a string", say(`{"status":"success","data":{"resultType":"string","result":[1,"1"]}}`), `unexpected value type "string"`},
		{"an error with 200", say(`{"status":"error","errorType":"execution","error":"boom"}`), "query refused (execution): boom"},
		{"400", status(400, `{"status":"error","errorType":"bad_data","error":"parse error"}`), "query refused (bad_data): parse error"},
		{"401", status(401, "who are you"), "status 401 Unauthorized: who are you"},
		{"403", status(403, "not yours"), "status 403 Forbidden: not yours"},
		{"500", status(500, "<html>oops"), "status 500 Internal Server Error"},
		{"503", status(503, `{"status":"error","errorType":"timeout","error":"query timed out"}`), "query timed out"},
		{"a 1 GB answer", func(w http.ResponseWriter) string {
			_, _ = io.CopyN(w, spaces{}, 1<<30)
			return ""
		}, "answer too large"},
		{"a hang", func(http.ResponseWriter) string { time.Sleep(600 * time.Millisecond); return "" }, "no answer in time"},
		{"another host", func(w http.ResponseWriter) string {
			w.Header().Set("Location", "http://elsewhere.invalid/api/v1/query")
			w.WriteHeader(http.StatusTemporaryRedirect)
			return " "
		}, "redirect not followed: redirected to another host"},
		{"a login redirect", func(w http.ResponseWriter) string {
			w.Header().Set("Location", "/login")
			w.WriteHeader(http.StatusFound)
			return " "
		}, "redirect not followed"},
		{"a series twice", say(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"b"},"values":[[990,"1"]]},{"metric":{"__name__":"b"},"values":[[990,"2"]]}]}}`), "holds a series twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := fake(t, func(w http.ResponseWriter, q string) string {
				if strings.Contains(q, "zz") {
					return tt.answer(w)
				}
				if strings.Contains(q, "up") {
					return ""
				}
				return matrix
			})
			names := []string{"zz"} // sorted last, so in the second query
			for i := range 30 {
				names = append(names, fmt.Sprintf("a%02d", i))
			}
			st, faults, err := promapi.Fetch(t.Context(), o, selection(names...))
			if err != nil || len(st.Instances()) != 1 || len(st.Instances()[0].Named("b")) > 0 {
				t.Fatalf("%v, %v", err, faults)
			}
			if len(faults) != 1 || !strings.Contains(faults[0].Err, tt.want) || !strings.Contains(faults[0].Source, "(zz)") {
				t.Errorf("got %v, want %q", faults, tt.want)
			}
			if _, _, err := promapi.Fetch(t.Context(), o, selection("zz")); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("with nothing else it is an error: got %v", err)
			}
		})
	}
}

func say(text string) func(http.ResponseWriter) string {
	return func(http.ResponseWriter) string { return text }
}

func status(code int, text string) func(http.ResponseWriter) string {
	return func(w http.ResponseWriter) string {
		w.WriteHeader(code)
		return text
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestWarningsArePartialData(t *testing.T) {
	o := fake(t, func(_ http.ResponseWriter, _ string) string {
		return strings.Replace(matrix, `"status":"success"`, `"status":"success","warnings":["store gw-1 is away"]`, 1)
	})
	_, faults, err := promapi.Fetch(t.Context(), o, selection("a"))
	if err != nil || len(faults) != 1 || faults[0].Err != "partial data: store gw-1 is away" {
		t.Errorf("got %v, %v", faults, err)
	}
}

func TestNoSeriesIsNoError(t *testing.T) {
	o := fake(t, func(http.ResponseWriter, string) string { return "" })
	st, faults, err := promapi.Fetch(t.Context(), o, selection("a"))
	if err != nil || len(faults) > 0 || len(st.Instances()) > 0 {
		t.Errorf("got %v, %v, %v", st, faults, err)
	}
}

func TestABusyServerIsAskedAgainWhenItSaysSo(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		var n atomic.Int64
		o := fake(t, func(w http.ResponseWriter, q string) string {
			if strings.Contains(q, `"a"`) && n.Add(1) < 3 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(code)
			}
			return matrix
		})
		st, faults, err := promapi.Fetch(t.Context(), o, selection("a"))
		if err != nil || len(faults) > 0 || len(st.Instances()) != 1 || n.Load() != 3 {
			t.Errorf("%d: %v, %v after %d", code, faults, err, n.Load())
		}
	}
}

func TestAWaitBeyondTheContextIsNotBegun(t *testing.T) {
	var n atomic.Int64
	o := fake(t, func(w http.ResponseWriter, _ string) string {
		n.Add(1)
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusTooManyRequests)
		return " "
	})
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	begin := time.Now()
	_, _, err := promapi.Fetch(ctx, o, selection("a"))
	if err == nil || !strings.Contains(err.Error(), "429") || time.Since(begin) > 3*time.Second || n.Load() != 1 {
		t.Errorf("%v after %s and %d queries", err, time.Since(begin), n.Load())
	}
}

func TestCancellingEndsTheFetch(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	o := fake(t, func(http.ResponseWriter, string) string {
		stop()
		time.Sleep(50 * time.Millisecond)
		return matrix
	})
	if st, _, err := promapi.Fetch(ctx, o, selection("a")); !errors.Is(err, context.Canceled) || st != nil {
		t.Errorf("got %v, %v", st, err)
	}
}

// asked records queries and how many were under way at once.
type asked struct {
	mu        sync.Mutex
	queries   []string
	now, most int
}

func (a *asked) query(q string) {
	a.mu.Lock()
	a.queries = append(a.queries, q)
	a.now++
	a.most = max(a.most, a.now)
	a.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	a.mu.Lock()
	a.now--
	a.mu.Unlock()
}

func TestLongWindowsAndManyNamesAreCut(t *testing.T) {
	var a asked
	o := fake(t, func(_ http.ResponseWriter, q string) string { a.query(q); return "" })
	o.Concurrency = 2
	var names []string
	for i := range 70 {
		names = append(names, fmt.Sprintf("m%d", i))
	}
	sel := selection(names...)
	sel.Window = 2*time.Hour + 30*time.Minute
	if _, _, err := promapi.Fetch(t.Context(), o, sel); err != nil {
		t.Fatal(err)
	}
	if len(a.queries) != 9 || a.most != 2 {
		t.Errorf("%d queries, %d at once", len(a.queries), a.most)
	}
}

func TestChunksDoNotOverlapAtTheirEdges(t *testing.T) {
	// A server older than Prometheus 3 includes the left edge of a range.
	o := fake(t, func(_ http.ResponseWriter, q string) string {
		if strings.Contains(q, "up") {
			return ""
		}
		return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a"},"values":[[-6200,"0"],[-2600,"1"],[1000,"2"]]}]}}`
	})
	sel := selection("a")
	sel.Window = 2 * time.Hour
	st, _, err := promapi.Fetch(t.Context(), o, sel)
	if err != nil {
		t.Fatal(err)
	}
	want := []samples.Point{{T: -2600000, V: 1}, {T: 1000000, V: 2}}
	if d := cmp.Diff(want, st.Instances()[0].Named("a")[0].Points); d != "" {
		t.Error(d)
	}
}

func TestAnAnswerBeyondTheLimitIsReadInHalves(t *testing.T) {
	o := fake(t, func(w http.ResponseWriter, q string) string {
		if strings.Contains(q, "a|b") {
			_, _ = io.CopyN(w, spaces{}, 2<<20)
		}
		return matrix
	})
	st, faults, err := promapi.Fetch(t.Context(), o, selection("a", "b"))
	if err != nil || len(faults) > 0 || len(st.Instances()) != 1 {
		t.Errorf("got %v, %v", faults, err)
	}
}

func TestUpIsReadForTheJobsFoundAndForThoseThatAreDown(t *testing.T) {
	var a asked
	o := fake(t, func(_ http.ResponseWriter, q string) string {
		a.query(q)
		switch {
		case strings.HasPrefix(q, `{__name__="up",job=~"j"}`):
			return `{"status":"success","data":{"resultType":"matrix","result":[
				{"metric":{"__name__":"up","job":"j","instance":"i"},"values":[[990,"1"],[1000,"1"]]},
				{"metric":{"__name__":"up","job":"j","instance":"of another model"},"values":[[990,"1"]]}]}}`
		case strings.HasPrefix(q, `{__name__="up",job=~"j",`):
			return ""
		}
		return matrix
	})
	sel := selection("a")
	sel.Matchers = []string{`model_name="m"`}
	st, _, err := promapi.Fetch(t.Context(), o, sel)
	if err != nil || len(st.Instances()) != 1 || len(st.Instances()[0].Scrapes) != 2 {
		t.Errorf("%v; %q", err, a.queries)
	}

	sel.Matchers = nil
	if st, _, err = promapi.Fetch(t.Context(), o, sel); err != nil || len(st.Instances()) != 2 {
		t.Errorf("%v; %q", err, a.queries)
	}

	down := fake(t, func(_ http.ResponseWriter, q string) string {
		if q == `{__name__="up",job="gone"}[300s]` {
			return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up","job":"gone","instance":"i"},"values":[[990,"0"]]}]}}`
		}
		return ""
	})
	sel.Matchers = []string{`job="gone"`}
	if st, _, err = promapi.Fetch(t.Context(), down, sel); err != nil || len(st.Instances()) != 1 || len(st.Instances()[0].Failed) != 1 {
		t.Errorf("a server that is down is not seen: %v", err)
	}
}

func TestTenantAndOffsetAreSent(t *testing.T) {
	var times []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		times = append(times, r.FormValue("time")+" "+r.Header.Get("X-Scope-OrgID")+" "+r.Method)
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		fmt.Fprint(w, none)
	}))
	defer s.Close()
	o := promapi.Options{URL: s.URL + "/api/v1", Offset: 30 * time.Second}
	o.Headers = map[string]string{"X-Scope-OrgID": "gpu"}
	if _, _, err := promapi.Fetch(t.Context(), o, selection("a")); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"970 gpu POST", "970 gpu GET"}, times); d != "" {
		t.Error(d)
	}
}

func TestDiscoverListsIdentities(t *testing.T) {
	o := fake(t, func(_ http.ResponseWriter, q string) string {
		if q != `count by (namespace, pod) ({__name__=~"a|b"})` {
			t.Errorf("asked %s", q)
		}
		return `{"status":"success","data":{"resultType":"vector","result":[
			{"metric":{"namespace":"n","pod":"q"},"value":[1000,"3"]},{"metric":{"namespace":"n","pod":"p"},"value":[1000,"3"]},{"metric":{},"value":[1000,"3"]}]}}`
	})
	got, err := promapi.Discover(t.Context(), o, at, []string{"a", "b"}, "namespace", "pod")
	text, _ := json.Marshal(got)
	want := `[[{"Name":"namespace","Value":"n"},{"Name":"pod","Value":"p"}],[{"Name":"namespace","Value":"n"},{"Name":"pod","Value":"q"}]]`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	o = fake(t, func(http.ResponseWriter, string) string { return matrix })
	if _, err := promapi.Discover(t.Context(), o, at, []string{"a"}); err == nil || !strings.Contains(err.Error(), "asked for a vector") {
		t.Errorf("got %v", err)
	}
}

func TestABadAddressIsSaidWithoutItsPassword(t *testing.T) {
	for _, url := range []string{"", "ftp://u:TOPSECRET@h", "http://u:TOP/SECRET@h", "http://"} {
		if _, _, err := promapi.Fetch(t.Context(), promapi.Options{URL: url}, selection("a")); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

package faults_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
)

// answering is a Prometheus that says the same to every query.
func answering(t *testing.T, answer http.HandlerFunc) promapi.Options {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return promapi.Options{URL: s.URL, Timeout: 300 * time.Millisecond, BodyLimit: 4 << 20}
}

func fetch(t *testing.T, o promapi.Options) (*samples.Store, []model.Fault, error) {
	t.Helper()
	names := []string{"vllm:num_requests_running", "vllm:num_requests_waiting"}
	return promapi.Fetch(t.Context(), o, promapi.Selection{At: end, Window: 5 * time.Minute, Names: names})
}

// matrix is an answer with the samples of a server, 15 s apart up to a time.
func matrix(last time.Time, value string, labels ...string) string {
	var points []string
	for i := scrapes - 1; i >= 0; i-- {
		points = append(points, fmt.Sprintf(`[%d,%q]`, last.Add(-time.Duration(i)*interval).Unix(), value))
	}
	var series []string
	for _, name := range []string{"up", "vllm:num_requests_running", "vllm:num_requests_waiting"} {
		for _, l := range append(labels, "") {
			series = append(series, fmt.Sprintf(`{"metric":{"__name__":%q,"job":"vllm","instance":"a:8000"%s},"values":[%s]}`, name, l, strings.Join(points, ",")))
		}
	}
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// nothingRead asks a source that gives nothing good, and requires an error that says why; what was known
// before is then held by who asked, see Fault22.
func nothingRead(t *testing.T, what string, o promapi.Options, want string) {
	t.Helper()
	st, faults, err := fetch(t, o)
	if err == nil || st != nil || !strings.Contains(err.Error(), want) || len(faults) == 0 {
		t.Errorf("%s: %v, %v, want an error that says %q", what, err, faults, want)
	}
}

func TestFault15APrometheusThatIsDownOrHangsIsAnErrorAndNoAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	_ = l.Close()
	nothingRead(t, "down", promapi.Options{URL: "http://" + gone}, "connection refused")
	nothingRead(t, "hanging", answering(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(2 * time.Second):
		}
	}), "no answer in time")
	nothingRead(t, "failing", answering(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }), "500")
	// What fired before goes on firing over the failure, and once the data is back.
	st := read(t, om(map[string]page{one: queueing()}, 2*scrapes, interval))
	j := from(t, st)
	if got := j.look(samples.NewStore(), end.Add(time.Minute), "requests-queueing"); got != "held" {
		t.Errorf("while the source is away: %s", got)
	}
	if got := j.look(st, end.Add(2*time.Minute), "requests-queueing"); got != string(model.Firing) {
		t.Errorf("when it is back: %s", got)
	}
}

func TestFault16ALoginPageIsNoData(t *testing.T) {
	nothingRead(t, "HTML", answering(t, say("<!doctype html><title>Sign in</title>")), "an HTML page instead of data")
}

func TestFault17TruncatedJSONIsNoData(t *testing.T) {
	whole := matrix(end, "4")
	for _, n := range []int{1, 40, len(whole) / 2, len(whole) - 1} {
		nothingRead(t, fmt.Sprint(n, " bytes"), answering(t, say(whole[:n])), "not what the query API gives")
	}
}

func TestFault18AnotherTypeOfResultIsAnError(t *testing.T) {
	for kind, result := range map[string]string{
		"vector": `[{"metric":{"__name__":"vllm:num_requests_waiting","job":"vllm","instance":"a:8000"},"value":[1,"40"]}]`, "scalar": `[1,"40"]`, "string": `[1,"40"]`,
	} {
		nothingRead(t, kind, answering(t, say(`{"status":"success","data":{"resultType":"`+kind+`","result":`+result+`}}`)), kind)
	}
}

func TestFault19AnAnswerWithoutEndIsCutOff(t *testing.T) {
	var sent atomic.Int64
	o := answering(t, func(w http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat(" ", 64<<10))
		for {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	o.Timeout, o.Concurrency = 20*time.Second, 1
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	nothingRead(t, "without end", o, "answer too large")
	runtime.ReadMemStats(&after)
	if grown := after.HeapSys - before.HeapSys; after.HeapSys > before.HeapSys && grown > 96<<20 {
		t.Errorf("the heap grew by %d MiB for a limit of 4", grown>>20)
	}
	if n := sent.Load(); n > 400<<20 {
		t.Errorf("%d MiB were taken", n>>20)
	}
}

func TestFault23AnOldSampleOfABackendIsNotTakenForFresh(t *testing.T) {
	st, _, err := fetch(t, answering(t, say(matrix(end.Add(-24*time.Hour), "40"))))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range builtin(t).Diagnose(st, at(end)).Targets {
		if symptoms(d) != "" || d.Status == model.Healthy {
			t.Errorf("%s, %q", d.Status, symptoms(d))
		}
	}
}

func TestFault24AClockThatIsOffIsSaid(t *testing.T) {
	for _, tc := range []struct {
		off  time.Duration
		ago  time.Duration
		want string
	}{
		{0, 0, ""},
		{20 * time.Second, 0, ""},
		{-90 * time.Second, 0, "behind this machine's: samples of the last moments are missing"},
		{time.Hour, 0, "ahead of this machine's: its newest samples are not looked at"},
		{time.Hour, 24 * time.Hour, ""},
	} {
		o := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(tc.off).UTC().Format(http.TimeFormat))
			_, _ = io.WriteString(w, matrix(end, "4"))
		})
		_, faults, err := promapi.Fetch(t.Context(), o, promapi.Selection{At: time.Now().Add(-tc.ago), Window: 5 * time.Minute, Names: []string{"up"}})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprint(faults); (len(faults) > 0) != (tc.want != "") || !strings.Contains(text, tc.want) {
			t.Errorf("off by %s, asked for %s ago: %s", tc.off, tc.ago, text)
		}
	}
}

func TestFault25ASeriesTwiceIsAnErrorAndNothingOfItIsTaken(t *testing.T) {
	// The second one stands after many good ones: none of them may be half taken over.
	nothingRead(t, "the same labels twice", answering(t, say(matrix(end, "4", `,"a":"1"`, ""))), "holds a series twice")
}

func TestFault26APartialAnswerIsMarked(t *testing.T) {
	text := strings.Replace(matrix(end, "4"), `"status":"success"`, `"status":"success","warnings":["store gw-1 is away"]`, 1)
	st, faults, err := fetch(t, answering(t, say(text)))
	if err != nil || len(faults) == 0 {
		t.Fatal(err, faults)
	}
	r := at(end)
	r.Faults = faults
	report := builtin(t).Diagnose(st, r)
	if !report.Partial || !strings.Contains(strings.Join(report.Faults, " "), "partial data: store gw-1 is away") {
		t.Errorf("partial %t, %q", report.Partial, report.Faults)
	}
}

func TestFault27ARedirectToAnotherHostIsNotFollowed(t *testing.T) {
	var asked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = io.WriteString(w, matrix(end, "99"))
	}))
	defer other.Close()
	elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	for _, code := range []int{http.StatusFound, http.StatusTemporaryRedirect} {
		nothingRead(t, fmt.Sprint(code), answering(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere+r.URL.Path, code)
		}), "redirect not followed")
	}
	if asked.Load() > 0 {
		t.Errorf("the other host was asked %d times", asked.Load())
	}
}

func TestFault28ABusyPrometheusIsWaitedForAsLongAsItSays(t *testing.T) {
	for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		begin := time.Now()
		var first atomic.Int64
		var early atomic.Int32
		o := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			since := time.Since(begin)
			switch {
			case first.CompareAndSwap(0, int64(since)):
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(code)
			case since-time.Duration(first.Load()) < 900*time.Millisecond:
				early.Add(1)
				w.WriteHeader(code)
			default:
				_, _ = io.WriteString(w, matrix(end, "4"))
			}
		})
		o.Concurrency = 1
		st, faults, err := fetch(t, o)
		if err != nil || len(faults) > 0 || early.Load() > 0 || len(st.Instances()) != 1 {
			t.Errorf("%d: %v, %v, %d asked before it was time", code, err, faults, early.Load())
		}
	}
}

func TestFault34AHundredThousandSeriesAreALimitAndAFault(t *testing.T) {
	var served atomic.Int64
	o := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.FormValue("query"), "num_requests_waiting") {
			_, _ = io.WriteString(w, matrix(end, "4"))
			return
		}
		_, _ = io.WriteString(w, `{"status":"success","data":{"resultType":"matrix","result":[`)
		for i := range 100_000 {
			n, err := fmt.Fprintf(w, `{"metric":{"__name__":"vllm:num_requests_waiting","job":"vllm","instance":"%d:8000"},"values":[[%d,"1"]]},`, i, end.Unix())
			served.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	o.Timeout = 20 * time.Second
	st, faults, err := fetch(t, o)
	text := fmt.Sprint(faults)
	if !strings.Contains(text, "more than 4 MiB") {
		t.Errorf("the limit is said: %v, %v", faults, err)
	}
	if err == nil && len(st.Instances()) > 1 {
		t.Errorf("%d instances of an answer beyond the limit", len(st.Instances()))
	}
	if served.Load() > 300<<20 {
		t.Errorf("%d MiB were read", served.Load()>>20)
	}
}

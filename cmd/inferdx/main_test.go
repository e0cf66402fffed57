package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"inferdx": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "samples": expand, "pack": pack, "gone": gone,
		},
		Setup: func(e *testscript.Env) error {
			s := httptest.NewServer(pages())
			e.Defer(s.Close)
			closed, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			e.Setenv("SERVER", strings.TrimPrefix(s.URL, "http://"))
			e.Setenv("REFUSED", closed.Addr().String())
			return closed.Close()
		},
	})
}

// exits runs a command and checks its exit status: exits 3 inferdx diagnose ...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		got = -1
		var code interface{ ExitCode() int }
		if as(err, &code) {
			got = code.ExitCode()
		}
	}
	if fmt.Sprint(got) != args[0] {
		ts.Fatalf("exit status %d, want %s", got, args[0])
	}
}

func as(err error, into *interface{ ExitCode() int }) bool {
	code, ok := err.(interface{ ExitCode() int }) //nolint:errorlint // what exec returns is not wrapped
	*into = code
	return ok
}

// expand writes a recording: samples OUT N EVERY IN. A line of IN is a series of one server and how it
// goes: `running 8`, `tokens_total 0+100`.
func expand(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	every, err := time.ParseDuration(args[2])
	ts.Check(err)
	var b strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[3])) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		name, labels, _ := strings.Cut(name, "{")
		if labels == "" {
			labels = `instance="a:8000",job="vllm"}`
		}
		from, step, _ := strings.Cut(value, "+")
		at, err := strconv.ParseFloat(from, 64)
		ts.Check(err)
		by, _ := strconv.ParseFloat("0"+step, 64)
		for i := range n {
			fmt.Fprintf(&b, "%s{%s %g %.3f\n", name, labels, at+by*float64(i), 1.8e9+every.Seconds()*float64(i))
		}
	}
	b.WriteString("# EOF\n")
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o600))
}

// pack packs a file with gzip: pack IN OUT.
func pack(ts *testscript.TestScript, _ bool, args []string) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(z.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b.Bytes(), 0o600))
}

// gone checks that no file matches in the folder.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), args[0]) {
			ts.Fatalf("%s is there", e.Name())
		}
	}
}

// pages is a server with one page for everything that can come over HTTP.
func pages() http.Handler {
	var n atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, vllmPage(n.Add(1), 0)) })
	mux.HandleFunc("/busy/metrics", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, vllmPage(n.Add(1), 40)) })
	mux.HandleFunc("/guarded", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-Scope-OrgID") != "gpu" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, vllmPage(n.Add(1), 0))
	})
	mux.HandleFunc("/busy/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"version":"0.32.0"}`) })
	mux.HandleFunc("/busy/server_info", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"vllm_config":{"scheduler_config":{"max_num_seqs":8}}}`)
	})
	mux.HandleFunc("/node", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "node_load1 1\n") })
	mux.HandleFunc("/html", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!doctype html><title>login</title>") })
	mux.HandleFunc("/empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/big", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("a 1\n", 1<<16)) })
	mux.HandleFunc("/nan", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "vllm:num_requests_running NaN\nvllm:num_requests_waiting NaN\n")
	})
	mux.HandleFunc("/foreignprom/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		if strings.HasPrefix(query, "count by (job, instance)") || resultType(query) == "matrix" {
			fmt.Fprint(w, answer(query, r.FormValue("time"), "nobody"))
			return
		}
		fmt.Fprint(w, answer(query, r.FormValue("time"), "gpu"))
	})
	mux.HandleFunc("/prom/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, answer(r.FormValue("query"), r.FormValue("time"), r.Header.Get("X-Scope-OrgID")))
	})
	return mux
}

// vllmPage is a page of vLLM that serves: counters grow with each scrape.
func vllmPage(n int64, waiting int) string {
	return fmt.Sprintf(`# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="m"} 8
vllm:num_requests_waiting{model_name="m"} %d
vllm:kv_cache_usage_perc{model_name="m"} 0.01
vllm:num_preemptions_total{model_name="m"} 0
vllm:generation_tokens_total{model_name="m"} %d
vllm:prompt_tokens_total{model_name="m"} %d
vllm:request_success_total{model_name="m",finished_reason="stop"} %d
vllm:time_to_first_token_seconds_bucket{model_name="m",le="0.1"} %d
vllm:time_to_first_token_seconds_bucket{model_name="m",le="+Inf"} %d
vllm:time_to_first_token_seconds_count{model_name="m"} %d
vllm:time_to_first_token_seconds_sum{model_name="m"} %d
`, waiting, 100*n, 200*n, n, n, n, n, n/20)
}

// answer is what a Prometheus says to a tenant that is known.
func answer(query, at, tenant string) string {
	end, err := strconv.ParseFloat(at, 64)
	if err != nil || tenant != "gpu" {
		return `{"status":"success","data":{"resultType":"` + resultType(query) + `","result":[]}}`
	}
	if by, ok := strings.CutPrefix(query, "count by ("); ok { // which jobs, which engines
		labels := map[string]string{"job": "node"}
		if !strings.HasPrefix(by, "job) ") {
			labels = map[string]string{"job": "vllm", "instance": "p:8000"}
		}
		metric, _ := json.Marshal(labels)
		return fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":%s,"value":[%.3f,"1"]}]}}`, metric, end)
	}
	if strings.Contains(query, `namespace="`) { // what --match asks for here is never there
		return `{"status":"success","data":{"resultType":"matrix","result":[]}}`
	}
	var series []string
	for _, m := range []struct {
		name string
		v    float64
		by   float64
	}{
		{"vllm:num_requests_running", 8, 0}, {"vllm:num_requests_waiting", 40, 0}, {"vllm:generation_tokens_total", 0, 100}, {"up", 1, 0},
	} {
		if !strings.Contains(query, m.name) {
			continue
		}
		var points []string
		for i := range 20 {
			points = append(points, fmt.Sprintf(`[%.3f,"%g"]`, end-float64(19-i)*15, m.v+m.by*float64(i)))
		}
		series = append(series, fmt.Sprintf(`{"metric":{"__name__":%q,"job":"vllm","instance":"p:8000"},"values":[%s]}`, m.name, strings.Join(points, ",")))
	}
	return `{"status":"success","data":{"resultType":"matrix","result":[` + strings.Join(series, ",") + `]}}`
}

func resultType(query string) string {
	if strings.HasPrefix(query, "count by") {
		return "vector"
	}
	return "matrix"
}

package bench_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/packed"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func artefacts(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.gz")
	paths = slices.DeleteFunc(paths, func(p string) bool { return strings.HasSuffix(p, ".om.gz") })
	if err != nil || len(paths) < 10 {
		t.Fatalf("artefacts: %v, %v", paths, err)
	}
	return paths
}

func open(t testing.TB, name string) *bench.File {
	t.Helper()
	f, err := bench.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRealResultsReadAsTheyDid(t *testing.T) {
	for _, path := range artefacts(t) {
		f, err := bench.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := f.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(path, ".gz") + ".txt"
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestEveryRealResultIsRecognisedByItsBeginning(t *testing.T) {
	for _, path := range artefacts(t) {
		head, err := packed.Head(path, 64<<10)
		if err != nil {
			t.Fatal(err)
		}
		if !bench.Recognise(head) {
			t.Errorf("%s is not recognised", path)
		}
	}
	for _, other := range []string{`{"traceEvents": []}`, `{"resourceSpans":[]}`, "ID,Process ID,Kernel Name", "# TYPE vllm:num_requests_running gauge", ""} {
		if bench.Recognise([]byte(other)) {
			t.Errorf("%q is taken for a benchmark", other)
		}
	}
}

func TestTheSameRunReadsTheSameInEveryForm(t *testing.T) {
	js, yml := open(t, "guidellm-0.8.1.json.gz"), open(t, "guidellm-0.8.1.yaml.gz")
	if diff := cmp.Diff(js.Runs, yml.Runs); diff != "" {
		t.Errorf("GuideLLM's JSON and YAML differ:\n%s", diff)
	}
	sum, single := open(t, "aiperf.json.gz").Runs[0], open(t, "aiperf-requests.jsonl.gz").Runs[0]
	near := func(name string, a, b *float64) {
		if a == nil || b == nil || *a/(*b) > 1.01 || *b/(*a) > 1.01 {
			t.Errorf("AIPerf's summary and its single requests differ in %s: %v, %v", name, a, b)
		}
	}
	near("TTFT mean", sum.TTFT.Mean, single.TTFT.Mean)
	near("TTFT P90", sum.TTFT.P90, single.TTFT.P90)
	near("TPOT P50", sum.TPOT.P50, single.TPOT.P50)
	near("E2E mean", sum.E2E.Mean, single.E2E.Mean)
	near("rate", sum.RequestsS, single.RequestsS)
	near("in flight", sum.InFlight, single.InFlight)
}

func TestSingleRequestsAgreeWithTheSummaryOfTheirFile(t *testing.T) {
	for _, name := range []string{"vllm-sharegpt-detailed.json.gz", "sglang.jsonl.gz", "guidellm-0.3.1.json.gz", "guidellm-0.8.1.json.gz"} {
		r := open(t, name).Runs[0]
		if r.Requests.Len() != int(*r.Completed) {
			t.Errorf("%s: %d single requests of %g", name, r.Requests.Len(), *r.Completed)
		}
		for what, x := range map[string]struct {
			all  []float64
			mean *float64
		}{"ttft": {r.Requests.TTFT, r.TTFT.Mean}, "e2e": {r.Requests.E2E, r.E2E.Mean}, "tpot": {r.Requests.TPOT, r.TPOT.Mean}} {
			sum := 0.0
			for _, v := range x.all {
				sum += v
			}
			// SGLang's details leave out the time from the last token to the end of the stream.
			if got := sum / float64(len(x.all)); got/(*x.mean) > 1.01 || got/(*x.mean) < 0.95 {
				t.Errorf("%s: %s of single requests %g, of the summary %g", name, what, got, *x.mean)
			}
		}
	}
}

// Fields of releases that could not be run, from their sources.
func TestOlderAndOtherForms(t *testing.T) {
	for name, x := range map[string]struct{ in, want string }{
		"vLLM 0.6, rate and goodput key of then, P99 alone": {
			`{"date": "20241103-101500", "backend": "vllm", "model_id": "m", "tokenizer_id": "m", "best_of": 1, "num_prompts": 200, "request_rate": "inf",
			"duration": 60.0, "completed": 190, "total_input_tokens": 38000, "total_output_tokens": 19000, "request_throughput": 3.17, "request_goodput:": 2.5,
			"output_throughput": 316.7, "total_token_throughput": 950, "mean_ttft_ms": 900.0, "median_ttft_ms": 800.0, "std_ttft_ms": 1, "p99_ttft_ms": 4000.0,
			"mean_tpot_ms": 30, "median_tpot_ms": 29, "p99_tpot_ms": 55}`,
			"10 of 200 requests failed|all at once|2.5 requests/s within the objectives|0.90 s    0.80 s         -         -     4.0 s|12 in flight on average (rate x (TTFT + TPOT x (n - 1)), an estimate)",
		},
		"vLLM with --metadata and a file of several runs": {
			`{"date": "20260103-101500", "dataset_name": "/data/ShareGPT_V3_unfiltered_cleaned_split.json", "model_id": "m", "request_rate": 2.0, "burstiness": 0.5, "max_concurrency": null, "duration": 60, "completed": 120, "failed": 0, "request_throughput": 2.0}
{"date": "20260103-102500", "model_id": "m", "request_rate": 8.0, "max_concurrency": null, "duration": 60, "completed": 240, "failed": 0, "request_throughput": 4.0, "mean_ttft_ms": NaN}`,
			"#1 · m · ShareGPT|#2 · m|8 requests/s asked, 4 requests/s answered: what is beyond them piled up",
		},
		"a run without an answer": {
			`{"model_id": "m", "request_rate": 2.0, "duration": 60, "completed": 0, "failed": 120, "request_throughput": 0.0, "mean_ttft_ms": 0.0, "median_ttft_ms": 0.0}`,
			"no request was answered: 120 failed",
		},
		"SGLang without a limit": {
			`{"backend": "sglang", "dataset_name": "generated-shared-prefix", "request_rate": Infinity, "max_concurrency": null, "duration": 10, "completed": 100, "request_throughput": 10.0, "mean_e2e_latency_ms": 2000, "median_e2e_latency_ms": 1900, "p99_e2e_latency_ms": 4000, "concurrency": 20.0}`,
			"shared prefixes|all at once|20 in flight on average (measured)|2.0 s     1.9 s         -         -     4.0 s",
		},
		"inference-perf, a stage": {
			`{"benchmark_time_seconds": 61.2, "load_summary": {"count": 600, "schedule_delay": {"mean": 0.001}, "send_duration": 59.7, "requested_rate": 30.0, "achieved_rate": 10.1},
			"successes": {"count": 594, "latency": {"request_latency": {"mean": 3.0, "median": 3.7, "p90": 4.0, "p95": 4.3, "p99": 4.4}, "normalized_time_per_output_token": {"mean": 0.05},
			"time_per_output_token": {"mean": 0.011, "median": 0.012, "p90": 0.0129, "p99": 0.013}, "time_to_first_token": {"mean": 1.5, "median": 2.1, "p99": 2.7}, "inter_token_latency": {"mean": 0.011, "p99": 0.075}},
			"throughput": {"input_tokens_per_sec": 1950, "output_tokens_per_sec": 610, "total_tokens_per_sec": 2560, "requests_per_sec": 9.7}, "prompt_len": {"mean": 200.9}, "output_len": {"mean": 62.8},
			"goodput_metrics": {"request_goodput": 7.5}}, "failures": {"count": 6, "request_latency": null}}`,
			"inference-perf|6 of 600 requests failed|30 requests/s asked for|201 in a prompt|63 in an answer|1.5 s     2.1 s         -         -     2.7 s|7.5 requests/s within the objectives",
		},
		"inference-perf 0.1, all stages": {
			`{"load_summary": {"count": 470}, "successes": {"count": 470, "latency": {"request_latency": {"mean": 3.0, "p50": 3.7}}, "throughput": {"requests_per_sec": 7.4}}, "failures": {"count": 0}}`,
			"470 completed, 0 failed|7.4 requests/s|3.0 s     3.7 s",
		},
		"genai-perf": {
			`{"request_throughput": {"unit": "requests/sec", "avg": 2.5}, "request_latency": {"unit": "ms", "avg": 400, "p50": 390, "p90": 500, "p95": 510, "p99": 600},
			"time_to_first_token": {"unit": "ms", "avg": 40, "p50": 39, "p99": 60}, "inter_token_latency": {"unit": "ms", "avg": 4, "p50": 3.9}, "request_count": {"unit": "count", "avg": 150},
			"input_sequence_length": {"unit": "tokens", "avg": 512}, "input_config": {"model_names": ["m"], "endpoint": {"type": "chat", "service_kind": "openai"}, "perf_analyzer": {"stimulus": {"concurrency": 1}}, "input": {"synthetic_tokens": {"mean": 512}}}}`,
			"genai-perf · m · random|at most 1 in flight|40 ms     39 ms|4.0 ms    3.9 ms|512 in a prompt",
		},
		"the CSV of genai-perf": {
			"Metric,avg,min,max,p99,p95,p90,p75,p50,p25,p10,p5,p1\nTime To First Token (ms),\"1,040.50\",1,2,1600,3,4,5,39.00,7,8,9,1\nRequest Latency (ms),400,1,2,600,3,4,5,390,7,8,9,1\n\nMetric,Value\nRequest Throughput (per sec),2.50\nRequest Count (count),150\n",
			"1.0 s     39 ms|0.40 s    0.39 s|2.5 requests/s|150 completed",
		},
	} {
		f, err := bench.Read(strings.NewReader(x.in))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b bytes.Buffer
		if err := f.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range strings.Split(x.want, "|") {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %q in\n%s", name, want, b.String())
			}
		}
		if strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%s shows what is no number:\n%s", name, b.String())
		}
	}
}

func TestWhatIsNoResultIsAClearError(t *testing.T) {
	for in, want := range map[string]string{
		"":                              "empty",
		"{}":                            "no known tool",
		"[1, 2]":                        "no known tool",
		"hello":                         "neither JSON",
		`{"request_throughput": 3, "co`: "unexpected EOF",
		`{"a": 1} 7`:                    "another value",
		"Metric,avg\nx,1\n":             "no latency",
		"\x1f\x8b\x08broken":            "EOF",
	} {
		_, err := bench.Read(strings.NewReader(in))
		if !errors.Is(err, bench.ErrNoResult) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "hint:") {
			t.Errorf("%q: %v, want %q and a hint", in, err, want)
		}
	}
}

func TestWorkloadsHaveTheirUsualNames(t *testing.T) {
	for as, want := range map[string]string{
		"sharegpt": "ShareGPT", "/d/ShareGPT_V3_unfiltered_cleaned_split.json": "ShareGPT", "tatsu-lab/alpaca": "Alpaca", "philschmid/mt-bench": "MT-Bench",
		"openai/gsm8k": "GSM8K", "random-ids": "random", "prompt_tokens=256,output_tokens=128": "random", "synthetic": "random", "sonnet": "Sonnet",
		"generated-shared-prefix": "shared prefixes", `C:\data\ours.jsonl`: "ours.jsonl", "custom": "custom", "": "",
	} {
		if got := bench.Workload(as); got != want {
			t.Errorf("%q is called %q, want %q", as, got, want)
		}
	}
}

func TestARunIsComparedOnlyWithTheTimeThatWasWatched(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	capped := open(t, "vllm-capped.json.gz") // 2026-11-30 17:49:47 to 17:50:49, without a zone
	for name, x := range map[string]struct {
		from, to string
		facts    bool
		note     string
	}{
		"watched meanwhile":               {"2026-11-30 17:49:30", "2026-11-30 17:51:00", true, "read as UTC it fits"},
		"the clock is two hours ahead":    {"2026-11-30 15:49:30", "2026-11-30 15:51:00", true, "at UTC+2:00"},
		"the clock is in Nepal":           {"2026-11-30 12:04:30", "2026-11-30 12:06:00", true, "at UTC+5:45"},
		"watched six minutes later":       {"2026-11-30 17:56:30", "2026-11-30 17:58:00", false, "nothing of it is compared"},
		"watched the day before the last": {"2026-11-28 17:49:30", "2026-11-28 17:51:00", false, "nothing of it is compared"},
	} {
		facts, notes := bench.During([]*bench.File{capped}, at(x.from), at(x.to))
		if (len(facts) > 0) != x.facts || !strings.Contains(strings.Join(notes, "\n"), x.note) {
			t.Errorf("%s: %d facts, notes %q", name, len(facts), notes)
		}
	}
	two := open(t, "guidellm-0.8.1.json.gz")
	if facts, notes := bench.During([]*bench.File{two}, at("2026-11-30 17:59:00"), at("2026-11-30 18:00:00")); facts != nil || !strings.Contains(notes[len(notes)-1], "2 runs") {
		t.Errorf("two runs in one window: %v, %q", facts, notes)
	}
	if facts, _ := bench.During([]*bench.File{two}, at("2026-11-30 17:59:40"), at("2026-11-30 18:00:00")); facts["bench_cap"].Num != 6 {
		t.Errorf("the run within the window was not chosen: %v", facts["bench_cap"])
	}
	undated := &bench.File{Runs: open(t, "sglang.jsonl.gz").Runs[:1]}
	if facts, notes := bench.During([]*bench.File{undated}, at("2026-11-30 17:59:00"), at("2026-11-30 18:00:00")); len(facts) == 0 || !strings.Contains(strings.Join(notes, "\n"), "does not say when") {
		t.Errorf("a run without a date: %d facts, %q", len(facts), notes)
	}
}

func TestFactsOfARealRun(t *testing.T) {
	facts := open(t, "vllm-capped.json.gz").Runs[0].Facts()
	for name, want := range map[string]float64{"bench_capped": 1, "bench_cap": 4, "bench_rate_asked": 20, "bench_failed_ratio": 0} {
		if f, ok := facts[name]; !ok || f.Num != want {
			t.Errorf("%s is %v, want %g", name, facts[name], want)
		}
	}
	if f := facts["bench_in_flight"].Num; f < 3.9 || f > 4.05 {
		t.Errorf("in flight %g, want about 4", f)
	}
	for _, tool := range []string{"vllm-latency.json.gz", "vllm-throughput.json.gz"} {
		if got := open(t, tool).Runs[0].Facts(); len(got) > 0 {
			t.Errorf("%s ran without a server and gives facts of one: %v", tool, got)
		}
	}
}

func TestAQuantileOfTooFewRequestsIsNoFigure(t *testing.T) {
	r := open(t, "aiperf.json.gz").Runs[0] // 60 requests
	f := r.Figures()
	if _, ok := f["ttft_p99_s"]; ok || f["ttft_p90_s"] == 0 {
		t.Errorf("of 60 requests: %v", f)
	}
}

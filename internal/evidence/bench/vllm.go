package bench

import (
	"strings"
	"time"
)

// vllmServe reads the result of `vllm bench serve` and of benchmark_serving.py before it.
func vllmServe(d *document) *Run {
	r := &Run{Tool: "vllm bench serve", Kind: Serving, Model: d.text("model_id"), Backend: d.text("backend", "endpoint_type"), Name: d.text("label")}
	if d.text("label") == r.Backend { // the default label
		r.Name = ""
	}
	// The data set is in the file only where the user gave it as --metadata, or in the name of what was pooled.
	r.workload(d.text("dataset_name", "dataset", "workload", "dataset_path"))
	r.traffic(d)
	r.counts(d)
	r.Failed = d.num("failed")
	if asked := d.num("num_prompts"); r.Failed == nil && asked != nil && r.Completed != nil && *asked >= *r.Completed {
		r.Failed = ptr(*asked - *r.Completed)
	}
	r.TotalS = d.num("total_token_throughput")
	r.GoodS = d.first("request_goodput", "request_goodput:") // with a colon before 0.10
	r.TTFT, r.TPOT, r.ITL = d.millis("ttft"), d.millis("tpot"), d.millis("itl")
	r.E2E, r.Held = d.millis("e2el"), d.millis("client_queue_time")
	r.Peak = d.num("max_concurrent_requests")
	r.Requests = d.columns.requests()
	if r.Held.empty() && len(d.columns.held) > 0 {
		r.Held = times(d.columns.held)
	}
	r.clock(d.text("date"))
	return r
}

// sglang reads an object of sglang.bench_serving's file.
func sglang(d *document) *Run {
	r := &Run{Tool: "sglang.bench_serving", Kind: Serving, Backend: d.text("backend"), Name: d.text("tag")}
	r.Model = d.text("server_info.served_model_name", "server_info.model_path")
	r.workload(d.text("dataset_name"))
	r.traffic(d)
	r.counts(d)
	if n := len(d.columns.failed); n > 0 {
		r.Failed = ptr(0)
		for _, f := range d.columns.failed {
			if f {
				*r.Failed++
			}
		}
	}
	r.TotalS = d.num("total_throughput")
	r.GoodS = d.first("request_goodput", "goodput")
	r.TTFT, r.TPOT, r.ITL, r.E2E = d.millis("ttft"), d.millis("tpot"), d.millis("itl"), d.millis("e2e_latency")
	r.Peak = d.num("max_concurrent_requests")
	if c := d.num("concurrency"); c != nil && *c > 0 {
		r.InFlight, r.InFlightBy = c, measured
	}
	r.Requests = d.columns.requests()
	return r
}

// traffic reads what the client was asked to send.
func (r *Run) traffic(d *document) {
	r.Rate, r.Cap, r.Burstiness = d.num("request_rate"), d.num("max_concurrency"), d.num("burstiness")
	r.Unlimited = strings.HasPrefix(d.text("request_rate"), "inf")
	if r.Unlimited || r.Rate == nil {
		r.Burstiness = nil // it has no effect
	}
}

func (r *Run) counts(d *document) {
	r.Seconds, r.Completed = d.num("duration"), d.num("completed")
	r.Input.Total, r.Output.Total = d.num("total_input_tokens"), d.num("total_output_tokens")
	r.RequestsS, r.OutputS = d.num("request_throughput"), d.num("output_throughput")
}

// millis reads mean_…_ms, median_…_ms and p99_…_ms.
func (d *document) millis(name string) *Times {
	of := func(stats ...string) *float64 {
		for _, s := range stats {
			if v := d.num(s + "_" + name + "_ms"); v != nil {
				return ptr(*v / 1000)
			}
		}
		return nil
	}
	return &Times{Mean: of("mean"), P50: of("median", "p50"), P90: of("p90"), P95: of("p95"), P99: of("p99")}
}

// clock reads the date that vLLM writes at the end of a run, in the time of the client's machine.
func (r *Run) clock(date string) {
	end, err := time.Parse("20060102-150405", date)
	if err != nil {
		return
	}
	r.End, r.ZoneUnknown = &end, true
	if r.Seconds != nil && *r.Seconds < 1e7 {
		start := end.Add(-time.Duration(*r.Seconds * float64(time.Second)))
		r.Start = &start
	}
}

// vllmLatency reads the result of `vllm bench latency`: one batch after the other in the engine's own process.
func vllmLatency(d *document) *Run {
	r := &Run{Tool: "vllm bench latency", Kind: Latency, Model: d.text("model_id")}
	n := float64(len(d.columns.e2e))
	r.Completed = &n
	if n == 0 {
		r.Completed = nil
	}
	r.E2E = &Times{Mean: d.num("avg_latency"), P50: d.num("percentiles.50"), P90: d.num("percentiles.90"), P99: d.num("percentiles.99")}
	r.Notes = append(r.Notes, "each latency is of a whole batch, without a server; the file does not tell its size or the lengths")
	return r
}

// vllmThroughput reads the result of `vllm bench throughput`: all requests at once in the engine's own process.
func vllmThroughput(d *document) *Run {
	r := &Run{Tool: "vllm bench throughput", Kind: Throughput, Model: d.text("model_id")}
	r.Seconds, r.Completed = d.num("elapsed_time"), d.num("num_requests")
	r.RequestsS, r.TotalS = d.num("requests_per_second"), d.num("tokens_per_second")
	r.Notes = append(r.Notes, "all requests at once, without a server; tokens are those of prompts and answers together")
	return r
}

func ptr(v float64) *float64 { return &v }

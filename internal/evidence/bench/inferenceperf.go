package bench

// inferencePerf reads a report of the Kubernetes project's inference-perf: of a stage, of all stages together, or of one adapter. It
// names neither the model nor the time; those stand in config.yaml beside it.
func inferencePerf(d *document) *Run {
	r := &Run{Tool: "inference-perf", Kind: Serving}
	const ok = "successes."
	r.Seconds = d.num("benchmark_time_seconds")
	r.Rate, r.Cap = d.num("load_summary.requested_rate"), d.num("load_summary.concurrency")
	r.Completed, r.Failed = d.num(ok+"count"), d.num("failures.count")
	r.RequestsS = d.first(ok+"throughput.requests_per_sec", ok+"rate")
	r.OutputS, r.TotalS = d.num(ok+"throughput.output_tokens_per_sec"), d.num(ok+"throughput.total_tokens_per_sec")
	r.GoodS = d.num(ok + "goodput_metrics.request_goodput")
	r.Input = Tokens{d.num(ok + "prompt_tokens.total"), d.first(ok+"prompt_tokens.mean", ok+"prompt_len.mean")}
	r.Output = Tokens{d.num(ok + "output_tokens.total"), d.first(ok+"output_tokens.mean", ok+"output_len.mean")}
	of := func(name string) *Times {
		for _, p := range []string{ok + "latency." + name, ok + name} {
			if t := (&Times{d.num(p + ".mean"), d.first(p+".median", p+".p50"), d.num(p + ".p90"), d.num(p + ".p95"), d.num(p + ".p99")}); !t.empty() {
				return t
			}
		}
		return nil
	}
	r.TTFT, r.TPOT, r.ITL, r.E2E = of("time_to_first_token"), of("time_per_output_token"), of("inter_token_latency"), of("request_latency")
	if len(d.figures) > 0 && d.num(ok+"num_requests_swapped.mean") != nil {
		r.Notes = append(r.Notes, "these are the server's own figures as Prometheus had them, not the client's")
	}
	return r
}

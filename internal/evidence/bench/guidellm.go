package bench

import (
	"math"
	"strconv"
	"time"
)

// guidellm reads a report of GuideLLM: a run for each rate or concurrency. Releases up to 0.3 describe a run under args, later ones under config.
func guidellm(d *document) []*Run {
	var out []*Run
	for i := range maxItems {
		at := "benchmarks." + strconv.Itoa(i) + "."
		if !d.under("benchmarks." + strconv.Itoa(i)) {
			break
		}
		r := &Run{Tool: "GuideLLM", Version: d.text("metadata.guidellm_version"), Kind: Serving}
		r.Model = d.text(at+"config.backend.model", at+"worker.backend_model", "args.model", "config.spec.backend.model")
		r.Backend = d.text(at+"config.backend.kind", at+"config.backend.type_", at+"worker.backend_type", "args.backend")
		r.workload(d.text("config.spec.data.0.source", "config.spec.data.0.path", "args.data.0", "args.data", at+"request_loader.data", "config.spec.data.0.kind"))
		r.strategy(d, at)
		r.statuses(d, at)
		r.Start, r.End = epoch(d.first(at+"start_time", at+"run_stats.start_time")), epoch(d.first(at+"end_time", at+"run_stats.end_time"))
		r.Seconds = d.num(at + "duration")
		// Its time per output token counts the first token too, so that a request's time after the first token is its inter-token latency.
		r.TTFT, r.TPOT = d.summary(at+"metrics.time_to_first_token_ms", 1000), d.summary(at+"metrics.inter_token_latency_ms", 1000)
		r.E2E = d.summary(at+"metrics.request_latency", 1)
		ok := at + "metrics."
		r.RequestsS = d.num(ok + "requests_per_second.successful.mean")
		r.OutputS, r.TotalS = d.num(ok+"output_tokens_per_second.successful.mean"), d.num(ok+"tokens_per_second.successful.mean")
		if v := d.first(ok+"request_concurrency.total.mean", ok+"request_concurrency.successful.mean"); v != nil && *v > 0 {
			r.InFlight, r.InFlightBy = v, measured
		}
		r.Peak = d.first(ok+"request_concurrency.total.max", ok+"request_concurrency.successful.max")
		r.Input, r.Output = d.lengths(ok+"prompt_token_count"), d.lengths(ok+"output_token_count")
		r.GoodS = d.num(ok + "request_goodput")
		if rows := d.rows[at+"requests.successful"]; rows != nil && len(rows.of.E2E) > 0 {
			r.Requests = &rows.of
		}
		out = append(out, r)
	}
	return out
}

// strategy reads how a run sent its requests, and names the run after it.
func (r *Run) strategy(d *document, at string) {
	of := at + "config.strategy."
	if d.text(of+"type_") == "" {
		of = at + "args.strategy."
	}
	kind := d.text(of + "type_")
	r.Name = kind
	switch kind {
	case "synchronous":
		r.Cap, r.Unlimited = ptr(1), true
	case "concurrent":
		r.Cap, r.Unlimited = d.num(of+"streams"), true
	case "throughput":
		r.Cap, r.Unlimited = d.num(of+"max_concurrency"), true
	default:
		r.Rate, r.Cap = d.num(of+"rate"), d.num(of+"max_concurrency")
	}
	switch {
	case r.Rate != nil:
		r.Name += "@" + strconv.FormatFloat(*r.Rate, 'g', 4, 64)
	case r.Cap != nil && kind != "synchronous":
		r.Name += "@" + strconv.FormatFloat(*r.Cap, 'g', 4, 64)
	}
}

func (r *Run) statuses(d *document, at string) {
	for _, where := range []string{"metrics.request_totals.", "request_totals.", "run_stats.requests_made.", "scheduler_metrics.requests_made."} {
		if d.num(at+where+"successful") != nil {
			r.Completed, r.Failed, r.Incomplete = d.num(at+where+"successful"), d.num(at+where+"errored"), d.num(at+where+"incomplete")
			return
		}
	}
}

// summary reads the distribution of a latency over the completed requests.
func (d *document) summary(path string, by float64) *Times {
	of := func(name string) *float64 {
		if v := d.num(path + ".successful." + name); v != nil && *v > 0 {
			return ptr(*v / by)
		}
		return nil
	}
	t := &Times{Mean: of("mean"), P50: of("median"), P90: of("percentiles.p90"), P95: of("percentiles.p95"), P99: of("percentiles.p99")}
	if t.Mean == nil { // what was not measured, as the first token without streaming, is written as 0
		return nil
	}
	return t
}

func (d *document) lengths(path string) Tokens {
	return Tokens{Total: d.num(path + ".successful.total_sum"), Mean: d.num(path + ".successful.mean")}
}

// epoch is a time in seconds since 1970.
func epoch(v *float64) *time.Time {
	if v == nil || *v < 1e9 || *v > 1e11 {
		return nil
	}
	s, frac := math.Modf(*v)
	t := time.Unix(int64(s), int64(frac*1e9)).UTC()
	return &t
}

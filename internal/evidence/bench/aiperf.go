package bench

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// aiperf reads the summary of AIPerf, which genai-perf's resembles.
func aiperf(d *document) *Run {
	r := &Run{Tool: "AIPerf", Version: d.text("aiperf_version"), Kind: Serving}
	if d.under("input_config.perf_analyzer") {
		r.Tool = "genai-perf"
	}
	r.Model = d.find("input_config", "model_names.0", "models.items.0.name", "models.0.name", "models.0")
	r.Backend = d.find("input_config", "service_kind", "endpoint.type", "endpoint_type")
	r.workload(d.find("input_config", "public_dataset", "input_dataset", "datasets.0.dataset", "input.file", "datasets.0.path", "datasets.0.type"))
	if r.Workload == "" && d.findNum("input_config", "synthetic_tokens.mean", "prompt.input_tokens.mean") != nil {
		r.workload("synthetic")
	}
	phase := "input_config"
	for i := range 4 { // warm-up first
		if at := "input_config.phases." + strconv.Itoa(i); d.text(at+".kind") == "profiling" {
			phase = at
		}
	}
	r.Cap, r.Rate = d.findNum(phase, "concurrency"), d.findNum(phase, "request_rate", "rate")
	r.Unlimited = r.Rate == nil && r.Cap != nil
	r.metrics(func(metric, stat string) *float64 { return d.num(metric + "." + stat) }, func(metric string) string { return d.text(metric + ".unit") })
	r.Start, r.End = clockOf(d.text("start_time")), clockOf(d.text("end_time"))
	r.ZoneUnknown = r.Start != nil && !zoned(d.text("start_time"))
	if cut := d.text("incomplete_reason"); cut != "" {
		r.Notes = append(r.Notes, "the run is not complete: "+cut)
	}
	return r
}

// metrics takes figures that are named as AIPerf names them.
func (r *Run) metrics(of func(metric, stat string) *float64, unit func(metric string) string) {
	scaled := func(metric, stat string) *float64 {
		v := of(metric, stat)
		if v == nil {
			return nil
		}
		return ptr(*v * factor(unit(metric)))
	}
	times := func(metric string) *Times {
		return &Times{scaled(metric, "avg"), scaled(metric, "p50"), scaled(metric, "p90"), scaled(metric, "p95"), scaled(metric, "p99")}
	}
	avg := func(metric string) *float64 { return scaled(metric, "avg") }
	// Its inter-token latency is a request's: the time after the first token by the tokens after the first.
	r.TTFT, r.TPOT, r.E2E = times("time_to_first_token"), times("inter_token_latency"), times("request_latency")
	r.ITL = times("inter_chunk_latency")
	r.Completed, r.Failed = avg("request_count"), avg("error_request_count")
	r.Seconds = avg("benchmark_duration")
	r.RequestsS, r.OutputS = avg("request_throughput"), avg("output_token_throughput")
	r.TotalS = avg("total_token_throughput")
	r.GoodS = avg("goodput")
	if r.GoodS == nil {
		r.GoodS = avg("request_goodput")
	}
	r.Input = Tokens{avg("total_isl"), avg("input_sequence_length")}
	r.Output = Tokens{avg("total_osl"), avg("output_sequence_length")}
	if r.InFlight = avg("effective_concurrency"); r.InFlight != nil {
		r.InFlightBy = measured
	}
}

// factor turns a unit of time into seconds; of any other unit it is 1.
func factor(unit string) float64 {
	switch strings.ToLower(strings.TrimSpace(unit)) {
	case "ns", "nanoseconds":
		return 1e-9
	case "us", "µs", "microseconds":
		return 1e-6
	case "ms", "milliseconds":
		return 1e-3
	case "min", "minutes":
		return 60
	}
	return 1
}

// find is the first text below a path whose name is one of the given, in their order.
func (d *document) find(below string, names ...string) string {
	for _, n := range names {
		for _, p := range slices.Sorted(maps.Keys(d.texts)) {
			if strings.HasPrefix(p, below+".") && strings.HasSuffix(p, "."+n) && d.texts[p] != "" {
				return d.texts[p]
			}
		}
	}
	return ""
}

// findNum is find for figures.
func (d *document) findNum(below string, names ...string) *float64 {
	for _, n := range names {
		for _, p := range slices.Sorted(maps.Keys(d.figures)) {
			if strings.HasPrefix(p, below+".") && strings.HasSuffix(p, "."+n) {
				return d.num(p)
			}
		}
	}
	return nil
}

// under says whether there is anything below a path.
func (d *document) under(path string) bool {
	for p := range d.figures {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	for p := range d.texts {
		if strings.HasPrefix(p, path+".") {
			return true
		}
	}
	return false
}

// clockOf reads a time as Python's isoformat writes it, with or without a zone.
func clockOf(s string) *time.Time {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			t = t.UTC()
			return &t
		}
	}
	return nil
}

func zoned(s string) bool {
	_, err := time.Parse(time.RFC3339Nano, s)
	return err == nil
}

package bench

import (
	"math"
	"time"
)

// lines are the records of AIPerf's profile_export.jsonl, a request a line.
type lines struct {
	of            Requests
	failed        float64
	input, output float64
	first, last   float64 // in seconds since 1970
}

func (l *lines) takes(d *document) bool {
	return d.has("metadata", "metrics") && d.num("metadata.request_start_ns") != nil
}

func (l *lines) add(d *document) {
	if phase := d.text("metadata.benchmark_phase"); phase != "" && phase != "profiling" {
		return
	}
	value := func(metric string) float64 {
		v := d.num("metrics." + metric + ".value")
		if v == nil {
			return math.NaN()
		}
		return *v * factor(d.text("metrics."+metric+".unit"))
	}
	start := *d.num("metadata.request_start_ns") / 1e9
	if end := d.num("metadata.request_end_ns"); end != nil {
		l.last = max(l.last, *end/1e9)
	}
	if l.first == 0 || start < l.first {
		l.first = start
	}
	e2e := positive(value("request_latency"))
	if math.IsNaN(e2e) || d.top["error"] && d.under("error") {
		l.failed++
		return
	}
	for into, v := range map[*float64]float64{&l.input: value("input_sequence_length"), &l.output: value("output_sequence_length")} {
		if v > 0 {
			*into += v
		}
	}
	l.of.add(positive(value("time_to_first_token")), positive(value("inter_token_latency")), e2e, start)
}

func (l *lines) run() *Run {
	n := float64(l.of.Len() + l.of.Dropped)
	r := &Run{Tool: "AIPerf", Kind: Serving, Completed: &n, Failed: &l.failed, Requests: &l.of}
	r.Start, r.End = epoch(&l.first), epoch(&l.last)
	if s := l.last - l.first; s > 0 && s < float64(math.MaxInt64/time.Second) {
		r.Seconds = &s
	}
	total := func(v float64) *float64 {
		if v <= 0 {
			return nil
		}
		return &v
	}
	r.Input.Total, r.Output.Total = total(l.input), total(l.output)
	r.Notes = append(r.Notes, "single requests: the model and the load asked for stand in profile_export_aiperf.json beside it")
	return r
}

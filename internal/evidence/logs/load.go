package logs

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

const (
	// stretch is how much of the end of a log its periodic lines are summed up over; lines come every 5 to 10 s.
	stretch = 5 * time.Minute
	// maxPoints bounds what is kept of one quantity, maxUndated where lines tell no time, maxEngines the engines told apart.
	maxPoints, maxUndated, maxEngines = 1024, 64, 256
)

// load is what the periodic lines say of the last minutes.
type load struct {
	quantities map[string]*quantity
	engines    map[string]sample
	lines      int
	first      stamp
	last       stamp
	// SGLang's Decode batch lines, and those of a step without a graph.
	decodes, eagerDecodes float64
}

func newLoad() load {
	return load{quantities: map[string]*quantity{}, engines: map[string]sample{}}
}

// sample is one periodic line of one engine; NaN is what it does not tell.
type sample struct {
	at                                                   time.Time
	running, waiting, swapped, deferred, kv, prompt, gen float64
}

func unsaid() sample {
	n := math.NaN()
	return sample{running: n, waiting: n, swapped: n, deferred: n, kv: n, prompt: n, gen: n}
}

// quantity is what was said of one thing, with weights.
type quantity struct{ points []point }

type point struct {
	at           time.Time
	value, weigh float64
}

// put adds a value; what is older than the stretch goes.
func (q *quantity) put(p point) {
	q.points = append(q.points, p)
	most := maxPoints
	if p.at.IsZero() {
		most = maxUndated
	}
	if old := q.recent(p.at.Add(-stretch)); len(old) < len(q.points)/2 || len(q.points) > 2*most {
		q.points = slices.Clone(last(old, most))
	}
}

// recent are the points since a time. Points come in order of time, but for a clock that was set.
func (q *quantity) recent(since time.Time) []point {
	if len(q.points) == 0 || q.points[len(q.points)-1].at.IsZero() {
		return q.points
	}
	return q.points[sort.Search(len(q.points), func(i int) bool { return !q.points[i].at.Before(since) }):]
}

// note puts down a value of a quantity that is no sum over engines. A negative weight or no number is not taken.
func (l *Reader) note(name string, value, weight float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) || !(weight >= 0) || math.IsInf(weight, 0) {
		return
	}
	q := l.start.load.quantities[name]
	if q == nil {
		q = &quantity{}
		l.start.load.quantities[name] = q
	}
	q.put(point{l.clock.last.at, value, weight})
}

// sampled puts down a periodic line of an engine. What several engines say at the same time is added up, but for the use
// of their caches, of which the fullest counts.
func (l *Reader) sampled(engine string, s sample) {
	ld := &l.start.load
	s.at = l.clock.last.at
	if ld.lines++; ld.first.none() {
		ld.first = l.clock.last
	}
	ld.last = l.clock.last
	if _, ok := ld.engines[engine]; !ok && len(ld.engines) >= maxEngines {
		return
	}
	ld.engines[engine] = s.over(ld.engines[engine])
	total := unsaid()
	for name, e := range ld.engines {
		if s.at.Sub(e.at) > time.Minute {
			delete(ld.engines, name)
			continue
		}
		total = total.plus(e)
	}
	l.note("running", total.running, 1)
	l.note("waiting", total.waiting, 1)
	l.note("swapped", total.swapped, 1)
	l.note("deferred", total.deferred, 1)
	l.note("kv", total.kv, 1)
	l.note("prompt", total.prompt, 1)
	l.note("gen", total.gen, 1)
}

// over keeps of an earlier line of the same engine what this one does not tell: SGLang's lines of prefills and of decodes differ.
func (s sample) over(before sample) sample {
	if before.at.IsZero() || s.at.Sub(before.at) > time.Minute {
		return s
	}
	for _, x := range []struct{ now, was *float64 }{
		{&s.running, &before.running}, {&s.waiting, &before.waiting}, {&s.kv, &before.kv}, {&s.deferred, &before.deferred},
	} {
		if math.IsNaN(*x.now) {
			*x.now = *x.was
		}
	}
	return s
}

func (s sample) plus(o sample) sample {
	add := func(a, b float64) float64 {
		switch {
		case math.IsNaN(a):
			return b
		case math.IsNaN(b):
			return a
		}
		return a + b
	}
	kv := s.kv
	if !(kv >= o.kv) {
		if kv = o.kv; math.IsNaN(kv) {
			kv = s.kv
		}
	}
	return sample{
		s.at, add(s.running, o.running), add(s.waiting, o.waiting), add(s.swapped, o.swapped), add(s.deferred, o.deferred), kv,
		add(s.prompt, o.prompt), add(s.gen, o.gen),
	}
}

func largest(points []point) float64 {
	m := math.Inf(-1)
	for _, p := range points {
		m = max(m, p.value)
	}
	return m
}

func median(points []point) float64 {
	v := make([]float64, len(points))
	for i, p := range points {
		v[i] = p.value
	}
	slices.Sort(v)
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// mean is weighted; NaN where all weights are 0.
func mean(points []point) float64 {
	sum, weights := 0.0, 0.0
	for _, p := range points {
		sum, weights = sum+p.value*p.weigh, weights+p.weigh
	}
	return sum / weights
}

func newest(points []point) float64 { return points[len(points)-1].value }

func total(points []point) float64 {
	sum := 0.0
	for _, p := range points {
		sum += p.value
	}
	return sum
}

// folds say how a quantity becomes a fact.
var folds = []struct {
	fact, quantity string
	fold           func([]point) float64
}{
	{"log_running_max", "running", largest},
	{"log_running_median", "running", median},
	{"log_waiting_max", "waiting", largest},
	{"log_waiting_median", "waiting", median},
	{"log_swapped_max", "swapped", largest},
	{"log_deferred_median", "deferred", median},
	{"log_kv_used_max_ratio", "kv", largest},
	{"log_kv_used_median_ratio", "kv", median},
	{"log_prompt_tokens_per_s", "prompt", mean},
	{"log_gen_tokens_per_s", "gen", mean},
	{"log_prefix_hit_ratio", "prefix", newest},
	{"log_prefix_hit_ratio", "cached", mean},
	{"log_external_hit_ratio", "external", newest},
	{"log_mm_hit_ratio", "mm", newest},
	{"log_acceptance_length", "acceptance_length", mean},
	{"log_draft_acceptance_ratio", "acceptance", mean},
	{"log_kv_transfer_mean_s", "transfer_s", mean},
	{"log_kv_transfer_p90_s", "transfer_p90_s", largest},
	{"log_kv_transfer_bytes_per_s", "transfer_rate", mean},
	{"log_kv_transfer_parts_mean", "transfer_parts", mean},
	{"log_kv_transfer_bytes", "transfer_bytes", mean},
	{"log_kv_fetch_waiting_median", "fetch_waiting", median},
	{"log_kv_fetch_running_median", "fetch_running", median},
	{"log_device_flops", "flops", mean},
	{"log_device_bytes_per_s", "bandwidth", mean},
	{"log_step_mean_s", "step_s", mean},
	{"log_step_max_s", "step_s", largest},
	{"log_step_tokens_mean", "step_tokens", mean},
	{"log_step_tokens_max", "step_tokens", largest},
	{"log_step_prefill_ratio", "step_prefill", mean},
	{"log_pending_tokens_max", "pending", largest},
	{"log_prefill_bootstrap_median", "bootstrap", median},
	{"log_prefill_inflight_median", "inflight", median},
	{"log_decode_prealloc_median", "prealloc", median},
	{"log_decode_transfer_median", "transferring", median},
	{"log_preallocated_ratio", "preallocated", median},
	{"log_preemptions", "preemptions", total},
}

// facts sums the periodic lines up. Lines that ended minutes before the log did say nothing of its end: vLLM is silent while it is
// idle. For those that stop with the server, the end of the log is the end of the lines.
func (ld *load) facts(out Facts, end time.Time) {
	if ld.lines > 0 {
		out["log_stats_lines"] = numberFact(float64(ld.lines))
	}
	since := end.Add(-stretch)
	for _, f := range folds {
		q := ld.quantities[f.quantity]
		if q == nil {
			continue
		}
		points := q.recent(since)
		if len(points) == 0 {
			continue
		}
		if v := f.fold(points); !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[f.fact] = rounded(v)
		}
	}
	ld.prefilled(out, since)
}

// rounded drops the digits that arithmetic alone brought.
func rounded(v float64) model.Fact {
	if short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 9, 64), 64); err == nil {
		v = short
	}
	return numberFact(v)
}

// prefilled gives the rate of prompt tokens of SGLang, whose lines count tokens instead.
func (ld *load) prefilled(out Facts, since time.Time) {
	q := ld.quantities["prefilled"]
	if q == nil {
		return
	}
	points := q.recent(since)
	if len(points) < 2 {
		return
	}
	if span := points[len(points)-1].at.Sub(points[0].at).Seconds(); span >= 10 {
		out["log_prompt_tokens_per_s"] = rounded(total(points[1:]) / span)
	}
}

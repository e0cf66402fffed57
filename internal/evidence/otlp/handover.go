package otlp

import (
	"cmp"
	"math"
	"slices"
)

// passage is a request on its way from the server that prefills to the one that decodes.
type passage struct {
	from, to uint32
	// handover is the time between the end on one server and the begin on the next, NaN where both begin at once.
	handover float64
	// wait is the time from the end of the prefill until the decode could begin: the transfer of the KV cache is in it, and
	// a wait for room on the server that decodes. total is the time to the first token that the client sees, NaN if unknown.
	wait, total float64
}

// passages follows requests over servers by their trace. vLLM prefills as a request of its own, which ends before that of
// the decode begins; the transfer counts as queue there, as a request is scheduled when its KV cache is there
// (v1/core/sched/scheduler.py). SGLang is sent both at once, and has a span for the transfer.
func passages(rs []request) []passage {
	byTrace := map[traceID][]int{}
	for i, r := range rs {
		if !math.IsNaN(r.start) && r.trace.known() {
			byTrace[r.trace] = append(byTrace[r.trace], i)
		}
	}
	var out []passage
	for i, r := range rs { // in their order, not in that of a map
		all := byTrace[r.trace]
		if math.IsNaN(r.start) || !r.trace.known() {
			continue
		}
		if !math.IsNaN(r.transfer) {
			out = append(out, sent(rs, i, all))
			continue
		}
		if p, ok := followed(rs, i, all); ok {
			out = append(out, p)
		}
	}
	return out
}

// sent is the passage that a span of its own tells. The server that decodes is the other one in the trace.
func sent(rs []request, i int, all []int) passage {
	r := rs[i]
	p := passage{r.server, r.server, math.NaN(), r.transfer, math.NaN()}
	for _, j := range all {
		if o := rs[j]; o.server != r.server && o.start < r.end && r.start < o.end {
			p.to, p.total = o.server, o.ttft
		}
	}
	return p
}

// followed is the passage to a request from the one before it in its trace, on another server. Requests that overlap are not
// two parts of one. A first request that wrote more than a token is one of its own, as of an agent.
func followed(rs []request, i int, all []int) (passage, bool) {
	at := slices.Index(all, i)
	if at == 0 {
		return passage{}, false
	}
	before, r := rs[all[at-1]], rs[i]
	if before.server == r.server || r.start < before.end || before.output > 1 || !math.IsNaN(before.transfer) {
		return passage{}, false
	}
	gap := r.start - before.end
	return passage{before.server, r.server, gap, gap + r.queue, r.start + r.ttft - before.start}, true
}

// passing adds what passages tell.
func (t *Traces) passing(ps []passage) {
	var gaps, waits []float64
	wait, total := 0.0, 0.0
	for _, p := range ps {
		if !math.IsNaN(p.handover) {
			gaps = append(gaps, p.handover)
		}
		if !math.IsNaN(p.wait) {
			waits = append(waits, p.wait)
			if p.total > 0 {
				wait, total = wait+p.wait, total+p.total
			}
		}
	}
	t.Handover, t.KVWait = quantiles(gaps), quantiles(waits)
	if total > 0 {
		share := min(1, wait/total)
		t.KVWaitRatio = &share
	}
}

func ordered(rs []request) {
	slices.SortStableFunc(rs, func(a, b request) int { return cmp.Compare(a.start, b.start) })
}

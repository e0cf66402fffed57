package otlp

import "math"

// join gives requests the times of the stages below them. A stage lies below a thread, and that below the request; ranks of
// one model each tell the same stage, and the slowest counts.
func join(rs []request, ps []piece) {
	if len(ps) == 0 {
		return
	}
	roots, threads := make(map[spanKey]int, len(rs)), map[spanKey]spanID{}
	for i, r := range rs {
		roots[spanKey{r.trace, r.span}] = i
	}
	for _, p := range ps {
		if p.kind == thread {
			threads[spanKey{p.trace, p.span}] = p.parent
		}
	}
	type told struct {
		request int
		thread  spanID
		kind    kind
	}
	sums, ends, seen := map[told]float64{}, map[int]float64{}, map[spanKey]bool{}
	for _, p := range ps {
		if p.kind == thread || math.IsNaN(p.start) || seen[spanKey{p.trace, p.span}] {
			continue
		}
		seen[spanKey{p.trace, p.span}] = true // exporters send again what was not answered
		root := p.parent
		if up, ok := threads[spanKey{p.trace, p.parent}]; ok {
			root = up
		}
		i, ok := roots[spanKey{p.trace, root}]
		if !ok {
			continue
		}
		sums[told{i, p.parent, p.kind}] += p.end - p.start
		if was, ok := ends[i]; p.kind == prefilling && (!ok || p.end < was) {
			ends[i] = p.end
		}
	}
	stages := map[int]map[kind]float64{}
	for k, v := range sums {
		if stages[k.request] == nil {
			stages[k.request] = map[kind]float64{}
		}
		stages[k.request][k.kind] = max(stages[k.request][k.kind], v)
	}
	for i, s := range stages {
		rs[i].stages(s, ends[i])
	}
}

// stages takes the times of the stages. SGLang's own attribute for the prefill has the wait before it in it, so the stage wins.
func (r *request) stages(s map[kind]float64, prefilled float64) {
	for k, to := range map[kind]*float64{waiting: &r.queue, prefilling: &r.prefill, transferring: &r.transfer} {
		if v, ok := s[k]; ok {
			*to = v
		}
	}
	if v, ok := s[decoding]; ok && math.IsNaN(r.decode) {
		r.decode = v
	}
	if math.IsNaN(r.ttft) && prefilled > r.start {
		r.ttft = prefilled - r.start
	}
}

package compare

import (
	"github.com/inferdx/inferdx/internal/model"
)

// figure is one number that is compared, made of the sums over a side's steps.
type figure struct {
	signal string
	name   string // what people call it
	unit   string
	// more says that a larger value is better.
	more bool
	of   func(total) (model.Value, bool)
	// objective is what the value must stay below; 0 is none.
	objective float64
}

func quantileOf(id string, phi float64) func(total) (model.Value, bool) {
	return func(x total) (model.Value, bool) { return x.quantile(id, phi) }
}

func meanOf(id string) func(total) (model.Value, bool) {
	return func(x total) (model.Value, bool) { return x.mean(id) }
}

func rateOf(id string) func(total) (model.Value, bool) {
	return func(x total) (model.Value, bool) { return x.rate(id) }
}

// The observations a quantile needs, as in the signal catalogue.
const leastTail, leastMiddle = 100, 20

// figures lists what both sides can answer, in the order they are shown. The tail of a latency is its
// P99 where both sides have the observations for it, else its P90.
func figures(before, after total, o Options) []figure {
	both := func(id string, least float64) bool { return before.count(id) >= least && after.count(id) >= least }
	var out []figure
	switch {
	case both(ttft, leastTail):
		out = append(out, figure{signal: "ttft_p99_s", name: "TTFT P99", unit: "s", of: quantileOf(ttft, 0.99), objective: o.TTFT})
	case both(ttft, leastMiddle):
		out = append(out, figure{signal: "ttft_p90_s", name: "TTFT P90", unit: "s", of: quantileOf(ttft, 0.9), objective: o.TTFT})
	}
	if both(ttft, leastMiddle) {
		out = append(out, figure{signal: "ttft_p50_s", name: "TTFT P50", unit: "s", of: quantileOf(ttft, 0.5)})
	}
	out = append(out, figure{signal: "ttft_mean_s", name: "TTFT mean", unit: "s", of: meanOf(ttft)})
	if both(tpot, leastTail) {
		out = append(out, figure{signal: "tpot_p99_s", name: "TPOT P99", unit: "s", of: quantileOf(tpot, 0.99), objective: o.TPOT})
	}
	if both(tpot, leastMiddle) {
		f := figure{signal: "tpot_p50_s", name: "TPOT P50", unit: "s", of: quantileOf(tpot, 0.5)}
		if !both(tpot, leastTail) {
			f.objective = o.TPOT
		}
		out = append(out, f)
	}
	if both(itl, leastTail) {
		out = append(out, figure{signal: "itl_p99_s", name: "ITL P99", unit: "s", of: quantileOf(itl, 0.99)})
	}
	if both(itl, leastMiddle) {
		out = append(out, figure{signal: "itl_p50_s", name: "ITL P50", unit: "s", of: quantileOf(itl, 0.5)})
	}
	out = append(out, figure{signal: "itl_mean_s", name: "ITL mean", unit: "s", of: meanOf(itl)})
	if both(e2e, leastTail) {
		out = append(out, figure{signal: "e2e_p99_s", name: "E2E P99", unit: "s", of: quantileOf(e2e, 0.99), objective: o.E2E})
	}
	out = append(out,
		figure{signal: "e2e_mean_s", name: "E2E mean", unit: "s", of: meanOf(e2e)},
		figure{signal: "gen_tokens_per_s", name: "output", unit: "tokens/s", more: true, of: rateOf(tokens)},
		figure{signal: "requests_finished_per_s", name: "finished", unit: "requests/s", more: true, of: rateOf(finished)},
		figure{signal: "waiting", name: "waiting", unit: "requests", of: rateOf(waiting)},
		figure{signal: "preemptions_per_s", name: "preemptions", unit: "requests/s", of: rateOf(preemptions)},
	)
	if o.CostPerHour > 0 {
		out = append(out, figure{signal: "cost_per_million_output_tokens", name: "cost per million output tokens", of: costOf(o.CostPerHour)})
	}
	return out
}

func costOf(perHour float64) func(total) (model.Value, bool) {
	return func(x total) (model.Value, bool) {
		v, ok := x.rate(tokens)
		if !ok || v.V <= 0 {
			return model.Value{}, false
		}
		return model.Known(perHour / 3600 / v.V * 1e6), true
	}
}

// excess is how far the worst latency lies above its objective, as a multiple of it: one number for
// a change that makes one latency better and another worse.
func excess(figures []figure) figure {
	return figure{signal: "worst latency by objective", of: func(x total) (model.Value, bool) {
		worst, ok := model.Value{}, false
		for _, f := range figures {
			if f.objective <= 0 {
				continue
			}
			if v, seen := f.of(x); seen && (!ok || v.V/f.objective > worst.V) {
				worst, ok = model.Value{V: v.V / f.objective, Bound: v.Bound, N: v.N}, true
			}
		}
		return worst, ok
	}}
}

// hurt is the share of requests that surely came later than the objective, or were refused or failed.
func hurt(objective float64) figure {
	return figure{signal: "requests late or refused", of: func(x total) (model.Value, bool) {
		h, ok := x.histogram(ttft)
		if !ok {
			return model.Value{}, false
		}
		late, ok := h.Above(objective)
		if !ok {
			return model.Value{}, false
		}
		lost := x.lost()
		if n := h.Count() + lost; n > 0.5 {
			return model.Known((late.V + lost) / n), true
		}
		return model.Value{}, false
	}}
}

// lost are the requests that were refused or failed: HTTP answers other than 2xx, else what the engine
// itself counts.
func (x total) lost() float64 {
	all, seen := x.sum(answered)
	good, ok := x.sum(succeeded)
	if seen && ok && all > 0 {
		return max(all-good, 0)
	}
	n, _ := x.sum(failed)
	return n
}

// lostShare is their share of everything that was answered.
func lostShare(x total) (model.Value, bool) {
	n, seen := x.sum(answered)
	if !seen || n < 0.5 {
		n, seen = x.sum(finished)
	}
	if !seen || n < 0.5 {
		return model.Value{}, false
	}
	return model.Known(min(x.lost()/n, 1)), true
}

// The loads that are compared.
var (
	arrivalRate = figure{signal: arrivals, name: "arrivals", unit: "requests/s", of: rateOf(arrivals)}
	inHand      = figure{signal: "in_engine", name: "requests in the server", unit: "requests", of: func(x total) (model.Value, bool) {
		r, ok := x.rate(running)
		w, okWaiting := x.rate(waiting)
		return model.Known(r.V + w.V), ok && okWaiting
	}}
	// A prompt counts when its prefill ends, as a first token does; prompt lengths by request are seen
	// only when it finishes, which in a growing queue are the lucky ones.
	promptMean = figure{signal: promptLen, name: "prompts", unit: "tokens", of: func(x total) (model.Value, bool) {
		n, ok := x.sum(prompts)
		if c := x.count(ttft); ok && c > 0.5 {
			return model.Known(n / c), true
		}
		return model.Value{}, false
	}}
	outputMean = figure{signal: outputLen, name: "outputs", unit: "tokens", of: meanOf(outputLen)}
)

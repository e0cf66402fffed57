package bench

// Figures are what two runs are compared by, under the names of the signals that mean the same of a server.
func (r *Run) Figures() map[string]float64 {
	out := map[string]float64{}
	put := func(name string, v *float64) {
		if v != nil {
			out[name] = *v
		}
	}
	for name, t := range map[string]*Times{"ttft": r.TTFT, "tpot": r.TPOT, "itl": r.ITL, "e2e": r.E2E} {
		r.carried(name, t, put)
	}
	put("gen_tokens_per_s", r.OutputS)
	put("tokens_per_s", r.TotalS)
	put("requests_finished_per_s", r.RequestsS)
	put("requests_good_per_s", r.GoodS)
	return out
}

// carried puts the mean of a latency, and its quantiles as far as enough requests stand behind them: 20 for P50, 50 for P90, 100 for P99.
func (r *Run) carried(name string, t *Times, put func(string, *float64)) {
	if t == nil {
		return
	}
	put(name+"_mean_s", t.Mean)
	for _, q := range []struct {
		name  string
		v     *float64
		least float64
	}{{"p50", t.P50, 20}, {"p90", t.P90, 50}, {"p99", t.P99, 100}} {
		if r.Completed == nil || *r.Completed >= q.least {
			put(name+"_"+q.name+"_s", q.v)
		}
	}
}

// SameLoad says whether two runs were asked for the same: workload, rate, limit in flight.
func (r *Run) SameLoad(o *Run) bool {
	same := func(a, b *float64) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return *a <= 1.05**b && *b <= 1.05**a
	}
	return r.Kind == o.Kind && r.Workload == o.Workload && r.Unlimited == o.Unlimited && same(r.Rate, o.Rate) && same(r.Cap, o.Cap)
}

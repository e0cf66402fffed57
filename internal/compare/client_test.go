package compare_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/compare"
)

// client is a run of n requests whose latencies are lognormal and lean on their neighbours (AR(1) with rho), times a factor.
func client(n int, rho, factor float64, seed uint64) compare.Client {
	rng := rand.New(rand.NewPCG(seed, 7))
	c := compare.Client{
		Name: "run.json", Tool: "vllm bench serve", Workload: "ShareGPT", Unlimited: true, Cap: p(32), Prompt: p(200), Output: p(180),
		Completed: p(float64(n)), Failed: p(0), Figures: map[string]float64{}, Requests: map[string][]float64{},
	}
	for _, kind := range []struct {
		id   string
		mean float64
	}{{"ttft", 0.4}, {"tpot", 0.03}, {"e2e", 6}} {
		x, vs := rng.NormFloat64(), make([]float64, n)
		for i := range vs {
			x = rho*x + math.Sqrt(1-rho*rho)*rng.NormFloat64()
			vs[i] = factor * kind.mean * math.Exp(0.5*x)
		}
		c.Requests[kind.id] = vs
		sorted := slices.Sorted(slices.Values(vs))
		sum := 0.0
		for _, v := range vs {
			sum += v
		}
		c.Figures[kind.id+"_mean_s"] = sum / float64(n)
		c.Figures[kind.id+"_p50_s"], c.Figures[kind.id+"_p90_s"], c.Figures[kind.id+"_p99_s"] = sorted[n/2], sorted[n*9/10], sorted[n*99/100]
	}
	c.Figures["gen_tokens_per_s"] = 32 * 180 / c.Figures["e2e_mean_s"]
	return c
}

func p(v float64) *float64 { return &v }

func with(c compare.Client, change func(*compare.Client)) compare.Client {
	change(&c)
	return c
}

func summary(c *compare.Client) { c.Requests = nil }

func TestClientsAreComparedBySingleRequests(t *testing.T) {
	base := client(1000, 0.3, 1, 1)
	for name, x := range map[string]struct {
		before, after compare.Client
		want          compare.Verdict
		why           string
	}{
		"the same server":                       {base, client(1000, 0.3, 1, 2), compare.Unchanged, "no latency or rate moved"},
		"all latencies by four tenths less":     {base, client(1000, 0.3, 0.6, 3), compare.Improved, "E2E mean"},
		"all latencies twice as long":           {base, client(1000, 0.3, 2, 3), compare.Worse, "TTFT"},
		"too few requests to tell":              {client(40, 0.9, 1, 1), client(40, 0.9, 1, 4), compare.CannotTell, "send more requests"},
		"ten requests":                          {client(10, 0, 1, 1), client(10, 0, 0.1, 4), compare.CannotTell, "10 answers"},
		"another workload":                      {base, with(client(1000, 0.3, 0.6, 3), func(c *compare.Client) { c.Workload = "random" }), compare.CannotTell, "load was another"},
		"faster under twice the clients":        {base, with(client(1000, 0.3, 0.6, 3), func(c *compare.Client) { c.Cap = p(64) }), compare.Improved, "under more load"},
		"slower under twice the clients":        {base, with(client(1000, 0.3, 2, 3), func(c *compare.Client) { c.Cap = p(64) }), compare.CannotTell, "load was another"},
		"a tenth of the requests fails":         {base, with(client(1000, 0.3, 0.6, 3), func(c *compare.Client) { c.Completed, c.Failed = p(900), p(100) }), compare.Worse, "10 % after fail"},
		"a summary that is three times as fast": {with(base, summary), with(client(1000, 0.3, 1.0/3, 3), summary), compare.Improved, "TTFT"},
		"a summary that is a fifth slower":      {with(base, summary), with(client(1000, 0.3, 1.2, 1), summary), compare.CannotTell, "without single requests"},
		"a summary of the same":                 {with(base, summary), with(base, summary), compare.CannotTell, "without single requests"},
		"a rate against clients that wait":      {base, with(base, func(c *compare.Client) { c.Rate, c.Cap, c.Unlimited = p(4), nil, false }), compare.CannotTell, "load was another"},
		"nothing in common":                     {compare.Client{Name: "a"}, compare.Client{Name: "b"}, compare.CannotTell, "no figure in common"},
	} {
		r := compare.Clients(x.before, x.after, compare.Options{})
		if r.Verdict != x.want || !strings.Contains(r.Why, x.why) {
			t.Errorf("%s: %s (%s), want %s (… %s …)", name, r.Verdict, r.Why, x.want, x.why)
		}
	}
}

func TestAnIntervalNeedsSingleRequestsOnBothSides(t *testing.T) {
	base := client(1000, 0.3, 1, 1)
	for _, m := range compare.Clients(base, client(1000, 0.3, 0.6, 2), compare.Options{}).Metrics {
		single := strings.HasPrefix(m.Signal, "t") || strings.HasPrefix(m.Signal, "e2e")
		if single != (m.Interval != nil) {
			t.Errorf("%s: interval %v", m.Signal, m.Interval)
		}
	}
	r := compare.Clients(base, with(base, summary), compare.Options{})
	for _, m := range r.Metrics {
		if m.Interval != nil {
			t.Errorf("%s has an interval without single requests on one side", m.Signal)
		}
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "--save-detailed") {
		t.Errorf("notes do not say why: %q", r.Notes)
	}
}

func TestIntervalsOfRequestsHoldTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	const trials = 200
	for _, rho := range []float64{0, 0.6} {
		held := map[string]int{}
		for i := range uint64(trials) {
			r := compare.Clients(client(300, rho, 1, 2*i+1), client(300, rho, 1, 2*i+2), compare.Options{Resamples: 300})
			for _, m := range r.Metrics {
				if m.Interval != nil && *m.Interval[0] <= 1 && 1 <= *m.Interval[1] {
					held[m.Signal]++
				}
			}
		}
		for _, id := range []string{"ttft_mean_s", "ttft_p50_s", "ttft_p99_s", "e2e_mean_s"} {
			share := float64(held[id]) / trials
			t.Logf("neighbours correlated by %.1f: the 95 %% interval of %s held the truth in %.0f %%", rho, id, 100*share)
			if share < 0.88 {
				t.Errorf("rho %.1f: %s held in %.2f", rho, id, share)
			}
		}
	}
}

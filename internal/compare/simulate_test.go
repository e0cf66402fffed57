package compare_test

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
)

// server is a made-up one: requests come at a rate, and their first token takes a log-normal time whose
// median wanders from step to step as a queue does.
type simulated struct {
	rate    float64 // requests a second
	median  float64 // seconds
	spread  float64 // sigma of the logarithm
	wander  float64 // sigma of the median's logarithm
	persist float64 // correlation of neighbouring steps
	steps   int
}

// edges are fine enough that interpolation costs little, so that the test is of the intervals alone.
func edges() []float64 {
	var out []float64
	for e := 0.001; e < 1000; e *= 1.15 {
		out = append(out, e)
	}
	return append(out, math.Inf(1))
}

func (m simulated) side(rng *rand.Rand) compare.Side {
	const stepMs = 2000
	s := compare.Side{
		Target: model.LabelsFrom(map[string]string{"instance": "a:8000"}), Engine: "vllm",
		Gains:  map[string][]float64{"gen_tokens": nil, "requests_finished": nil, "arrivals": nil},
		Levels: map[string][]float64{"running": nil, "waiting": nil}, Histograms: map[string]compare.Histogram{},
	}
	bounds := edges()
	first, gap := compare.Histogram{Edges: bounds}, compare.Histogram{Edges: bounds}
	drift := rng.NormFloat64() * m.wander
	for i := range m.steps {
		drift = m.persist*drift + math.Sqrt(1-m.persist*m.persist)*rng.NormFloat64()*m.wander
		n := poisson(rng, m.rate*stepMs/1000)
		wait, sum := draw(rng, bounds, n, m.median*math.Exp(drift), m.spread)
		first.Counts, first.Sums = append(first.Counts, wait), append(first.Sums, sum)
		pace, sum := draw(rng, bounds, n*20, 0.02, 0.2)
		gap.Counts, gap.Sums = append(gap.Counts, pace), append(gap.Sums, sum)
		s.From, s.To = append(s.From, int64(i)*stepMs), append(s.To, int64(i+1)*stepMs)
		s.Restarted = append(s.Restarted, false)
		s.Gains["gen_tokens"] = append(s.Gains["gen_tokens"], float64(n)*20)
		s.Gains["requests_finished"] = append(s.Gains["requests_finished"], float64(n))
		s.Gains["arrivals"] = append(s.Gains["arrivals"], float64(n))
		s.Levels["running"] = append(s.Levels["running"], float64(poisson(rng, m.rate)))
		s.Levels["waiting"] = append(s.Levels["waiting"], 0)
	}
	s.Histograms["ttft_mean_s"], s.Histograms["itl_mean_s"] = first, gap
	s.Scrapes = m.steps + 1
	return s
}

// draw spreads n log-normal times over the buckets.
func draw(rng *rand.Rand, bounds []float64, n int, median, spread float64) (counts []float64, sum float64) {
	counts = make([]float64, len(bounds))
	for range n {
		v := median * math.Exp(spread*rng.NormFloat64())
		i, _ := slices.BinarySearch(bounds, v)
		counts[i]++
		sum += v
	}
	return counts, sum
}

func poisson(rng *rand.Rand, mean float64) int {
	n, limit, p := 0, math.Exp(-mean), rng.Float64()
	for p > limit {
		n++
		p *= rng.Float64()
	}
	return n
}

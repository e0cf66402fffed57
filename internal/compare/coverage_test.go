package compare_test

import (
	"math/rand/v2"
	"testing"

	"github.com/inferdx/inferdx/internal/compare"
)

// The true ratio is that of the medians: everything else about both servers is the same, and their
// wandering is drawn anew in every trial.
func TestIntervalsCoverTheTrueRatio(t *testing.T) {
	trials := 300
	if testing.Short() {
		trials = 100
	}
	for _, c := range []struct {
		name  string
		model simulated
		ratio float64
	}{
		{"17 steps, nothing wanders", simulated{rate: 10, median: 0.2, spread: 0.5, steps: 17}, 1},
		{"17 steps, five times faster", simulated{rate: 10, median: 1, spread: 0.5, steps: 17}, 0.2},
		{"17 steps, the median wanders", simulated{rate: 10, median: 0.2, spread: 0.5, wander: 0.3, persist: 0.3, steps: 17}, 1},
		{"17 steps, it wanders slowly", simulated{rate: 10, median: 0.2, spread: 0.5, wander: 0.3, persist: 0.6, steps: 17}, 2},
		{"8 steps", simulated{rate: 15, median: 0.2, spread: 0.5, wander: 0.2, persist: 0.3, steps: 8}, 0.5},
		{"240 steps, it wanders slowly", simulated{rate: 5, median: 0.2, spread: 0.5, wander: 0.3, persist: 0.8, steps: 240}, 1.3},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 11))
			covered, seen := map[string]int{}, map[string]int{}
			for range trials {
				after := c.model
				after.median *= c.ratio
				r := compare.Run(c.model.side(rng), after.side(rng), compare.Options{Resamples: 400})
				for _, m := range r.Metrics {
					if m.Interval == nil || m.Interval[0] == nil || m.Interval[1] == nil {
						continue
					}
					seen[m.Signal]++
					if *m.Interval[0] <= c.ratio && c.ratio <= *m.Interval[1] {
						covered[m.Signal]++
					}
				}
			}
			for _, id := range []string{"ttft_p50_s", "ttft_mean_s", "ttft_p99_s"} {
				share := float64(covered[id]) / float64(max(seen[id], 1))
				t.Logf("%s: %.3f of %d", id, share, seen[id])
				if seen[id] < trials*9/10 {
					t.Errorf("%s has an interval in %d of %d trials", id, seen[id], trials)
				}
				// The test's own error is about 0.013 at 300 trials; below 0.92 an interval promises too much.
				if share < 0.92 && !testing.Short() || share < 0.88 {
					t.Errorf("the 95 %% interval of %s holds the true ratio in %.3f of the trials", id, share)
				}
			}
		})
	}
}

func TestTwoRunsOfTheSameServerAreRarelyCalledDifferent(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	n := map[compare.Verdict]int{}
	trials := 300
	for range trials {
		m := simulated{rate: 4 + 10*rng.Float64(), median: 0.05 + rng.Float64(), spread: 0.6, wander: 0.3, persist: 0.6 * rng.Float64(), steps: 8 + rng.IntN(25)}
		n[compare.Run(m.side(rng), m.side(rng), compare.Options{Resamples: 1000}).Verdict]++
	}
	t.Log(n)
	if wrong := n[compare.Improved] + n[compare.Worse]; wrong > trials*5/100 {
		t.Errorf("%d of %d pairs of the same server are called improved or worse", wrong, trials)
	}
}

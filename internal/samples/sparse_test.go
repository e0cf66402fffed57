package samples_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/inferdx/inferdx/internal/samples"
)

// TestFewSamplesKeepWhatACounterGained holds the gain over what Sparse picks against that over all samples:
// of counters that are reset at random, with gaps and numbers that are none.
func TestFewSamplesKeepWhatACounterGained(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for run := range 300 {
		var ps []samples.Point
		v := float64(r.IntN(1000))
		for i := range 200 {
			switch r.IntN(20) {
			case 0:
				v = float64(r.IntN(5))
			case 1:
				continue
			case 2:
				ps = append(ps, samples.Point{T: int64(i * 15_000), V: math.NaN()})
				continue
			}
			v += float64(r.IntN(10))
			ps = append(ps, samples.Point{T: int64(i * 15_000), V: v})
		}
		for _, cell := range []int64{60_000, 600_000, 3_000_000} {
			few := samples.Sparse{Cell: cell}.Thin(ps)
			want, _, _ := samples.Increase(ps)
			got, _, _ := samples.Increase(few)
			if got != want || few[0].T != ps[0].T || few[len(few)-1].T != ps[len(ps)-1].T {
				t.Fatalf("run %d, cells of %d: gained %g of %d samples, %g of all %d", run, cell, got, len(few), want, len(ps))
			}
		}
	}
}

func TestACounterWithoutResetsKeepsTwoSamples(t *testing.T) {
	var ps []samples.Point
	for i := range 1440 {
		ps = append(ps, samples.Point{T: int64(i) * 15_000, V: float64(i)})
	}
	if few := (samples.Sparse{Cell: 1 << 40}).Thin(ps); len(few) != 2 {
		t.Errorf("kept %v", few)
	}
	for i := range ps { // a gauge falls all the time
		ps[i].V = float64(i % 2)
	}
	if few := (samples.Sparse{Cell: 1 << 40}).Thin(ps); len(few) > 130 {
		t.Errorf("kept %d samples of a gauge", len(few))
	}
}

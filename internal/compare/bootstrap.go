package compare

import (
	"math"
	"math/rand/v2"
	"sort"

	"github.com/inferdx/inferdx/internal/model"
)

// sample is a side's table with what resampling needs.
type sample struct {
	*table

	whole total
	block int
}

func newSample(s Side) *sample {
	t := newTable(s)
	return &sample{table: t, whole: t.all(), block: blockOf(s)}
}

// blocks is how many independent pieces the side is taken for.
func (s *sample) blocks() float64 { return float64(s.steps) / float64(s.block) }

// blockOf chooses how many neighbouring steps are drawn together. Scrapes two seconds apart see the
// same queue and partly the same requests, so single steps would make intervals far too short. The
// rule is the plug-in for an AR(1) process (Carlstein 1986), taken for the most persistent of the
// requests in hand, the token rate and the mean wait, and never over a quarter of the side. It is
// doubled: the rule is that of the best variance, and the noise of few requests hides persistence.
func blockOf(s Side) int {
	n := s.Len()
	if n < 4 {
		return 1
	}
	inEngine, rate, wait := make([]float64, n), make([]float64, n), make([]float64, 0, n)
	for i := range n {
		inEngine[i] = s.inEngine(i)
		rate[i] = s.gain(tokens, i) / s.stepSeconds(i)
		if c := s.observations(ttft, i); c > 0 && s.Histograms[ttft].Sums != nil {
			wait = append(wait, s.Histograms[ttft].Sums[i]/c)
		}
	}
	rho := max(persistence(inEngine), persistence(rate), persistence(wait), 0)
	length := 2 * math.Pow(math.Sqrt(6)*rho/(1-rho*rho), 2.0/3) * math.Cbrt(float64(n))
	return int(min(max(math.Ceil(length), 1), float64(n/4)))
}

// persistence is the correlation of neighbours, its bias in short series put right, below 0.95.
func persistence(v []float64) float64 {
	n := float64(len(v))
	if n < 4 {
		return 0
	}
	mean := 0.0
	for _, x := range v {
		mean += x / n
	}
	var with, own float64
	for i, x := range v {
		own += (x - mean) * (x - mean)
		if i > 0 {
			with += (x - mean) * (v[i-1] - mean)
		}
	}
	if own <= 0 {
		return 0
	}
	rho := with / own
	return min(rho+(1+3*rho)/n, 0.95)
}

// resample draws circular blocks until the side's length is reached, n times, and gives the ends of
// every figure for each draw: [figure][draw].
func (s *sample) resample(figures []figure, n int, rng *rand.Rand) (lo, hi [][]float64) {
	lo, hi = make([][]float64, len(figures)), make([][]float64, len(figures))
	for i := range figures {
		lo[i], hi[i] = make([]float64, n), make([]float64, n)
	}
	x := s.total()
	for draw := range n {
		clear(x.row)
		for left := s.steps; left > 0; left -= s.block {
			x.add(rng.IntN(s.steps), min(s.block, left))
		}
		for i, f := range figures {
			lo[i][draw], hi[i][draw] = math.NaN(), math.NaN()
			if v, ok := f.of(x); ok {
				lo[i][draw], hi[i][draw] = ends(v)
			}
		}
	}
	return lo, hi
}

// ratio is a figure after by before: where it lies when both are bounds, and all its draws, sorted.
type ratio struct {
	figure

	before, after     model.Value
	okBefore, okAfter bool
	lo, hi            float64 // of the sides as they are
	drawsLo, drawsHi  []float64
	apart             []float64 // after less before, sorted
	blocks, lots      float64
	// summary says that the values are all that is known: nothing can be drawn again.
	summary bool
}

func (r ratio) known() bool { return r.okBefore && r.okAfter }

// draws compares every figure of two samples.
func draws(before, after *sample, figures []figure, o Options) []ratio {
	n := o.Resamples
	bLo, bHi := before.resample(figures, n, rand.New(rand.NewPCG(o.Seed, 1)))
	aLo, aHi := after.resample(figures, n, rand.New(rand.NewPCG(o.Seed, 2)))
	out := make([]ratio, len(figures))
	for i, f := range figures {
		r := ratio{figure: f, blocks: min(before.blocks(), after.blocks())}
		r.before, r.okBefore = f.of(before.whole)
		r.after, r.okAfter = f.of(after.whole)
		if r.known() {
			bl, bh := ends(r.before)
			al, ah := ends(r.after)
			r.lo, r.hi = al/bh, ah/bl
			for j := range n {
				if d := aLo[i][j] - bLo[i][j]; !math.IsNaN(d) && !math.IsInf(d, 0) {
					r.apart = append(r.apart, d)
				}
				l, h := aLo[i][j]/bHi[i][j], aHi[i][j]/bLo[i][j]
				if !math.IsNaN(l) && !math.IsNaN(h) {
					r.drawsLo, r.drawsHi = append(r.drawsLo, l), append(r.drawsHi, h)
				}
			}
			sort.Float64s(r.drawsLo)
			sort.Float64s(r.drawsHi)
			sort.Float64s(r.apart)
		}
		r.lots = float64(n)
		out[i] = r
	}
	return out
}

// interval holds the true ratio with the given confidence. Percentiles of few blocks are too narrow;
// they are widened, in the logarithm, as Student's t widens the normal's. ok is false where too few
// draws have the figure, or nothing bounds it on either side.
func (r ratio) interval(level float64) (lo, hi float64, ok bool) {
	if !r.known() || len(r.drawsLo) == 0 || float64(len(r.drawsLo)) < r.lots/2 {
		return 0, 0, false
	}
	tail := (1 - level) / 2
	k := r.factor(tail)
	lo = widen(r.lo, percentile(r.drawsLo, tail), k)
	hi = widen(r.hi, percentile(r.drawsHi, 1-tail), k)
	lo, hi = min(lo, r.lo), max(hi, r.hi)
	return lo, hi, !math.IsNaN(lo) && !math.IsNaN(hi) && (lo > 0 || !math.IsInf(hi, 1))
}

// factor is how much wider than its percentiles an interval of few blocks must be.
func (r ratio) factor(tail float64) float64 {
	m := max(r.blocks, 4)
	return student(1-tail, m-1) / normal(1-tail) * math.Sqrt(m/(m-1))
}

func widen(point, end, k float64) float64 {
	if point <= 0 || end <= 0 || math.IsInf(point, 0) || math.IsInf(end, 0) {
		return end
	}
	return point * math.Pow(end/point, k)
}

// normal is the quantile of the standard normal distribution.
func normal(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// student is the quantile of Student's t by its expansion around the normal's (Abramowitz and Stegun
// 26.7.5), good to about 2 % from three degrees of freedom on.
func student(p, freedom float64) float64 {
	z := normal(p)
	z2 := z * z
	return z * (1 + (z2+1)/(4*freedom) + ((5*z2+16)*z2+3)/(96*freedom*freedom) +
		(((3*z2+19)*z2+17)*z2-15)/(384*freedom*freedom*freedom))
}

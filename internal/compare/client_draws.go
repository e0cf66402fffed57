package compare

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// leastRequests is how many single requests each side needs for an interval of a mean or a median, of P90 and of P99.
func leastRequests(p float64) int {
	switch {
	case p > 0.9:
		return leastTail
	case p > 0.5:
		return 50
	}
	return leastMiddle
}

// mostDrawn bounds the requests that are drawn over all resamples of one figure.
const mostDrawn = 400_000_000

// drawRequests fills in the draws of a figure: requests drawn again in blocks of neighbours, which waited in the same queue.
func (r *ratio) drawRequests(before, after []float64, p float64, o Options) {
	b, a := newRequests(before), newRequests(after)
	if least := leastRequests(p); len(b.values) < least || len(a.values) < least {
		return
	}
	n := min(o.Resamples, max(200, mostDrawn/(len(b.values)+len(a.values))))
	draw := func(q *requests, stream uint64) []float64 {
		return q.resample(n, p, rand.New(rand.NewPCG(o.Seed, stream)))
	}
	db, da := draw(b, 1), draw(a, 2)
	for i := range n {
		if x := da[i] / db[i]; !math.IsNaN(x) && !math.IsInf(x, 0) {
			r.drawsLo, r.apart = append(r.drawsLo, x), append(r.apart, da[i]-db[i])
		}
	}
	sort.Float64s(r.drawsLo)
	sort.Float64s(r.apart)
	r.drawsHi, r.lots, r.summary = r.drawsLo, float64(n), false
	r.blocks = math.Min(float64(len(b.values))/float64(b.block), float64(len(a.values))/float64(a.block))
}

// requests are latencies in the order in which they were sent, and the same sorted by length.
type requests struct {
	values []float64
	order  []int
	block  int
	counts []int
}

func newRequests(values []float64) *requests {
	q := &requests{values: slices.DeleteFunc(slices.Clone(values), math.IsNaN)}
	n := len(q.values)
	q.order, q.counts = make([]int, n), make([]int, n+1)
	for i := range q.order {
		q.order[i] = i
	}
	slices.SortFunc(q.order, func(i, j int) int { return cmp.Compare(q.values[i], q.values[j]) })
	// As blockOf: Carlstein's rule for an AR(1) process, doubled, at most a quarter of the run.
	rho := max(persistence(q.values), 0)
	length := 2 * math.Pow(math.Sqrt(6)*rho/(1-rho*rho), 2.0/3) * math.Cbrt(float64(n))
	q.block = int(min(max(math.Ceil(length), 1), max(float64(n/4), 1)))
	return q
}

// resample draws circular blocks n times and gives the mean (p 0) or the quantile of each draw.
func (q *requests) resample(n int, p float64, rng *rand.Rand) []float64 {
	out := make([]float64, n)
	size := len(q.values)
	for i := range out {
		clear(q.counts)
		for left := size; left > 0; left -= q.block {
			q.take(rng.IntN(size), min(q.block, left))
		}
		// counts holds where blocks begin and end; its running sum is how often each request was drawn.
		for k := 1; k < size; k++ {
			q.counts[k] += q.counts[k-1]
		}
		if p == 0 {
			out[i] = q.mean()
		} else {
			out[i] = q.quantile(p)
		}
	}
	return out
}

func (q *requests) take(start, n int) {
	end := start + n
	if size := len(q.values); end > size {
		q.take(0, end-size)
		end = size
	}
	q.counts[start]++
	q.counts[end]--
}

func (q *requests) mean() float64 {
	sum, n := 0.0, 0
	for k, v := range q.values {
		sum, n = sum+v*float64(q.counts[k]), n+q.counts[k]
	}
	return sum / float64(n)
}

func (q *requests) quantile(p float64) float64 {
	want, seen := p*float64(len(q.values)-1), 0
	for _, k := range q.order {
		if seen += q.counts[k]; float64(seen) > want {
			return q.values[k]
		}
	}
	return q.values[q.order[len(q.order)-1]]
}

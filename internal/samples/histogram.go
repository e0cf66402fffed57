package samples

import (
	"math"
	"sort"

	"github.com/inferdx/inferdx/internal/model"
)

// Histogram is what a classic histogram gained inside a window: cumulative counts by upper edge,
// and the gain of its sum. Edges ascend and end with +Inf.
type Histogram struct {
	Edges  []float64
	Cum    []float64
	Sum    float64
	HasSum bool
	// Rate is the observations per second, by PromQL's rate as of any counter.
	Rate float64
}

// Count is the number of observations.
func (h Histogram) Count() float64 {
	if len(h.Cum) == 0 {
		return 0
	}
	return h.Cum[len(h.Cum)-1]
}

// Gain adds up the increase of bucket series (several ranks or label values may be folded) over a
// window. `le="1"` and `le="1.0"` are one edge. ok is false when the +Inf bucket has not two samples.
func Gain(buckets, sums []*Series, w Window) (Histogram, bool) {
	var h Histogram
	ok := h.Read(buckets, sums, w)
	return h, ok
}

// Read is Gain into the memory of an earlier histogram, whose content is lost.
func (h *Histogram) Read(buckets, sums []*Series, w Window) bool {
	if cap(h.Edges) < len(buckets) {
		h.Edges, h.Cum = make([]float64, 0, len(buckets)), make([]float64, 0, len(buckets))
	}
	*h = Histogram{Edges: h.Edges[:0], Cum: h.Cum[:0]}
	ascending := true
	for _, b := range buckets {
		if math.IsNaN(b.edge) {
			continue
		}
		inc, _, ok := Increase(w.In(b.Points))
		if !ok {
			continue
		}
		if n := len(h.Edges); n > 0 && b.edge <= h.Edges[n-1] {
			ascending = false
		}
		h.Edges, h.Cum = append(h.Edges, b.edge), append(h.Cum, inc)
		if math.IsInf(b.edge, 1) {
			rate, _ := Rate(w.In(b.Points), w)
			h.Rate += rate
		}
	}
	if len(h.Edges) == 0 {
		return false
	}
	if !ascending { // several ranks, or buckets in the order of text
		h.merge()
	}
	if !math.IsInf(h.Edges[len(h.Edges)-1], 1) { // how many were above the last edge, nobody knows
		return false
	}
	for i := 1; i < len(h.Cum); i++ { // a torn scrape can leave a bucket behind its smaller neighbour
		h.Cum[i] = max(h.Cum[i], h.Cum[i-1])
	}
	for _, s := range sums {
		if inc, _, ok := Increase(w.In(s.Points)); ok {
			h.Sum += inc
			h.HasSum = true
		}
	}
	return true
}

// merge sorts by edge and adds up the counts of equal edges.
func (h *Histogram) merge() {
	byEdge := map[float64]float64{}
	for i, e := range h.Edges {
		byEdge[e] += h.Cum[i]
	}
	h.Edges, h.Cum = h.Edges[:0], h.Cum[:0]
	for e := range byEdge {
		h.Edges = append(h.Edges, e)
	}
	sort.Float64s(h.Edges)
	for _, e := range h.Edges {
		h.Cum = append(h.Cum, byEdge[e])
	}
}

// Quantile interpolates inside the bucket where the rank falls. In the first bucket the answer is
// only known to be at most its edge, in the +Inf bucket at least the last finite edge.
// ok is false when there is no observation, or no finite edge at all.
func (h Histogram) Quantile(phi float64) (model.Value, bool) {
	n := h.Count()
	if n <= 0 || len(h.Edges) < 2 {
		return model.Value{}, false
	}
	rank := phi * n
	i := sort.Search(len(h.Cum), func(i int) bool { return h.Cum[i] >= rank })
	if i >= len(h.Cum) {
		i = len(h.Cum) - 1
	}
	switch {
	case math.IsInf(h.Edges[i], 1):
		return model.Value{V: h.Edges[i-1], Bound: model.AtLeast, N: n}, true
	case i == 0:
		return model.Value{V: h.Edges[0], Bound: model.AtMost, N: n}, true
	}
	lo, hi := h.Edges[i-1], h.Edges[i]
	below, in := h.Cum[i-1], h.Cum[i]-h.Cum[i-1]
	return model.Value{V: lo + (hi-lo)*(rank-below)/in, N: n}, true
}

// Mean is sum by count; ok is false without observations or without a sum series.
func (h Histogram) Mean() (model.Value, bool) {
	if n := h.Count(); n > 0 && h.HasSum {
		return model.Value{V: h.Sum / n, N: n}, true
	}
	return model.Value{}, false
}

// Above counts the observations known to be larger than bound: those above the first edge that is
// not below it. Where the bound lies inside a bucket, those in the bucket may be larger, too.
func (h Histogram) Above(bound float64) (model.Value, bool) {
	if len(h.Edges) < 2 {
		return model.Value{}, false
	}
	i := sort.SearchFloat64s(h.Edges, bound)
	if i >= len(h.Edges) || math.IsInf(h.Edges[i], 1) {
		return model.Value{}, false
	}
	v := model.Value{V: h.Count() - h.Cum[i], N: h.Count()}
	if most, ok := h.AboveMost(bound); ok && h.Edges[i] > bound && most.V > v.V {
		v.Bound, v.Most = model.AtLeast, most.V
	}
	return v, true
}

// AboveMost bounds the observations larger than bound from above: those above the last edge that is
// not above it, all of them when there is none.
func (h Histogram) AboveMost(bound float64) (model.Value, bool) {
	if len(h.Edges) < 2 {
		return model.Value{}, false
	}
	v := model.Value{V: h.Count(), N: h.Count(), Bound: model.AtMost}
	for i, e := range h.Edges {
		if e > bound {
			break
		}
		v.V = h.Count() - h.Cum[i]
		if e == bound {
			v.Bound = model.Exact
		}
	}
	return v, true
}

// Longest bounds the largest observation from below: some observation was above the lower edge of
// the highest bucket that gained one (0 in the first bucket).
func (h Histogram) Longest() (model.Value, bool) {
	i, ok := h.highest()
	if !ok {
		return model.Value{}, false
	}
	v := model.Value{Bound: model.AtLeast, N: h.Count()}
	if i > 0 {
		v.V = h.Edges[i-1]
	}
	return v, true
}

// Ceiling bounds the largest observation from above by the upper edge of that bucket; false when
// that is +Inf.
func (h Histogram) Ceiling() (model.Value, bool) {
	i, ok := h.highest()
	if !ok || math.IsInf(h.Edges[i], 1) {
		return model.Value{}, false
	}
	return model.Value{V: h.Edges[i], Bound: model.AtMost, N: h.Count()}, true
}

// highest is the index of the highest bucket that gained an observation.
func (h Histogram) highest() (int, bool) {
	for i := len(h.Cum) - 1; i >= 0; i-- {
		if i > 0 && h.Cum[i] > h.Cum[i-1] || i == 0 && h.Cum[0] > 0 {
			return i, true
		}
	}
	return 0, false
}

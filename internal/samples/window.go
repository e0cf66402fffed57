package samples

import (
	"math"
	"sort"
)

// Window is a half-open stretch of time (From, To] in milliseconds, as a PromQL range selector reads it.
type Window struct{ From, To int64 }

// Seconds is the length of the window.
func (w Window) Seconds() float64 { return float64(w.To-w.From) / 1000 }

// In returns the points of a series inside the window. NaN samples, among them Prometheus's
// staleness marker, are left out by every function of this package.
func (w Window) In(ps []Point) []Point {
	if n := len(ps); n == 0 || ps[0].T > w.From && ps[n-1].T <= w.To {
		return ps // most series lie wholly inside
	}
	lo := 0
	for lo < len(ps) && lo < 8 && ps[lo].T <= w.From { // a kept store has a few older points
		lo++
	}
	if lo == 8 {
		lo = sort.Search(len(ps), func(i int) bool { return ps[i].T > w.From })
	}
	if ps[len(ps)-1].T <= w.To {
		return ps[lo:]
	}
	hi := sort.Search(len(ps), func(i int) bool { return ps[i].T > w.To })
	return ps[lo:max(lo, hi)]
}

// Increase is what a counter grew by between its first and its last sample in the window, plus
// what it had reached before each reset. It is not extrapolated. ok is false under two samples.
func Increase(ps []Point) (inc float64, seconds float64, ok bool) {
	prev, n := Point{}, 0
	var first int64
	for _, p := range ps {
		if math.IsNaN(p.V) {
			continue
		}
		if n == 0 {
			first = p.T
		} else if p.V < prev.V {
			inc += p.V
		} else {
			inc += p.V - prev.V
		}
		prev = p
		n++
	}
	if n < 2 {
		return 0, 0, false
	}
	return inc, float64(prev.T-first) / 1000, true
}

// Total is a counter's value at its last sample, as if it had not been reset inside the window.
func Total(ps []Point) (float64, bool) {
	first, _, n := edges(ps)
	if n < 2 {
		return first.V, n == 1
	}
	inc, _, _ := Increase(ps)
	return first.V + inc, true
}

// Resets counts how often a counter fell.
func Resets(ps []Point) int {
	n := 0
	last := math.NaN()
	for _, p := range ps {
		if math.IsNaN(p.V) {
			continue
		}
		if p.V < last {
			n++
		}
		last = p.V
	}
	return n
}

// Rate is PromQL's rate over the window: extrapolated to the window's edges by at most half a
// sample interval (promql/functions.go extrapolatedRate, Prometheus 3.x).
func Rate(ps []Point, w Window) (float64, bool) {
	inc, sampled, ok := Increase(ps)
	if !ok || sampled <= 0 {
		return 0, false
	}
	first, last, n := edges(ps)
	toStart := float64(first.T-w.From) / 1000
	toEnd := float64(w.To-last.T) / 1000
	interval := sampled / float64(n-1)
	limit := interval * 1.1
	if toStart >= limit {
		toStart = interval / 2
	}
	if inc > 0 && first.V >= 0 {
		toStart = min(toStart, sampled*(first.V/inc))
	}
	if toEnd >= limit {
		toEnd = interval / 2
	}
	return inc * (sampled + toStart + toEnd) / sampled / w.Seconds(), true
}

func edges(ps []Point) (first, last Point, n int) {
	for _, p := range ps {
		if math.IsNaN(p.V) {
			continue
		}
		if n == 0 {
			first = p
		}
		last = p
		n++
	}
	return first, last, n
}

// Over folds the values of a gauge: avg, min, max, last, first, sum, count, or a quantile in [0, 1].
type Over struct {
	Fold string
	Phi  float64
}

// Apply returns the folded value; false when the window holds no value.
func (o Over) Apply(ps []Point) (float64, bool) {
	vs := make([]float64, 0, 32)
	for _, p := range ps {
		if !math.IsNaN(p.V) {
			vs = append(vs, p.V)
		}
	}
	if len(vs) == 0 {
		return 0, false
	}
	switch o.Fold {
	case "avg":
		return sum(vs) / float64(len(vs)), true
	case "sum":
		return sum(vs), true
	case "min":
		return extreme(vs, false), true
	case "max":
		return extreme(vs, true), true
	case "last":
		return vs[len(vs)-1], true
	case "first":
		return vs[0], true
	case "count":
		return float64(len(vs)), true
	case "changes":
		n := 0.0
		for i := 1; i < len(vs); i++ {
			if vs[i] != vs[i-1] {
				n++
			}
		}
		return n, true
	default:
		return quantile(o.Phi, vs), true
	}
}

func sum(vs []float64) float64 {
	t := 0.0
	for _, v := range vs {
		t += v
	}
	return t
}

func extreme(vs []float64, largest bool) float64 {
	e := vs[0]
	for _, v := range vs[1:] {
		if (v > e) == largest {
			e = v
		}
	}
	return e
}

// quantile interpolates between ranks, as PromQL's quantile_over_time does.
func quantile(phi float64, vs []float64) float64 {
	sort.Float64s(vs)
	rank := phi * float64(len(vs)-1)
	lo := math.Floor(rank)
	hi := min(lo+1, float64(len(vs)-1))
	f := rank - lo
	return vs[int(lo)]*(1-f) + vs[int(hi)]*f
}

// Slope is the least-squares growth of a gauge per second; false under three values or no time between.
func Slope(ps []Point) (float64, bool) {
	var n, sx, sy, sxy, sxx, base float64
	for _, p := range ps {
		if math.IsNaN(p.V) {
			continue
		}
		if n == 0 { // counting from the first value, a gauge that stands still has slope 0, not 1e-17
			base = p.V
		}
		x, y := float64(p.T-ps[0].T)/1000, p.V-base
		n++
		sx += x
		sy += y
		sxy += x * y
		sxx += x * x
	}
	d := n*sxx - sx*sx
	if n < 3 || d <= 0 {
		return 0, false
	}
	return (n*sxy - sx*sy) / d, true
}

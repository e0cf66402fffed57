package tsdb

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/inferdx/inferdx/internal/samples"
)

// spelling is the label of a packed histogram that says how its edges were written. It is absent where
// they are as OpenMetrics has them.
const spelling = "__le__"

// spellings are the ways to write an edge, by the value of that label.
func spellings() map[string]func(float64) string {
	return map[string]func(float64) string{
		"":      labels.FormatOpenMetricsFloat,
		"short": func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) },
		"plain": func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) },
	}
}

// layout is how the members of a histogram stand in its packed form; ok is false where they cannot.
type layout struct {
	ok         bool
	edges      []float64 // the finite ones, ascending
	buckets    []*Series // in order of edge, +Inf last
	sum, count *Series
	written    string // the spelling
	whole      single // the packed series
}

// arrange finds the layout of a histogram's members: all of _bucket with +Inf among them, _sum and
// _count, and edges whose texts can be told from their values.
func arrange(members []*Series) layout {
	var l layout
	values := map[*Series]float64{}
	for _, m := range members {
		switch m.part {
		case partSum:
			l.sum = m
		case partCount:
			l.count = m
		default:
			v, err := strconv.ParseFloat(m.labels.Get("le"), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, -1) {
				return layout{}
			}
			values[m] = v
			l.buckets = append(l.buckets, m)
		}
	}
	n := len(l.buckets)
	if n == 0 || l.sum == nil || l.count == nil {
		return layout{}
	}
	slices.SortFunc(l.buckets, func(a, b *Series) int { return cmp.Compare(values[a], values[b]) })
	for _, m := range l.buckets[:n-1] {
		l.edges = append(l.edges, values[m])
	}
	ascending := slices.IsSortedFunc(l.edges, func(a, b float64) int { return cmp.Or(cmp.Compare(a, b), 1) })
	if l.buckets[n-1].labels.Get("le") != "+Inf" || !ascending && n > 2 {
		return layout{}
	}
	for name, write := range spellings() {
		if !slices.ContainsFunc(l.buckets, func(m *Series) bool { return m.labels.Get("le") != write(values[m]) }) && (!l.ok || name < l.written) {
			l.ok, l.written = true, name
		}
	}
	return l
}

// biggest is the largest count that a float holds exactly.
const biggest = 1 << 53

// pack makes one histogram of what the members were given at a time; false where that would lose
// something: a member is missing, a bucket is smaller than the one below it, a count is no whole number.
func (l *layout) pack(at int64) (*histogram.Histogram, bool) {
	n := len(l.buckets)
	h := &histogram.Histogram{
		Schema: histogram.CustomBucketsSchema, CustomValues: l.edges, Sum: l.sum.last.V,
		PositiveSpans: []histogram.Span{{Length: uint32(n)}}, PositiveBuckets: make([]int64, n), //nolint:gosec // some dozens
	}
	if !l.sum.given || l.sum.last.T != at || math.IsNaN(h.Sum) {
		return nil, false
	}
	below, step := 0.0, 0.0
	for i, m := range l.buckets {
		v := m.last.V
		if !m.given || m.last.T != at || v < below || v != math.Trunc(v) || v > biggest || math.Signbit(v) {
			return nil, false
		}
		h.PositiveBuckets[i] = int64(v - below - step)
		below, step = v, v-below
	}
	if !l.count.given || l.count.last != (samples.Point{T: at, V: below}) {
		return nil, false
	}
	h.Count = uint64(below)
	return h, true
}

// unpack gives the cumulative counts of a histogram, those of +Inf last. Into is reused.
func unpack(h *histogram.Histogram, into []float64) []float64 {
	into = slices.Grow(into[:0], len(h.CustomValues)+1)[:len(h.CustomValues)+1]
	clear(into)
	at, k, n := 0, 0, int64(0)
	for _, s := range h.PositiveSpans {
		at += int(s.Offset)
		for range s.Length {
			n += h.PositiveBuckets[k]
			if at < len(into) {
				into[at] = float64(n)
			}
			at, k = at+1, k+1
		}
	}
	for i := 1; i < len(into); i++ {
		into[i] += into[i-1]
	}
	return into
}

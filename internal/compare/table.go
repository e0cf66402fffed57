package compare

import (
	"math"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// table holds one row of additive columns for each step: everything a figure is made of is a sum over
// steps, so that a resample of steps is a sum of rows. Sums of neighbouring rows come from prefixes.
type table struct {
	steps, width int
	prefix       []float64 // (steps+1) rows
	columns      map[string]int
	histograms   map[string]columns
}

// columns say where a histogram lies in a row.
type columns struct {
	edges    []float64
	at, sums int // sums is -1 without a sum series
}

const seconds = "seconds"

func newTable(s Side) *table {
	t := &table{steps: s.Len(), columns: map[string]int{seconds: 0}, histograms: map[string]columns{}, width: 1}
	for _, id := range append(append([]string{}, counterSignals...), arrivals) {
		if s.Gains[id] != nil {
			t.columns[id], t.width = t.width, t.width+1
		}
	}
	for _, id := range gaugeSignals {
		if s.Levels[id] != nil {
			t.columns[id], t.width = t.width, t.width+1
		}
	}
	for _, id := range histogramSignals {
		h, ok := s.Histograms[id]
		if !ok {
			continue
		}
		c := columns{edges: h.Edges, at: t.width, sums: -1}
		t.width += len(h.Edges)
		if h.Sums != nil {
			c.sums, t.width = t.width, t.width+1
		}
		t.histograms[id] = c
	}
	t.fill(s)
	return t
}

func (t *table) fill(s Side) {
	t.prefix = make([]float64, (t.steps+1)*t.width)
	for i := range t.steps {
		row := t.prefix[(i+1)*t.width : (i+2)*t.width]
		row[0] = s.stepSeconds(i)
		for id, g := range s.Gains {
			if c, ok := t.columns[id]; ok {
				row[c] = g[i]
			}
		}
		for id := range s.Levels {
			row[t.columns[id]] = s.level(id, i) * row[0]
		}
		for id, c := range t.histograms {
			h := s.Histograms[id]
			copy(row[c.at:], h.Counts[i])
			if c.sums >= 0 {
				row[c.sums] = h.Sums[i]
			}
		}
		for j, before := range t.prefix[i*t.width : (i+1)*t.width] {
			row[j] += before
		}
	}
}

// total is the sum of some rows, and answers for the figures made of them.
type total struct {
	*table

	row []float64
	cum []float64
}

func (t *table) total() total {
	longest := 0
	for _, c := range t.histograms {
		longest = max(longest, len(c.edges))
	}
	return total{table: t, row: make([]float64, t.width), cum: make([]float64, longest)}
}

// all is the sum over every step.
func (t *table) all() total {
	x := t.total()
	x.add(0, t.steps)
	return x
}

// add adds up n rows from a start on, going round at the end.
func (x total) add(start, n int) {
	end := start + n
	if end > x.steps {
		x.add(start, x.steps-start)
		start, end = 0, end-x.steps
	}
	from, to := x.prefix[start*x.width:(start+1)*x.width], x.prefix[end*x.width:(end+1)*x.width]
	for j := range x.row {
		x.row[j] += to[j] - from[j]
	}
}

func (x total) sum(id string) (float64, bool) {
	c, ok := x.columns[id]
	if !ok {
		return 0, false
	}
	return x.row[c], true
}

func (x total) rate(id string) (model.Value, bool) {
	v, ok := x.sum(id)
	if !ok || x.row[0] <= 0 {
		return model.Value{}, false
	}
	return model.Known(v / x.row[0]), true
}

// histogram reads one out of the row; it is good until the next call.
func (x total) histogram(id string) (samples.Histogram, bool) {
	c, ok := x.histograms[id]
	if !ok {
		return samples.Histogram{}, false
	}
	h := samples.Histogram{Edges: c.edges, Cum: x.cum[:len(c.edges)]}
	below := 0.0
	for i := range h.Cum {
		below += x.row[c.at+i]
		h.Cum[i] = below
	}
	if c.sums >= 0 {
		h.Sum, h.HasSum = x.row[c.sums], true
	}
	return h, true
}

func (x total) quantile(id string, phi float64) (model.Value, bool) {
	h, ok := x.histogram(id)
	if !ok || h.Count() < 0.5 { // what prefixes leave of nothing is not always 0
		return model.Value{}, false
	}
	return h.Quantile(phi)
}

func (x total) mean(id string) (model.Value, bool) {
	h, ok := x.histogram(id)
	if !ok || h.Count() < 0.5 {
		return model.Value{}, false
	}
	return h.Mean()
}

func (x total) count(id string) float64 {
	h, _ := x.histogram(id)
	return h.Count()
}

// ends are what a value may truly be.
func ends(v model.Value) (lo, hi float64) {
	switch v.Bound {
	case model.AtMost:
		return 0, v.V
	case model.AtLeast:
		return v.V, math.Inf(1)
	default:
		return v.V, v.V
	}
}

// percentile of sorted values.
func percentile(sorted []float64, p float64) float64 {
	i := int(math.Round(p * float64(len(sorted)-1)))
	return sorted[min(max(i, 0), len(sorted)-1)]
}

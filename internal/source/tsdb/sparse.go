package tsdb

import (
	"slices"

	"github.com/inferdx/inferdx/internal/samples"
)

// moment is a packed histogram at a time.
type moment struct {
	t          int64
	edges      []float64
	counts     []float64 // cumulative
	sum, count float64
}

// picker hands on the samples of one series, all of them or those that sparse picks.
type picker struct {
	sparse *samples.Sparse
	point0 samples.Point
	any    bool
	before moment // a copy; its memory is reused
}

// sparse is how the series of a metric are picked from: the window's edges, and of `up` enough to know what
// of the window was seen.
func (r *reader) sparse(name string) *samples.Sparse {
	s := &samples.Sparse{From: r.from, Cell: r.to - r.from + 1}
	if name == "up" {
		s.Cell = max(s.Cell/60, 1)
	}
	return s
}

// point hands on a sample, and says how many were.
func (p *picker) point(x samples.Point, to *samples.Series) (n int) {
	if p.sparse == nil {
		to.Add(x.T, x.V)
		return 1
	}
	before, this := p.sparse.Next(x.T, p.any && samples.Fell(p.point0.V, x.V))
	if before {
		to.Add(p.point0.T, p.point0.V)
		n++
	}
	if this {
		to.Add(x.T, x.V)
		n++
	}
	p.point0, p.any = x, true
	return n
}

// histogram hands on a packed histogram, and says how many were.
func (p *picker) histogram(m moment, to *unpacked) (n int) {
	if p.sparse == nil {
		to.add(&m)
		return 1
	}
	before, this := p.sparse.Next(m.t, len(p.before.counts) > 0 && p.before.fell(&m))
	if before {
		to.add(&p.before)
		n++
	}
	if this {
		to.add(&m)
		n++
	}
	edges, counts := append(p.before.edges[:0], m.edges...), append(p.before.counts[:0], m.counts...)
	p.before = moment{m.t, edges, counts, m.sum, m.count}
	return n
}

// fell says whether any count is smaller than it was, or counts something else.
func (m *moment) fell(now *moment) bool {
	if !slices.Equal(m.edges, now.edges) || samples.Fell(m.sum, now.sum) {
		return true
	}
	for i, v := range now.counts {
		if v < m.counts[i] {
			return true
		}
	}
	return false
}

// end hands on what was held back.
func (p *picker) end(plain *samples.Series, to *unpacked) {
	switch {
	case p.sparse == nil || !p.sparse.Held:
	case len(p.before.counts) > 0 && (!p.any || p.before.t > p.point0.T):
		to.add(&p.before)
	case plain != nil:
		plain.Add(p.point0.T, p.point0.V)
	}
}

package samples

import "math"

// Sparse picks those samples of a series that say what a counter gained: of each cell of time the first and
// the last, and both sides of a fall, as a counter that starts anew falls. It is asked sample by sample.
type Sparse struct {
	// From is where the first cell begins, Cell how long each is, in milliseconds.
	From, Cell int64

	cell, falls int64
	any         bool
	// Held says that the newest sample was not picked so far: at the end of a series it is one to keep.
	Held bool
}

// mostFalls bounds what is kept of a gauge, which falls all the time.
const mostFalls = 60

// Next says whether the next sample is kept, and whether the one before it is after all.
func (s *Sparse) Next(t int64, fell bool) (before, this bool) {
	cell := (t - s.From) / s.Cell
	fell = fell && s.falls < mostFalls
	if s.any && cell == s.cell && !fell {
		s.Held = true
		return false, false
	}
	if fell {
		s.falls++
	}
	before = s.Held
	s.any, s.cell, s.Held = true, cell, false
	return before, true
}

// Fell says whether a counter was reset between two values, or a number became none.
func Fell(before, v float64) bool { return v < before || math.IsNaN(v) != math.IsNaN(before) }

// Thin gives the samples that Sparse picks.
func (s Sparse) Thin(ps []Point) []Point {
	var out []Point
	for i, p := range ps {
		before, this := s.Next(p.T, i > 0 && Fell(ps[i-1].V, p.V))
		if before {
			out = append(out, ps[i-1])
		}
		if this {
			out = append(out, p)
		}
	}
	if s.Held {
		out = append(out, ps[len(ps)-1])
	}
	return out
}

// Times is Thin of times alone.
func (s Sparse) Times(ts []int64) []int64 {
	var out []int64
	for i, t := range ts {
		before, this := s.Next(t, false)
		if before {
			out = append(out, ts[i-1])
		}
		if this {
			out = append(out, t)
		}
	}
	if s.Held {
		out = append(out, ts[len(ts)-1])
	}
	return out
}

package signals

import (
	"math"
	"slices"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// flat is the longest time in seconds, between two scrapes, during which the sum of a counter did not
// move while every condition held. It tells a server that hangs with work in hand from an idle one.
func (r *reader) flat(src *statistic) (model.Value, bool) {
	total := sum(r.series(src.def), r.w)
	if len(total) < 2 {
		return model.Value{}, false
	}
	conditions := make([][]samples.Point, len(src.While))
	for i, def := range src.while {
		if conditions[i] = sum(r.series(def), r.w); len(conditions[i]) < 2 {
			return model.Value{}, false
		}
	}
	longest := 0.0
	for i := 0; i < len(total); {
		j := i
		for j+1 < len(total) && total[j+1].V == total[i].V {
			j++
		}
		if j > i {
			longest = max(longest, longestHeld(src.While, conditions, total[i].T, total[j].T))
		}
		i = j + 1
	}
	return model.Known(longest), true
}

// still is how long a counter has not moved at the last scrape, in seconds; 0 where it moved since the one before.
func (r *reader) still(src *statistic) (model.Value, bool) {
	total := sum(r.series(src.def), r.w)
	if len(total) < 2 {
		return model.Value{}, false
	}
	last := total[len(total)-1]
	since := last.T
	for _, p := range slices.Backward(total) {
		if p.V != last.V {
			break
		}
		since = p.T
	}
	return model.Known(float64(last.T-since) / 1000), true
}

// unborn is how long a counter stood at 0 before it first moved, from the first scrape on, in seconds; 0 where it began above.
func (r *reader) unborn(src *statistic) (model.Value, bool) {
	total := sum(r.series(src.def), r.w)
	if len(total) < 2 {
		return model.Value{}, false
	}
	until := total[0].T
	for _, p := range total {
		if p.V > 0 {
			break
		}
		until = p.T
	}
	return model.Known(float64(until-total[0].T) / 1000), true
}

// longestHeld is the longest part of (from, to) in which all conditions hold, in seconds.
func longestHeld(while []While, conditions [][]samples.Point, from, to int64) float64 {
	for i, c := range while {
		stretch := samples.Window{From: from - 1, To: to}.In(conditions[i])
		if len(stretch) < 2 {
			return 0
		}
		// The state at a scrape that saw the last progress may be older than the stall: skip it.
		switch c.Is {
		case "positive":
			for len(stretch) > 0 && stretch[0].V <= 0 {
				stretch = stretch[1:]
			}
			for _, p := range stretch {
				if p.V <= 0 {
					return 0
				}
			}
		case "constant":
			for _, p := range stretch {
				if p.V != stretch[0].V {
					return 0
				}
			}
		case "rising":
			if stretch[len(stretch)-1].V-stretch[0].V < c.By {
				return 0
			}
			// Nobody had come before it began to rise: an idle server that has just got a burst does not hang.
			least := stretch[0].V
			for i := len(stretch) - 1; i > 0; i-- {
				if stretch[i].V <= least {
					stretch = stretch[i:]
					break
				}
			}
		}
		if len(stretch) < 2 {
			return 0
		}
		from = max(from, stretch[0].T)
	}
	return float64(to-from) / 1000
}

// sum adds up series scrape by scrape. A scrape at which one of them is missing still counts: a rank
// that vanished is its own finding.
func sum(list []*samples.Series, w samples.Window) []samples.Point {
	if len(list) == 1 {
		return w.In(list[0].Points)
	}
	at := map[int64]int{}
	var out []samples.Point
	for _, s := range list {
		for _, p := range w.In(s.Points) {
			if math.IsNaN(p.V) {
				continue
			}
			if i, ok := at[p.T]; ok {
				out[i].V += p.V
				continue
			}
			at[p.T] = len(out)
			out = append(out, p)
		}
	}
	return sortPoints(out)
}

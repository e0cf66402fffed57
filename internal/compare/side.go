package compare

import (
	"math"

	"github.com/inferdx/inferdx/internal/model"
)

// Side is one server over one stretch of time, step by step between adjacent scrapes. Read makes it.
type Side struct {
	Target model.Labels
	Engine string
	// Scrapes and Failed count the answered and the failed scrapes of the stretch; Down says that the
	// last one was not answered.
	Scrapes, Failed int
	Down            bool
	// From and To are the ends of each step in milliseconds since 1970.
	From, To []int64
	// Gains are what counters grew by in each step, Levels what gauges showed at its end.
	Gains, Levels map[string][]float64
	Histograms    map[string]Histogram
	// Restarted marks the steps in which a counter fell.
	Restarted []bool
	// EmptyAtStart says that nothing ran or waited when the first step began.
	EmptyAtStart bool
	// Notes say what was left out and why.
	Notes []string
}

// Histogram is what a histogram gained in each step, by bucket; the counts are not cumulative.
type Histogram struct {
	Edges  []float64 // ascending, ends with +Inf
	Counts [][]float64
	Sums   []float64 // nil without a sum series
}

// Len is the number of steps.
func (s Side) Len() int { return len(s.From) }

// Seconds is the time that the steps cover.
func (s Side) Seconds() float64 {
	t := 0.0
	for i := range s.From {
		t += s.stepSeconds(i)
	}
	return t
}

func (s Side) stepSeconds(i int) float64 { return float64(s.To[i]-s.From[i]) / 1000 }

// gain is what a counter grew by in a step, 0 where it was not seen.
func (s Side) gain(id string, i int) float64 {
	if g := s.Gains[id]; g != nil {
		return g[i]
	}
	return 0
}

// inEngine are the requests that run or wait at the end of a step.
func (s Side) inEngine(i int) float64 { return s.level(running, i) + s.level(waiting, i) }

func (s Side) level(id string, i int) float64 {
	if l := s.Levels[id]; l != nil && !math.IsNaN(l[i]) {
		return l[i]
	}
	return 0
}

// observations counts what a histogram gained in a step.
func (s Side) observations(id string, i int) float64 {
	n := 0.0
	if h, ok := s.Histograms[id]; ok {
		for _, c := range h.Counts[i] {
			n += c
		}
	}
	return n
}

// slice keeps the steps from i to below j.
func (s Side) slice(i, j int) Side {
	out := s
	out.From, out.To, out.Restarted = s.From[i:j], s.To[i:j], s.Restarted[i:j]
	out.Gains, out.Levels = map[string][]float64{}, map[string][]float64{}
	out.Histograms = map[string]Histogram{}
	for id, g := range s.Gains {
		out.Gains[id] = g[i:j]
	}
	for id, l := range s.Levels {
		out.Levels[id] = l[i:j]
	}
	for id, h := range s.Histograms {
		h.Counts = h.Counts[i:j]
		if h.Sums != nil {
			h.Sums = h.Sums[i:j]
		}
		out.Histograms[id] = h
	}
	return out
}

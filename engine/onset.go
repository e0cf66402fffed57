package engine

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// began is when the harm that a rule sees began, as far as the window shows it.
func began(f *model.Frame, id model.EntityID, r *rules.Rule) time.Time {
	if v, ok := f.Get(id, r.Held); ok {
		return f.At.Add(-time.Duration(v.V * float64(time.Second)))
	}
	return onset(f, id, r.Onset)
}

// onset is when a signal last rose above half of its level and stayed there; without a trend it is
// the beginning of what was observed.
func onset(f *model.Frame, id model.EntityID, signal string) time.Time {
	start := f.At.Add(-f.Window)
	if s := f.Span(id); s.Scrapes > 0 && s.First.After(start) {
		start = s.First
	}
	trend := f.Trend(id, signal)
	if len(trend) < 3 {
		return start
	}
	half := level(trend) / 2
	i := len(trend)
	dips := 0
	first := len(trend) - 1
	for i > 0 {
		i--
		if trend[i].V > 0 && trend[i].V >= half {
			first, dips = i, 0
		} else if dips++; dips > 2 {
			break
		}
	}
	return trend[first].T
}

// level is the upper quartile of a trend.
func level(ps []model.Point) float64 {
	vs := make([]float64, len(ps))
	for i, p := range ps {
		vs[i] = p.V
	}
	sort.Float64s(vs)
	return vs[len(vs)*3/4]
}

// watched are the signals whose change at the onset is worth a line: what came in, not what came of it.
var watched = []string{"requests_arrived_per_s", "prompt_mean", "output_mean"}

// incoming is the trend of a watched signal. Arrivals are what got its first token and what the queue
// grew by, as no engine counts them.
func incoming(f *model.Frame, id model.EntityID, signal string) []model.Point {
	if signal != "requests_arrived_per_s" {
		return f.Trend(id, signal)
	}
	started, waiting := f.Trend(id, "requests_started_per_s"), f.Trend(id, "waiting")
	queue := map[time.Time]float64{}
	for i := 1; i < len(waiting); i++ {
		queue[waiting[i].T] = (waiting[i].V - waiting[i-1].V) / waiting[i].T.Sub(waiting[i-1].T).Seconds()
	}
	var out []model.Point
	for _, p := range started {
		out = append(out, model.Point{T: p.T, V: max(p.V+queue[p.T], 0)})
	}
	return out
}

// changedAt compares what came in before and after the onset. It needs two samples on each side.
func changedAt(f *model.Frame, id model.EntityID, at time.Time) []model.Change {
	var out []model.Change
	for _, s := range watched {
		trend := incoming(f, id, s)
		i := sort.Search(len(trend), func(i int) bool { return !trend[i].T.Before(at) })
		if i < 2 || len(trend)-i < 2 {
			continue
		}
		before, after := mean(trend[:i]), mean(trend[i:])
		if before <= 0 && after <= 0 || math.Abs(math.Log2((after+1e-9)/(before+1e-9))) < math.Log2(1.5) {
			continue
		}
		out = append(out, model.Change{What: s, From: round(before), To: round(after), At: at.UTC()})
	}
	if v, ok := f.Get(id, "counter_resets"); ok && v.V > 0 {
		out = append(out, model.Change{What: "restart", From: nil, To: v.V, At: at.UTC()})
	}
	return out
}

func mean(ps []model.Point) float64 {
	t := 0.0
	for _, p := range ps {
		t += p.V
	}
	return t / float64(len(ps))
}

func round(v float64) float64 {
	if v == 0 {
		return 0
	}
	p := math.Pow(10, 2-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*p) / p
}

// earliest is the first onset of the given symptoms.
func earliest(ss []model.Symptom) time.Time {
	return slices.MinFunc(ss, func(a, b model.Symptom) int { return a.Since.Compare(b.Since) }).Since
}

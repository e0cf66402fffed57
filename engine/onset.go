package engine

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// began is when the harm that a rule sees began, as far as the window shows it; traced is false where
// that is only the beginning of what was observed.
func began(f *model.Frame, id model.EntityID, r *rules.Rule) (at time.Time, traced bool) {
	if v, ok := f.Get(id, r.Held); ok {
		return f.At.Add(-time.Duration(v.V * float64(time.Second))), true
	}
	start := f.At.Add(-f.Window)
	if s := observed(f, id); s.Scrapes > 0 && s.First.After(start) {
		start = s.First
	}
	if v, ok := f.Get(id, r.OnsetAt); ok {
		if at := time.UnixMilli(int64(v.V * 1000)); at.After(start) && !at.After(f.At) {
			return at, true
		}
	}
	if at, ok := stopped(f.Trend(id, r.OnsetStop)); ok {
		return at, true
	}
	if at, ok := risen(f.Trend(id, r.Onset)); ok {
		return at, true
	}
	return start, false
}

// risen is when a signal last rose above a quarter of its level and stayed there, but for dips of at
// most two points; a queue that is drained and fills again is one queue.
func risen(trend []model.Point) (time.Time, bool) {
	if len(trend) < 3 {
		return time.Time{}, false
	}
	enough := level(trend) / 4
	above := func(i int) bool { return trend[i].V > 0 && trend[i].V >= enough }
	i := len(trend) - 1
	for i > 0 && !above(i) {
		i--
	}
	first := i
	for dips := 0; i > 0 && dips <= 2; {
		i--
		if above(i) {
			first, dips = i, 0
		} else {
			dips++
		}
	}
	return trend[first].T, above(first)
}

// stopped is when the last long stretch without anything began; a stretch is long from half of the
// longest on.
func stopped(trend []model.Point) (time.Time, bool) {
	type stretch struct {
		at     time.Time
		length time.Duration
	}
	var all []stretch
	longest := time.Duration(0)
	for i := 0; i < len(trend); i++ {
		from := i
		for i < len(trend) && trend[i].V == 0 {
			i++
		}
		if i == from {
			continue
		}
		before := trend[max(from-1, 0)].T // a point says what happened since the one before it
		all = append(all, stretch{before, trend[i-1].T.Sub(before)})
		longest = max(longest, all[len(all)-1].length)
	}
	for _, s := range slices.Backward(all) {
		if longest > 0 && s.length >= longest/2 {
			return s.at, true
		}
	}
	return time.Time{}, false
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
	out := make([]model.Point, 0, len(started))
	k := 1
	for _, p := range started { // both in order of time
		for k < len(waiting) && waiting[k].T.Before(p.T) {
			k++
		}
		if k < len(waiting) && waiting[k].T.Equal(p.T) {
			p.V += (waiting[k].V - waiting[k-1].V) / waiting[k].T.Sub(waiting[k-1].T).Seconds()
		}
		out = append(out, model.Point{T: p.T, V: max(p.V, 0)})
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
		when := at
		if started, ok := f.Get(id, "started_at"); ok {
			when = time.UnixMilli(int64(started.V * 1000))
		}
		out = append(out, model.Change{What: "restart", From: nil, To: v.V, At: when.UTC()})
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

// earliest is the first onset of the given symptoms; those whose beginning could be traced win over
// those that were so when the window began.
func earliest(ss []model.Symptom) time.Time {
	return slices.MinFunc(ss, func(a, b model.Symptom) int {
		if a.Traced != b.Traced {
			if a.Traced {
				return -1
			}
			return 1
		}
		return a.Since.Compare(b.Since)
	}).Since
}

// observed is the stretch that was seen of an entity; of a group, of its members together.
func observed(f *model.Frame, id model.EntityID) model.Span {
	all := f.Span(id)
	if f.Entities.Get(id).Scope != model.ScopeGroup {
		return all
	}
	for member := range f.Entities.Each(id, model.ScopeTarget) {
		s := f.Span(member)
		if s.Scrapes == 0 {
			continue
		}
		if all.Scrapes == 0 || s.First.Before(all.First) {
			all.First = s.First
		}
		if s.Last.After(all.Last) {
			all.Last = s.Last
		}
		all.Scrapes = max(all.Scrapes, s.Scrapes)
	}
	return all
}

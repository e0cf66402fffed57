package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// metrics lists every figure that at least one side has.
func (j *judge) metrics() []Metric {
	out := []Metric{}
	for _, f := range j.figures {
		r := j.ratio[f.signal]
		if !r.okBefore && !r.okAfter {
			continue
		}
		m := Metric{Signal: f.signal, Name: f.name, Unit: f.unit, Outcome: j.outcome(r), Decides: slices.Contains(j.deciders, f.signal)}
		if r.okBefore {
			m.Before, m.BeforeBound = &r.before.V, r.before.Bound
		}
		if r.okAfter {
			m.After, m.AfterBound = &r.after.V, r.after.Bound
		}
		m.Ratio, m.RatioBound = r.point()
		m.Interval = j.shown(r)
		out = append(out, m)
	}
	return out
}

// point is the ratio of the sides as they are; nil where one is unknown, both are bounds, or there is
// nothing to divide by.
func (r ratio) point() (*float64, model.Bound) {
	if !r.known() || r.before.V == 0 || math.IsNaN(r.lo) {
		return nil, model.Exact
	}
	v := r.after.V / r.before.V
	switch {
	case r.lo == r.hi:
		return &v, model.Exact
	case r.lo == 0 && !math.IsInf(r.hi, 1):
		return &r.hi, model.AtMost
	case r.lo > 0 && math.IsInf(r.hi, 1):
		return &r.lo, model.AtLeast
	}
	return nil, model.Exact
}

// shown is the interval of one figure at the wanted confidence.
func (j *judge) shown(r ratio) *[2]*float64 {
	if p, _ := r.point(); p == nil {
		return nil
	}
	lo, hi, ok := r.interval(j.o.Level)
	if !ok {
		return nil
	}
	out := [2]*float64{&lo, &hi}
	if math.IsInf(hi, 1) {
		out[1] = nil
	}
	return &out
}

// difference is the interval of after less before, widened as that of a ratio.
func (r ratio) difference(level float64) (lo, hi float64, ok bool) {
	if !r.known() || len(r.apart) == 0 || float64(len(r.apart)) < r.lots/2 {
		return 0, 0, false
	}
	tail := (1 - level) / 2
	point, k := r.after.V-r.before.V, r.factor(tail)
	lo = point + k*(percentile(r.apart, tail)-point)
	hi = point + k*(percentile(r.apart, 1-tail)-point)
	return min(lo, point), max(hi, point), true
}

// change writes a figure as "TTFT P99 13 s -> 0.34 s".
func (r ratio) change() string {
	return r.name + " " + units.Format(r.before.V, r.unit, r.before.Bound) + " -> " + units.Format(r.after.V, r.unit, r.after.Bound)
}

// said lists up to three changes: those named first where they are figures, then the largest.
func (j *judge) said(ids []string, first ...string) string {
	ids = j.bySize(ids)
	for _, id := range first {
		if slices.ContainsFunc(j.figures, func(f figure) bool { return f.signal == id }) {
			ids = slices.Insert(without(ids, id), 0, id)
		}
	}
	var out []string
	for _, id := range ids[:min(len(ids), 3)] {
		r := j.ratio[id]
		s := r.change()
		if r.objective > 0 && (r.before.V > r.objective) != (r.after.V > r.objective) {
			s += " (objective " + units.Format(r.objective, "s", model.Exact) + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(x string) bool { return x == id })
}

func (j *judge) bySize(ids []string) []string {
	size := func(id string) float64 { r := j.ratio[id]; return math.Abs(math.Log(r.after.V / r.before.V)) }
	return slices.SortedStableFunc(slices.Values(ids), func(a, b string) int { return cmp.Compare(size(b), size(a)) })
}

// price names what got worse in a change that is an improvement all the same.
func (j *judge) price() string {
	out := "; the price: " + j.said(j.losses)
	if j.excess.known() && j.excess.after.V <= 1 {
		out += ", within the objectives"
	}
	return out + j.lostPrice()
}

func (j *judge) lostPrice() string {
	if !j.moreLost() {
		return ""
	}
	return "; the price: " + j.lostWords()
}

func (j *judge) lostWords() string {
	return fmt.Sprintf("%s of the requests before and %s after are refused or fail",
		units.Format(j.lost.before.V, "ratio", model.Exact), units.Format(j.lost.after.V, "ratio", model.Exact))
}

// couldBe says how far a figure may have moved unseen.
func (j *judge) couldBe(r ratio) string {
	lo, hi, ok := r.interval(j.o.Level)
	if !ok {
		return r.name + " may have"
	}
	return fmt.Sprintf("%s may be %s of what it was", r.name, span95(lo, hi))
}

func span95(lo, hi float64) string {
	switch {
	case math.IsInf(hi, 1):
		return "at least " + times(lo)
	case lo == 0:
		return "at most " + times(hi)
	}
	return times(lo) + " to " + times(hi)
}

func times(v float64) string {
	if v >= 9.95 {
		return fmt.Sprintf("%.0f x", v)
	}
	return fmt.Sprintf("%.2g x", v)
}

// resolution says what an unchanged verdict could have overlooked.
func (j *judge) resolution() string {
	widest, at := 0.0, ""
	for _, id := range j.deciders {
		r := j.ratio[id]
		if lo, hi, ok := r.interval(j.o.Level); ok && lo > 0 && !math.IsInf(hi, 1) {
			if w := math.Log(hi / lo); w > widest {
				widest, at = w, id
			}
		}
	}
	out := "no latency or rate moved by a tenth or more that noise does not explain"
	if at != "" {
		out += "; the least sure is " + j.couldBe(j.ratio[at])
	}
	return out
}

// lines are what a message shows: what decided, the largest change first; all deciders where none did.
func (j *judge) lines() []string {
	ids := append(slices.Clone(j.gains), j.losses...)
	if len(ids) == 0 {
		ids = j.deciders
	}
	out := []string{}
	for _, id := range j.bySize(ids) {
		out = append(out, j.ratio[id].change())
	}
	return out
}

func (j *judge) notes() []string {
	out := []string{}
	for i, name := range []string{"before", "after"} {
		for _, n := range j.sides[i].Notes {
			out = append(out, name+": "+n)
		}
		if f := j.whole[i].Failed; f > 0 {
			out = append(out, fmt.Sprintf("%s: %d of %d scrapes failed", name, f, f+j.whole[i].Scrapes))
		}
	}
	return out
}

package verify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// mostAdvice bounds what is kept of one target's causes.
const mostAdvice = 12

// hear takes over what a diagnosis says: harm, and what was suggested for which cause.
func (x *Watched) hear(at time.Time, d model.Diagnosis, keep time.Duration) {
	if d.Status == model.Degraded {
		if x.Harm.From.IsZero() || at.Sub(x.Harm.To) > harmGap {
			x.Harm.From = at
			if d.Onset != nil && d.Onset.Before(at) {
				x.Harm.From = d.Onset.UTC().Round(0)
			}
		}
		x.Harm.To = at
	}
	var out []Advice
	for _, c := range d.Causes {
		a := Advice{Cause: c.ID, Primary: c.Primary, Seen: at}
		for _, act := range c.Changes {
			if act.Kind != model.KindKnob {
				continue
			}
			a.Turns = append(a.Turns, Turn{act.Knob, act.Flag, deref(act.From), deref(act.To)})
			a.Ways = append(a.Ways, way(act))
		}
		out = append(out, a)
	}
	for _, a := range x.Advice {
		again := slices.ContainsFunc(out, func(o Advice) bool { return o.Cause == a.Cause })
		if !again && at.Sub(a.Seen) <= keep {
			out = append(out, a)
		}
	}
	x.Advice = out[:min(len(out), mostAdvice)]
}

// harmGap is how long a server may look well within one stretch of harm.
const harmGap = 2 * time.Minute

// meantFor is the cause for which one of the turns was suggested: a primary one first, then the latest.
func (x Watched) meantFor(turns []Turn) string {
	best := -1
	for i, a := range x.Advice {
		if !a.suggests(turns) {
			continue
		}
		if best < 0 || rank(a, x.Advice[best]) > 0 {
			best = i
		}
	}
	if best < 0 {
		return ""
	}
	return x.Advice[best].Cause
}

func rank(a, b Advice) int {
	if a.Primary != b.Primary {
		if a.Primary {
			return 1
		}
		return -1
	}
	return a.Seen.Compare(b.Seen)
}

func (a Advice) suggests(turns []Turn) bool {
	for _, t := range turns {
		for i, s := range a.Turns {
			if s.Knob != t.Knob {
				continue
			}
			went := direction(t.From, t.To)
			if s.To == "" && went != 0 && way2(a.Ways, i) == went || s.To != "" && (equal(s.To, t.To) || went != 0 && direction(t.From, s.To) == went) {
				return true
			}
		}
	}
	return false
}

func way2(ways []string, i int) int {
	if i >= len(ways) {
		return 0
	}
	switch ways[i] {
	case "up":
		return 1
	case "down":
		return -1
	}
	return 0
}

// way is where an action without a value points to. The model holds it in the action's words alone.
func way(a model.Action) string {
	switch {
	case strings.HasPrefix(a.Text, "raise "):
		return "up"
	case strings.HasPrefix(a.Text, "lower "):
		return "down"
	}
	return ""
}

// direction is the sign of a change between two numbers, 0 where one is none.
func direction(from, to string) int {
	a, errA := strconv.ParseFloat(from, 64)
	b, errB := strconv.ParseFloat(to, 64)
	if errA != nil || errB != nil {
		return 0
	}
	return cmp.Compare(b, a)
}

func equal(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil {
		return x == y
	}
	return strings.EqualFold(a, b)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

package eval

import (
	"math"
	"sort"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// Margin is how far a threshold is from the nearest value of the corpus: at Nearest the comparison
// would turn on that recording.
type Margin struct {
	Threshold
	Nearest   float64 `json:"nearest"`
	Distance  float64 `json:"distance"` // relative to the threshold; -1 where the corpus has no value
	Recording string  `json:"recording"`
	Values    int     `json:"values"` // looks on which the compared quantity was known
}

// Margins lists every threshold with its nearest corpus value, closest first, then those that the
// corpus has no value for.
func Margins(c *content.Content, rs []*Recording) ([]Margin, error) {
	ts, err := thresholds(c)
	if err != nil {
		return nil, err
	}
	looks := frames(pipeline.New(c, nil, engine.Fit{}), Accuracy()[0], rs, rs)
	out := make([]Margin, len(ts))
	for i, t := range ts {
		if out[i], err = t.margin(looks); err != nil {
			return nil, err
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Distance < out[j].Distance })
	for i := range out {
		if out[i].Values == 0 {
			out[i].Distance = -1
		}
	}
	return out, nil
}

func (t Threshold) margin(looks []seen) (Margin, error) {
	m := Margin{Threshold: t, Distance: math.MaxFloat64}
	// Both sides are straight lines in the threshold, so two points give the place where they meet.
	step := 0.1 * t.Value
	here, err := t.gap(t.Value)
	if err != nil {
		return m, err
	}
	there, err := t.gap(t.Value + step)
	if err != nil {
		return m, err
	}
	for _, l := range looks {
		for _, x := range scoped(l.frame, t.slot.scope) {
			env := expression.Of(l.frame, x.ID)
			a, okA := exactly(here, env)
			b, okB := exactly(there, env)
			if !okA || !okB || a == b {
				continue
			}
			m.Values++
			at := t.Value - a*step/(b-a)
			if d := math.Abs(at/t.Value - 1); d < m.Distance {
				m.Distance, m.Nearest, m.Recording = d, at, l.r.ID
			}
		}
	}
	return m, nil
}

func exactly(x *expression.Expr, env expression.Env) (float64, bool) {
	v, ok := x.Number(env)
	return v.V, ok && v.Bound == model.Exact && !math.IsInf(v.V, 0)
}

// scoped lists the entities that a condition of a scope is about.
func scoped(f *model.Frame, scope model.Scope) []model.Entity {
	var out []model.Entity
	for _, x := range f.Entities.All() {
		if x.Scope == scope {
			out = append(out, x)
		}
	}
	return out
}

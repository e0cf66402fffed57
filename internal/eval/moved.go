package eval

import (
	"fmt"
	"slices"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// Broken is a threshold that a small move makes wrong.
type Broken struct {
	Threshold
	To float64 `json:"to"`
	// Lost are the recordings whose right cause came first before and does not any more; Gained the
	// other way round; Alarms the quiet recordings that are accused now.
	Lost   []string `json:"lost"`
	Gained []string `json:"gained"`
	Alarms []string `json:"alarms"`
}

// String says what breaks.
func (b Broken) String() string {
	return fmt.Sprintf("%s -> %.4g: lost %v gained %v alarms %v", b.Threshold, b.To, b.Lost, b.Gained, b.Alarms)
}

// Moved scales every threshold by each factor, one at a time, and lists those that change which
// cause comes first, or accuse a quiet recording. The content must be the caller's own: it is changed
// on the way and put back.
func Moved(c *content.Content, cond Condition, rs []*Recording, factors ...float64) ([]Broken, int, error) {
	ts, err := thresholds(c)
	if err != nil {
		return nil, 0, err
	}
	p := pipeline.New(c, nil, engine.Fit{})
	looks := frames(p, cond, rs, rs)
	before := make([]Outcome, len(looks))
	for i, l := range looks {
		before[i] = l.outcome(p.Engine)
	}
	var out []Broken
	for _, t := range ts {
		for _, f := range factors {
			_, x, err := t.with(t.Value * f)
			if err != nil {
				return nil, 0, err
			}
			b := Broken{Threshold: t, To: t.Value * f}
			t.try(x, p.Engine, looks, before, &b)
			if len(b.Lost)+len(b.Gained)+len(b.Alarms) > 0 {
				out = append(out, b)
			}
		}
	}
	settings, err := movedSettings(c, p, cond, rs, before, factors)
	return append(out, settings...), len(ts), err
}

// try judges again where the changed condition turns out differently.
func (t Threshold) try(x *expression.Expr, e *engine.Engine, looks []seen, before []Outcome, b *Broken) {
	old := *t.slot.at
	defer func() { *t.slot.at = old }()
	for i, l := range looks {
		differs := slices.ContainsFunc(scoped(l.frame, t.slot.scope), func(y model.Entity) bool {
			env := expression.Of(l.frame, y.ID)
			return old.Truth(env) != x.Truth(env)
		})
		if !differs {
			continue
		}
		*t.slot.at = x
		b.compare(before[i], l.outcome(e))
		*t.slot.at = old
	}
}

func (b *Broken) compare(before, after Outcome) {
	was, is := before.R.Faulty() && before.Rank() == 1, after.R.Faulty() && after.Rank() == 1
	name := before.Recording
	if before.Of != "" {
		name += " (" + before.Of + ")"
	}
	switch {
	case was && !is:
		b.Lost = append(b.Lost, name)
	case is && !was:
		b.Gained = append(b.Gained, name)
	}
	if before.FalseAlarm() == "" && after.FalseAlarm() != "" {
		b.Alarms = append(b.Alarms, name+": "+after.FalseAlarm())
	}
}

// movedSettings does the same with the default objectives: they stand in many conditions at once.
func movedSettings(c *content.Content, p *pipeline.Pipeline, cond Condition, rs []*Recording, before []Outcome, factors []float64) ([]Broken, error) {
	var out []Broken
	for _, id := range c.Signals.IDs() {
		m, _ := c.Signals.Meaning(id)
		if m.Setting == nil || *m.Setting == 0 {
			continue
		}
		for _, f := range factors {
			value := *m.Setting * f
			changed := Condition{Name: cond.Name, Views: func(r *Recording, all []*Recording) []View {
				vs := cond.Views(r, all)
				for i := range vs {
					vs[i].Request.Settings = func(model.Labels) map[string]float64 { return map[string]float64{id: value} }
				}
				return vs
			}}
			b := Broken{Threshold: Threshold{Owner: id, Field: "setting", Compares: "the default", Value: *m.Setting}, To: value}
			for i, l := range frames(p, changed, rs, rs) {
				b.compare(before[i], l.outcome(p.Engine))
			}
			if len(b.Lost)+len(b.Gained)+len(b.Alarms) > 0 {
				out = append(out, b)
			}
		}
	}
	return out, nil
}

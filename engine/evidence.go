package engine

import (
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
	"github.com/inferdx/inferdx/playbooks"
)

// leaves writes the true comparisons of a condition: "waiting 53 (over 2)".
func (e *Engine) leaves(x *expression.Expr, env expression.Env) []model.Evidence {
	var out []model.Evidence
	for _, l := range x.Leaves(env) {
		if l.Truth != expression.True || !l.Known || l.Signal == "" {
			continue
		}
		v := l.Value.V
		out = append(out, model.Evidence{
			Text:   e.o.Meanings.Title(l.Signal) + " " + units.Format(v, e.unit(l.Signal), l.Value.Bound),
			Signal: l.Signal, Value: &v, Bound: l.Value.Bound.String(), Unit: e.unit(l.Signal),
		})
	}
	return out
}

// weighed is the outcome of one list of evidence.
type weighed struct {
	sum   float64
	items []model.Evidence
	// kinds lists what the true items rest on, those of at least moderate weight alone.
	kinds map[string]bool
}

// weigh adds up the true items, of each group the strongest alone. Unknown items count nothing.
func (e *Engine) weigh(items []playbooks.Item, env expression.Env) weighed {
	out := weighed{kinds: map[string]bool{}}
	best := map[string]float64{}
	for _, it := range items {
		if it.When == nil || it.When.Truth(env) != expression.True {
			continue
		}
		if it.Weight >= 1 {
			out.kinds[it.By] = true
		}
		counted := it.Weight
		if it.Group != "" {
			counted = max(it.Weight-best[it.Group], 0)
			best[it.Group] = max(best[it.Group], it.Weight)
		}
		out.sum += counted
		ev, ok := e.say(it.Text, env)
		if !ok {
			continue
		}
		ev.Weight = it.Weight
		out.items = append(out.items, ev)
	}
	return out
}

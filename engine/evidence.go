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
	var holds []playbooks.Item
	for _, it := range items {
		if it.When == nil || it.When.Truth(env) != expression.True {
			continue
		}
		if it.Weight >= 1 {
			out.kinds[it.By] = true
		}
		holds = append(holds, it)
	}
	for i, it := range holds {
		if beaten(holds, i) {
			continue
		}
		out.sum += it.Weight
		ev, ok := e.say(it.Text, env)
		if !ok {
			continue
		}
		ev.Weight = it.Weight
		out.items = append(out.items, ev)
	}
	return out
}

// beaten says whether another true item of the same group counts instead.
func beaten(items []playbooks.Item, i int) bool {
	for j, o := range items {
		if j != i && o.Group != "" && o.Group == items[i].Group &&
			(o.Weight > items[i].Weight || o.Weight == items[i].Weight && j < i) {
			return true
		}
	}
	return false
}

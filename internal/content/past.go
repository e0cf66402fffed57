package content

import (
	"errors"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/rules"
	"github.com/inferdx/inferdx/rules/signals"
)

// History plans the earlier windows that the rules, playbooks and formulas compare with.
func (c *Content) History() *signals.History {
	var names []string
	exprs := func(xs ...*expression.Expr) {
		for _, x := range xs {
			if x == nil {
				continue
			}
			for _, n := range x.Names() {
				names = append(names, n.ID)
			}
		}
	}
	texts := func(ts ...rules.Template) {
		for _, t := range ts {
			names = append(names, t.Names()...)
		}
	}
	for _, r := range c.Rules.All() {
		exprs(r.When)
		texts(r.Evidence...)
		names = append(names, r.Onset, r.Held)
	}
	for _, p := range c.Playbooks.All() {
		exprs(p.Requires, p.RulesOut)
		for _, it := range p.For {
			exprs(it.When)
			texts(it.Text)
		}
		for _, it := range p.Against {
			exprs(it.When)
			texts(it.Text)
		}
		for _, ch := range p.Changes {
			exprs(ch.From, ch.To, ch.If)
			texts(ch.Text, ch.Why)
		}
	}
	return c.Signals.History(names)
}

// Refuse says why a name with an offset is not known.
func (n *names) Refuse(name string) (msg, hint string, ok bool) {
	a, _, err := n.c.Signals.Timed(name)
	var r *signals.Refusal
	if !errors.As(err, &r) {
		return "", "", false
	}
	if n.facts[a.Signal] {
		return name + ": " + a.Signal + " is a fact, and facts are known of the present only", "", true
	}
	return r.Msg, r.Hint, true
}

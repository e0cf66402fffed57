package service

import (
	"cmp"
	"slices"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// transitions says what changed between two states of the judge. severity is asked for the rule's.
func transitions(old, next engine.State, at time.Time, severity func(rule string) model.Severity) []store.Transition {
	type place struct{ rule, entity string }
	read := func(s engine.State) map[place]model.SymptomState {
		out := make(map[place]model.SymptomState, len(s))
		s.Each(func(rule string, scope model.Scope, labels model.Labels, h engine.Held) {
			state := model.Pending
			if h.Firing {
				state = model.Firing
			}
			out[place{rule, store.EntityKey(scope, labels.Map())}] = state
		})
		return out
	}
	if len(old)+len(next) == 0 {
		return nil
	}
	before, after := read(old), read(next)
	var out []store.Transition
	add := func(p place, from, to model.SymptomState) {
		if from != to {
			out = append(out, store.Transition{At: at, Entity: p.entity, Symptom: p.rule, From: from, To: to, Severity: severity(p.rule)})
		}
	}
	for p, state := range after {
		from, was := before[p]
		if !was {
			from = store.Inactive
		}
		add(p, from, state)
	}
	for p, state := range before {
		if _, still := after[p]; !still {
			add(p, state, store.Inactive)
		}
	}
	slices.SortFunc(out, func(a, b store.Transition) int {
		return cmp.Or(cmp.Compare(a.Entity, b.Entity), cmp.Compare(a.Symptom, b.Symptom))
	})
	return out
}

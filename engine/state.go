package engine

import (
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Each goes through a state: which rule is held for which entity.
func (s State) Each(do func(rule string, scope model.Scope, labels model.Labels, h Held)) {
	for key, h := range s {
		rule, scope, labels := splitKey(key)
		do(rule, scope, model.LabelsOfKey(labels), h)
	}
}

func splitKey(key string) (rule string, scope model.Scope, labels string) {
	rule, entity, _ := strings.Cut(key, "\xff")
	of, labels, _ := strings.Cut(entity, "\xff")
	return rule, model.Scope(of), labels
}

// Hold keeps the state of entities that cannot be seen for a reason of ours, as when their source does
// not answer or the clock has jumped: until at nothing counts as observed, and nothing ends. absent says
// what is meant, by the entity's scope and the key of its labels. The state given is not changed.
func (s State) Hold(at time.Time, absent func(scope model.Scope, labels string, h Held) bool) State {
	if s == nil {
		return nil
	}
	out := make(State, len(s))
	for key, h := range s {
		if _, scope, labels := splitKey(key); absent(scope, labels, h) {
			h.LastSeen, h.LastTrue = at, h.LastTrue.Add(max(at.Sub(h.LastSeen), 0))
		}
		out[key] = h
	}
	return out
}

// Without leaves out what is meant, as what nobody looks for any more. The state given is not changed.
func (s State) Without(gone func(rule string, scope model.Scope, labels model.Labels) bool) State {
	if s == nil {
		return nil
	}
	out := make(State, len(s))
	for key, h := range s {
		if rule, scope, labels := splitKey(key); !gone(rule, scope, model.LabelsOfKey(labels)) {
			out[key] = h
		}
	}
	return out
}

// Shift moves all of the state's times, as the clock that they were read from was wrong by that much.
func (s State) Shift(by time.Duration) State {
	if s == nil {
		return nil
	}
	out := make(State, len(s))
	for key, h := range s {
		h.Since, h.LastSeen, h.LastTrue = h.Since.Add(by), h.LastSeen.Add(by), h.LastTrue.Add(by)
		out[key] = h
	}
	return out
}

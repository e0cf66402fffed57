package engine

import (
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// entityOf is the scope and the labels' key that a key of the state is about.
func entityOf(key string) (scope model.Scope, labels string) {
	_, entity, _ := strings.Cut(key, "\xff")
	s, labels, _ := strings.Cut(entity, "\xff")
	return model.Scope(s), labels
}

// Hold keeps the state of entities that cannot be seen for a reason of ours, as when their source does
// not answer or the clock has jumped: until at nothing counts as observed, and nothing ends. absent says
// of which scope and labels' key. The state given is not changed.
func (s State) Hold(at time.Time, absent func(scope model.Scope, labels string) bool) State {
	if s == nil {
		return nil
	}
	out := make(State, len(s))
	for key, h := range s {
		if absent(entityOf(key)) {
			h.LastSeen, h.LastTrue = at, h.LastTrue.Add(max(at.Sub(h.LastSeen), 0))
		}
		out[key] = h
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

// Entities lists the scopes and labels' keys that the state is about, each once.
func (s State) Entities() map[model.Scope]map[string]bool {
	out := map[model.Scope]map[string]bool{}
	for key := range s {
		scope, labels := entityOf(key)
		if out[scope] == nil {
			out[scope] = map[string]bool{}
		}
		out[scope][labels] = true
	}
	return out
}

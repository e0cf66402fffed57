package engine

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

func remembered(since, seen time.Duration, firing bool) State {
	at := func(d time.Duration) time.Time { return t0.Add(d) }
	return State{Key("slow", model.Entity{Scope: model.ScopeTarget, Labels: model.Labels{{Name: "instance", Value: "a"}}}): {Since: at(since), LastSeen: at(seen), LastTrue: at(seen), Observed: seen - since, Firing: firing}}
}

func TestAHeldStateNeitherAgesNorEnds(t *testing.T) {
	s := remembered(0, time.Minute, false)
	got := s.Hold(t0.Add(time.Hour), func(scope model.Scope, labels string, _ Held) bool {
		return scope == model.ScopeTarget && labels == "instance\xffa\xfe"
	})
	for _, h := range got {
		if h.Observed != time.Minute || !h.LastSeen.Equal(t0.Add(time.Hour)) || !h.LastTrue.Equal(t0.Add(time.Hour)) || !h.Since.Equal(t0) {
			t.Errorf("got %+v", h)
		}
	}
	for _, h := range s {
		if !h.LastSeen.Equal(t0.Add(time.Minute)) {
			t.Error("the state given was changed")
		}
	}
	for _, h := range s.Hold(t0.Add(time.Hour), func(model.Scope, string, Held) bool { return false }) {
		if !h.LastSeen.Equal(t0.Add(time.Minute)) {
			t.Error("a state that is not held was moved")
		}
	}
}

// A clock that is set back an hour must not make a clock of a rule run backwards.
func TestAShiftedStateIsAsOldAsBefore(t *testing.T) {
	for _, h := range remembered(0, time.Minute, true).Shift(-time.Hour) {
		if !h.Since.Equal(t0.Add(-time.Hour)) || h.LastSeen.Sub(h.Since) != time.Minute || !h.Firing {
			t.Errorf("got %+v", h)
		}
	}
}

func TestTheFirstLookIsNeitherHeldNorShifted(t *testing.T) {
	var none State
	if none.Hold(t0, nil) != nil || none.Shift(time.Hour) != nil {
		t.Error("nil is a first look and must stay one")
	}
}

func TestAStateSaysWhatItIsAbout(t *testing.T) {
	labels := model.Labels{{Name: "instance", Value: "a:8000"}, {Name: "job", Value: "vllm"}}
	n := 0
	State{Key("slow", model.Entity{Scope: model.ScopeTarget, Labels: labels}): {Firing: true}}.Each(func(rule string, scope model.Scope, got model.Labels, h Held) {
		n++
		if rule != "slow" || scope != model.ScopeTarget || got.Key() != labels.Key() || !h.Firing {
			t.Errorf("got %s %s %v %v", rule, scope, got, h)
		}
	})
	if n != 1 {
		t.Errorf("%d entries", n)
	}
}

package service

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

func TestTransitionsTellWhatBeganFiredAndEnded(t *testing.T) {
	key := func(rule, instance string) string {
		return rule + "\xfftarget\xff" + model.Labels{{Name: "instance", Value: instance}}.Key()
	}
	old := engine.State{key("queue", "a"): {}, key("queue", "b"): {Firing: true}, key("kv", "a"): {Firing: true}}
	next := engine.State{key("queue", "a"): {Firing: true}, key("kv", "a"): {Firing: true}, key("kv", "b"): {}}
	got := transitions(old, next, t0, func(string) model.Severity { return model.Warning })
	tr := func(instance, symptom string, from, to model.SymptomState) store.Transition {
		return store.Transition{At: t0, Entity: `target{"instance":"` + instance + `"}`, Symptom: symptom, From: from, To: to, Severity: model.Warning}
	}
	want := []store.Transition{
		tr("a", "queue", model.Pending, model.Firing),
		tr("b", "kv", store.Inactive, model.Pending),
		tr("b", "queue", model.Firing, store.Inactive),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

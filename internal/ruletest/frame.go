package ruletest

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// start is when the series of a case begin, and when its frame is.
var start = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// store puts the series where a source would have put them, with an `up` of 1 at each scrape at
// which an instance showed anything.
func (x *testCase) store() *samples.Store {
	st := samples.NewStore()
	for _, key := range slices.Sorted(maps.Keys(x.series)) {
		s := x.series[key]
		out := st.Series(s.name, s.labels)
		for i, v := range s.values {
			if !v.missing {
				out.Add(start.Add(time.Duration(i)*x.every).UnixMilli(), v.v)
			}
		}
	}
	for _, in := range st.Instances() {
		if len(in.Named("up")) > 0 {
			continue
		}
		seen := map[int64]bool{}
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				for _, p := range s.Points {
					seen[p.T] = true
				}
			}
		}
		up := in.Ensure("up", nil)
		for _, t := range slices.Sorted(maps.Keys(seen)) {
			up.Add(t, 1)
		}
	}
	st.Finish()
	return st
}

// build makes the frame of a case that gives signals, and the entity that is judged. What a target
// always has beside its signals is added: objectives, and what the engine's flags are by default.
func (x *testCase) build(c *content.Content, scope model.Scope) (*model.Frame, model.EntityID) {
	es := &model.Entities{}
	owner, id := model.EntityID(0), model.EntityID(0)
	if scope == model.ScopeGroup {
		owner = es.Add(model.Entity{Scope: scope, Parent: model.NoEntity, Labels: model.LabelsFrom(map[string]string{"model_name": "test"})})
	} else {
		owner = es.Add(x.target(model.NoEntity, "a:8000"))
	}
	if id = owner; scope == model.ScopeRank || scope == model.ScopeGPU {
		id = es.Add(x.part(scope, owner, 0))
	}
	first := es.Len()
	for i, m := range x.members {
		if m.scope == model.ScopeTarget {
			es.Add(x.target(owner, string(rune('a'+i%26))+strconv.Itoa(i/26)+":8000"))
		} else {
			es.Add(x.part(m.scope, owner, i+1))
		}
	}
	b := model.NewFrame(start, x.window, es)
	settings(c, b)
	set(b, id, x.frame)
	for i, m := range x.members {
		set(b, model.EntityID(first+i), m.frame)
	}
	x.setFacts(c, b, owner)
	c.Signals.Derive(b)
	return b.Frame(), id
}

// scope is what a case of a playbook for both is about: a group where it has members, else one server.
func (x *testCase) scope(of model.Scope) model.Scope {
	switch {
	case of != "both":
		return of
	case len(x.members) > 0:
		return model.ScopeGroup
	}
	return model.ScopeTarget
}

func (x *testCase) target(group model.EntityID, instance string) model.Entity {
	labels := model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance})
	return model.Entity{Scope: model.ScopeTarget, Parent: group, Engine: x.engine, Labels: labels}
}

func (x *testCase) part(scope model.Scope, of model.EntityID, i int) model.Entity {
	label := map[model.Scope]string{model.ScopeRank: "engine", model.ScopeGPU: "UUID"}[scope]
	return model.Entity{Scope: scope, Parent: of, Engine: x.engine, Labels: model.LabelsFrom(map[string]string{label: strconv.Itoa(i)})}
}

// settings gives every server its objectives, and says that it was scraped the whole window long.
func settings(c *content.Content, b *model.FrameBuilder) {
	f := b.Frame()
	for _, e := range b.Entities().All() {
		b.SetSpan(e.ID, model.Span{First: f.At.Add(-f.Window), Last: f.At, Scrapes: 1 + int(f.Window/defaultEvery)})
		if e.Scope != model.ScopeTarget && e.Scope != model.ScopeRank {
			continue
		}
		for _, id := range c.Signals.IDs() {
			if m, _ := c.Signals.Meaning(id); m.Setting != nil {
				b.Set(e.ID, id, model.Known(*m.Setting))
			}
		}
	}
}

func set(b *model.FrameBuilder, id model.EntityID, values map[string]model.Value) {
	for s, v := range values {
		b.Set(id, s, v)
	}
}

func (x *testCase) setFacts(c *content.Content, b *model.FrameBuilder, id model.EntityID) {
	for name, f := range c.Knobs.Defaults(x.engine.Name, x.engine.Version, x.facts) {
		b.SetFact(id, name+"_default", f)
	}
	for name, f := range x.facts {
		b.SetFact(id, name, f)
	}
}

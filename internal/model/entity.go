package model

import (
	"iter"
	"slices"
	"strings"
)

// Scope is the kind of thing a signal, a rule or a diagnosis is about.
type Scope string

// The scopes. A group is one service or model served by several targets; a target is one server;
// a rank is a data-parallel engine inside a target; a gpu is one device joined to a target.
const (
	ScopeGroup  Scope = "group"
	ScopeTarget Scope = "target"
	ScopeRank   Scope = "rank"
	ScopeGPU    Scope = "gpu"
)

// Labels identify an entity. They are sorted by name.
type Labels []Label

// Label is one name and value.
type Label struct{ Name, Value string }

// LabelsFrom sorts the pairs of a map and drops empty values.
func LabelsFrom(m map[string]string) Labels {
	ls := make(Labels, 0, len(m))
	for k, v := range m {
		if v != "" {
			ls = append(ls, Label{k, v})
		}
	}
	ls.Sort()
	return ls
}

// Sort orders labels by name, as every other method expects.
func (l Labels) Sort() {
	slices.SortFunc(l, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
}

// Get returns the value of a label, or "" when it is not there.
func (l Labels) Get(name string) string {
	for i := range l {
		if l[i].Name == name {
			return l[i].Value
		}
	}
	return ""
}

// Map returns a copy as a map.
func (l Labels) Map() map[string]string {
	m := make(map[string]string, len(l))
	for _, x := range l {
		m[x.Name] = x.Value
	}
	return m
}

// Key is a string that two label sets share only when they are equal.
func (l Labels) Key() string {
	var b strings.Builder
	for _, x := range l {
		b.WriteString(x.Name)
		b.WriteByte(0xff)
		b.WriteString(x.Value)
		b.WriteByte(0xfe)
	}
	return b.String()
}

// LabelsOfKey is the label set that has a key.
func LabelsOfKey(key string) Labels {
	var out Labels
	for pair := range strings.SplitSeq(key, "\xfe") {
		if name, value, ok := strings.Cut(pair, "\xff"); ok {
			out = append(out, Label{name, value})
		}
	}
	return out
}

// EntityID indexes a frame's entities. It is stable only within one Entities.
type EntityID int

// NoEntity is the parent of an entity that has none.
const NoEntity EntityID = -1

// Engine is what is known of the server software behind a target.
type Engine struct {
	Name string // dialect name: vllm, sglang, ...
	// Version is "" when unknown. AtLeastOnly marks a version inferred from which series exist.
	Version     string
	AtLeastOnly bool
}

// Entity is one thing that signals are about.
type Entity struct {
	ID     EntityID
	Scope  Scope
	Labels Labels
	Parent EntityID
	Engine Engine
}

// Name is how people call the entity: its instance, pod or UUID, else all its labels.
func (e Entity) Name() string {
	for _, k := range []string{"instance", "pod", "UUID", "engine", "model_name"} {
		if v := e.Labels.Get(k); v != "" {
			return v
		}
	}
	parts := make([]string, 0, len(e.Labels))
	for _, l := range e.Labels {
		parts = append(parts, l.Name+"="+l.Value)
	}
	return strings.Join(parts, ",")
}

// Entities is the list of everything in a frame, with the tree between them.
type Entities struct {
	list     []Entity
	children map[EntityID][]EntityID
}

// Add appends an entity and returns its id. The parent must have been added before.
func (es *Entities) Add(e Entity) EntityID {
	e.ID = EntityID(len(es.list))
	es.list = append(es.list, e)
	if e.Parent != NoEntity {
		if es.children == nil {
			es.children = map[EntityID][]EntityID{}
		}
		es.children[e.Parent] = append(es.children[e.Parent], e.ID)
	}
	return e.ID
}

// Get returns an entity by id.
func (es *Entities) Get(id EntityID) Entity { return es.list[id] }

// Len is the number of entities.
func (es *Entities) Len() int { return len(es.list) }

// All lists every entity in the order they were added.
func (es *Entities) All() []Entity { return es.list }

// Children lists the direct children of an entity with the given scope.
func (es *Entities) Children(id EntityID, scope Scope) []EntityID {
	return slices.Collect(es.Each(id, scope))
}

// Each goes through the direct children of an entity with the given scope.
func (es *Entities) Each(id EntityID, scope Scope) iter.Seq[EntityID] {
	return func(yield func(EntityID) bool) {
		for _, c := range es.children[id] {
			if es.list[c].Scope == scope && !yield(c) {
				return
			}
		}
	}
}

// SetEngine records what was learned of a target's software.
func (es *Entities) SetEngine(id EntityID, e Engine) { es.list[id].Engine = e }

package signals

import (
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// byKey finds entities by what makes them the same. Where two have one identity, as a pod that
// changed its address inside the window, neither can be told from the other and both are left out.
func byKey(es *model.Entities) map[string]model.EntityID {
	out := map[string]model.EntityID{}
	twice := map[string]bool{}
	for _, e := range es.All() {
		key := keyOf(es, e)
		if _, ok := out[key]; ok {
			twice[key] = true
		}
		out[key] = e.ID
	}
	for key := range twice {
		delete(out, key)
	}
	return out
}

// keyOf is what makes an entity the same in two frames: its labels. A pod keeps its name when it
// gets a new address, so of an instance in a pod only the port counts. Which model it serves is
// compared apart, by what each window shows.
func keyOf(es *model.Entities, e model.Entity) string {
	key := string(e.Scope) + "\xff"
	if e.Scope == model.ScopeRank || e.Scope == model.ScopeGPU {
		part := e.Labels.Get("engine") + e.Labels.Get("UUID") + e.Labels.Get("GPU_I_ID") + "\xff"
		return key + part + keyOf(es, es.Get(e.Parent))
	}
	own := make(model.Labels, 0, len(e.Labels))
	for _, l := range e.Labels {
		if l.Name == "instance" && e.Labels.Get("pod") != "" {
			l.Value = l.Value[strings.LastIndexByte(l.Value, ':')+1:]
		}
		if l.Name != "model_name" || e.Scope == model.ScopeGroup {
			own = append(own, l)
		}
	}
	return key + own.Key()
}

// owner is the target that an entity is or belongs to.
func owner(es *model.Entities, e model.Entity) model.Entity {
	if e.Scope == model.ScopeRank || e.Scope == model.ScopeGPU {
		return es.Get(e.Parent)
	}
	return e
}

// models says which model each target serves inside the present window. Its label may be older, as
// the store may be: an address that serves another model now has no past.
func (a *assembly) models() map[model.EntityID]string {
	out := map[model.EntityID]string{}
	w := samples.Window{From: a.from, To: a.to}
	for _, t := range a.targets {
		if t.d != nil {
			out[t.id] = served(t.in, t.d, w)
		}
	}
	return out
}

func served(in *samples.Instance, d *dialect, w samples.Window) string {
	for _, s := range liveMarkers(in, d, w) {
		if v := s.Labels.Get(d.Model); v != "" {
			return v
		}
	}
	return ""
}

// liveMarkers lists the series by which an instance is known to speak a dialect, of those alive in a window.
func liveMarkers(in *samples.Instance, d *dialect, w samples.Window) []*samples.Series {
	var out []*samples.Series
	for _, m := range d.Markers {
		for _, n := range spellings(m) {
			for _, s := range in.Named(n) {
				if len(w.In(s.Points)) > 0 {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// instances is a set of instances by their identity, to find the targets made of them.
type instances struct {
	names []string // of the labels that are identity
	keys  map[string]bool
}

func (x *instances) add(in *samples.Instance) {
	for _, l := range in.Labels {
		if !slices.Contains(x.names, l.Name) {
			x.names = append(x.names, l.Name)
		}
	}
	if x.keys == nil {
		x.keys = map[string]bool{}
	}
	x.keys[in.Labels.Key()] = true
}

func (x *instances) has(target model.Entity) bool {
	if len(x.keys) == 0 {
		return false
	}
	var own model.Labels
	for _, l := range target.Labels {
		if slices.Contains(x.names, l.Name) {
			own = append(own, l)
		}
	}
	return x.keys[own.Key()]
}

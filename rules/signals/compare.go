package signals

import (
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// compare reads the earlier windows and puts their values into the present frame under the names with
// an offset. An entity is the same one when all its labels are: an address that served another model
// then has no past.
func (a *assembly) compare(st *samples.Store) {
	var present map[string]model.EntityID
	for _, w := range a.req.Past.Windows() {
		from := a.source(st, w.Back)
		if from.Store == nil {
			continue
		}
		part, gone := a.observed(st, from.Store, &w)
		if len(part.Instances()) == len(gone) {
			continue
		}
		if present == nil {
			present = map[string]model.EntityID{}
			for _, e := range a.es.All() {
				present[identity(&a.es, e)] = e.ID
			}
		}
		f := w.cat.Frame(part, Request{
			At: a.req.At.Add(-w.Back), Window: a.req.Window, Settings: a.req.Settings, Join: a.req.Join, Group: a.req.Group,
			Without: a.req.Without, PromQL: from.PromQL,
		})
		a.take(f, &w, present, gone)
	}
}

// source says where the samples of an earlier window are: beside those of the present, or by themselves.
func (a *assembly) source(st *samples.Store, back time.Duration) Earlier {
	for _, e := range a.req.Earlier {
		if e.Back == back {
			return e
		}
	}
	return Earlier{Back: back, Store: st, PromQL: a.req.PromQL}
}

// take puts what an earlier frame holds of the entities of the present under the names with an offset.
func (a *assembly) take(f *model.Frame, w *EarlierWindow, present map[string]model.EntityID, gone []model.Labels) {
	for _, x := range f.Faults {
		a.b.AddFault(model.Fault{Source: x.Source + ", " + w.words + " ago", Err: x.Err})
	}
	for _, e := range f.Entities.All() {
		id, same := present[identity(f.Entities, e)]
		if !same || slices.ContainsFunc(gone, func(ls model.Labels) bool { return belongs(f.Entities, e, ls) }) {
			continue
		}
		for _, name := range w.Signals {
			if v, ok := f.Get(e.ID, w.of[name]); ok && !slices.Contains(a.req.Without, name) {
				a.b.Set(id, name, v)
			}
		}
	}
}

// identity is what makes an entity the same in two frames.
func identity(es *model.Entities, e model.Entity) string {
	key := string(e.Scope) + "\xff" + e.Labels.Key()
	if e.Scope == model.ScopeRank || e.Scope == model.ScopeGPU {
		key += "\xff" + es.Get(e.Parent).Labels.Key()
	}
	return key
}

// observed cuts out an earlier window. Of instances that were not seen well enough only the engines
// stay, and are listed: who else lived on a host decides what is joined to whom.
func (a *assembly) observed(st, older *samples.Store, w *EarlierWindow) (part *samples.Store, gone []model.Labels) {
	back := w.Back.Milliseconds()
	then := samples.Window{From: a.from - back, To: a.to - back}
	part = older.Cut(then, w.Metrics)
	drop := map[*samples.Instance]bool{}
	for _, in := range part.Instances() {
		present, _ := st.Same(in)
		if covered(in, present, then, samples.Window{From: a.from, To: a.to}) {
			continue
		}
		if slices.ContainsFunc(w.cat.dialects, func(d *dialect) bool { return d.Kind == "engine" && shows(in, d, then) }) {
			gone = append(gone, in.Labels)
		} else {
			drop[in] = true
		}
	}
	part.Drop(func(in *samples.Instance) bool { return drop[in] })
	return part, gone
}

// covered says whether an instance was really seen then: at least half of the scrapes that its
// interval makes expected were answered. Of the interval then and now the shorter counts, so that a
// few scrapes far apart do not pass for a slow schedule.
func covered(in, present *samples.Instance, then, now samples.Window) bool {
	interval, ok := in.Interval(then)
	if present != nil {
		if i, seen := present.Interval(now); seen && (!ok || i < interval) {
			interval, ok = i, true
		}
	}
	return ok && len(in.Scrapes) >= 2 && 2*int64(len(in.Scrapes))*interval >= then.To-then.From
}

// belongs says whether an entity is the target of an instance, or a part of it.
func belongs(es *model.Entities, e model.Entity, instance model.Labels) bool {
	if e.Scope == model.ScopeRank || e.Scope == model.ScopeGPU {
		e = es.Get(e.Parent)
	}
	return !slices.ContainsFunc(instance, func(l model.Label) bool { return e.Labels.Get(l.Name) != l.Value })
}

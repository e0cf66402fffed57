package signals

import (
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// compare reads the earlier windows and puts their values into the present frame under the names with
// an offset. An entity is the same one when its identity is: an address that served another model then
// has no past.
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
			present = identities(&a.es)
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
	for key, then := range identities(f.Entities) {
		id, same := present[key]
		e := f.Entities.Get(then)
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

// identities finds entities by what makes them the same. Where two have one identity, as a pod that
// changed its address inside the window, neither can be told from the other and both are left out.
func identities(es *model.Entities) map[string]model.EntityID {
	out := map[string]model.EntityID{}
	twice := map[string]bool{}
	for _, e := range es.All() {
		key := identity(es, e)
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

// identity is what makes an entity the same in two frames: its labels. A pod keeps its name when it
// gets a new address, so of an instance in a pod only the port counts.
func identity(es *model.Entities, e model.Entity) string {
	key := string(e.Scope) + "\xff"
	if e.Scope == model.ScopeRank || e.Scope == model.ScopeGPU {
		part := e.Labels.Get("engine") + e.Labels.Get("UUID") + e.Labels.Get("GPU_I_ID") + "\xff"
		return key + part + identity(es, es.Get(e.Parent))
	}
	if e.Labels.Get("pod") == "" {
		return key + e.Labels.Key()
	}
	ls := slices.Clone(e.Labels)
	for i, l := range ls {
		if l.Name == "instance" {
			ls[i].Value = l.Value[strings.LastIndexByte(l.Value, ':')+1:]
		}
	}
	return key + ls.Key()
}

// observed cuts out an earlier window. Of instances that were not seen well enough only the engines
// stay, and are listed: who else lived on a host decides what is joined to whom.
func (a *assembly) observed(st, older *samples.Store, w *EarlierWindow) (part *samples.Store, gone []model.Labels) {
	back := w.Back.Milliseconds()
	then := samples.Window{From: a.from - back, To: a.to - back}
	part = older.Cut(then, w.Metrics)
	drop := map[*samples.Instance]bool{}
	for _, in := range part.Instances() {
		if covered(in, then, a.interval(st, in)) {
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

// interval is the time between scrapes of an instance at present, or of another one of its job where
// the instance has gone; 0 when nobody can tell.
func (a *assembly) interval(st *samples.Store, in *samples.Instance) int64 {
	now := samples.Window{From: a.from, To: a.to}
	if same, ok := st.Same(in); ok {
		if ms, ok := same.Interval(now); ok {
			return ms
		}
	}
	for _, other := range st.Instances() {
		if other.Labels.Get("job") != in.Labels.Get("job") {
			continue
		}
		if ms, ok := other.Interval(now); ok {
			return ms
		}
	}
	return 0
}

// covered says whether an instance was really seen then: at least half of the scrapes that its
// interval makes expected were answered. Of the interval then and now the shorter counts, so that a
// few scrapes far apart do not pass for a slow schedule.
func covered(in *samples.Instance, then samples.Window, now int64) bool {
	interval, ok := in.Interval(then)
	if now > 0 && (!ok || now < interval) {
		interval, ok = now, true
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

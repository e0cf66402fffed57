package signals

import (
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// compare reads the earlier windows and puts their values into the present frame under the names with
// an offset, for entities that were there then.
func (a *assembly) compare(st *samples.Store) {
	var present map[string]model.EntityID
	var models map[model.EntityID]string
	for _, w := range a.req.Past.Windows() {
		from := a.source(st, w.Back)
		if from.Store == nil {
			continue
		}
		part, gone := a.observed(st, from, &w)
		if len(part.Instances()) == len(gone.keys) {
			continue
		}
		if present == nil {
			present, models = byKey(&a.es), a.models()
		}
		then := Request{
			At: a.req.At.Add(-w.Back), Window: a.req.Window, Settings: a.req.Settings, Join: a.req.Join, Group: a.req.Group,
			Without: a.req.Without, PromQL: from.PromQL,
		}
		if part == from.Store {
			then.Binding = from.Binding
		}
		f := w.cat.Frame(part, then)
		a.take(f, &w, func(e model.Entity) (model.EntityID, bool) {
			of := owner(f.Entities, e)
			if gone.has(of) {
				return 0, false
			}
			id, ok := present[keyOf(f.Entities, e)]
			return id, ok && models[owner(&a.es, a.es.Get(id)).ID] == of.Labels.Get("model_name")
		})
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

// take puts what an earlier frame holds under the names with an offset, for the entities that are in
// the present, too.
func (a *assembly) take(f *model.Frame, w *EarlierWindow, same func(model.Entity) (model.EntityID, bool)) {
	for _, x := range f.Faults {
		a.b.AddFault(model.Fault{Source: x.Source + ", " + w.words + " ago", Err: x.Err})
	}
	for _, then := range byKey(f.Entities) {
		e := f.Entities.Get(then)
		id, ok := same(e)
		if !ok {
			continue
		}
		for _, name := range w.Signals {
			if v, ok := f.Get(e.ID, w.of[name]); ok && !slices.Contains(a.req.Without, name) {
				a.b.Set(id, name, v)
			}
		}
	}
}

// observed cuts out an earlier window, unless the store holds nothing else. Of instances that were not seen well enough only the engines
// stay, and are listed: who else lived on a host decides what is joined to whom.
func (a *assembly) observed(st *samples.Store, older Earlier, w *EarlierWindow) (part *samples.Store, gone instances) {
	back := w.Back.Milliseconds()
	then := samples.Window{From: a.from - back, To: a.to - back}
	if older.Binding != nil && a.allCovered(st, older.Store, then) {
		return older.Store, gone
	}
	part = older.Store.Cut(then, w.Metrics)
	drop := map[*samples.Instance]bool{}
	for _, in := range part.Instances() {
		if covered(in, then, a.interval(st, in)) {
			continue
		}
		if slices.ContainsFunc(w.cat.dialects, func(d *dialect) bool { return d.Kind == "engine" && len(liveMarkers(in, d, then)) > 0 }) {
			gone.add(in)
		} else {
			drop[in] = true
		}
	}
	part.Drop(func(in *samples.Instance) bool { return drop[in] })
	return part, gone
}

// allCovered says whether nothing of a store would be left out.
func (a *assembly) allCovered(st, older *samples.Store, then samples.Window) bool {
	return !slices.ContainsFunc(older.Instances(), func(in *samples.Instance) bool {
		return len(in.Scrapes) == 0 || !covered(in, then, a.interval(st, in))
	})
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

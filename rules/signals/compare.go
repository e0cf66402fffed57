package signals

import (
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// compare reads the other windows and puts their values into the present frame under the names with a
// time, for entities that were there then.
func (a *assembly) compare(st *samples.Store) {
	var present map[string]model.EntityID
	var models map[model.EntityID]string
	for _, w := range a.req.Past.Windows() {
		if w.Length == a.req.Window {
			a.present(&w)
			continue
		}
		f, gone := a.other(st, &w)
		if f == nil {
			continue
		}
		if present == nil {
			present, models = byKey(&a.es), a.models()
		}
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

// other makes the frame of another window, nil where nothing was seen in it.
func (a *assembly) other(st *samples.Store, w *EarlierWindow) (*model.Frame, instances) {
	from := a.source(st, w)
	s := from.Still
	if s == nil {
		return a.look(st, from, w, a.req.At.Add(-w.Back))
	}
	if s.store != nil {
		from.Store = s.store
		s.frame, s.gone = a.look(st, from, w, s.at)
		if s.store = nil; s.frame != nil {
			s.frame = s.frame.WithoutTrends()
		}
	}
	return s.frame, s.gone
}

// look makes the frame of another window that ends at a time.
func (a *assembly) look(st *samples.Store, from Earlier, w *EarlierWindow, at time.Time) (*model.Frame, instances) {
	span := samples.Window{From: at.Add(-w.Span(a.req.Window)).UnixMilli(), To: at.UnixMilli()}
	if from.Store == nil || w.Length > 0 && !a.anyCovered(st, from.Store, w, span) {
		return nil, instances{}
	}
	part, gone := a.observed(st, from, w, span)
	if len(part.Instances()) == len(gone.keys) {
		return nil, gone
	}
	then := Request{
		At: at, Window: w.Span(a.req.Window), Settings: a.req.Settings, Join: a.req.Join, Group: a.req.Group,
		Without: a.req.Without, PromQL: from.PromQL,
	}
	if part == from.Store {
		then.Binding = from.Binding
	}
	return w.cat.Frame(part, then), gone
}

// source says where the samples of another window are: beside those of the present, or by themselves.
func (a *assembly) source(st *samples.Store, w *EarlierWindow) Earlier {
	for _, e := range a.req.Earlier {
		if e.Back == w.Back && e.Length == w.Length {
			return e
		}
	}
	return Earlier{Back: w.Back, Length: w.Length, Store: st, PromQL: a.req.PromQL}
}

// take puts what an earlier frame holds under the names with a time, for the entities that are in
// the present, too.
func (a *assembly) take(f *model.Frame, w *EarlierWindow, same func(model.Entity) (model.EntityID, bool)) {
	for _, x := range f.Faults {
		a.b.AddFault(model.Fault{Source: x.Source + w.when(), Err: x.Err})
	}
	for _, then := range byKey(f.Entities) {
		e := f.Entities.Get(then)
		id, ok := same(e)
		if !ok {
			continue
		}
		for _, name := range w.Signals {
			if v, ok := f.Get(e.ID, w.of[name]); ok && !a.hidden(name) {
				a.b.Set(id, name, v)
			}
		}
	}
}

func (a *assembly) hidden(name string) bool { return slices.Contains(a.req.Without, name) }

// observed cuts out another window, unless the store holds nothing else. Of instances that were not seen well enough only the engines
// stay, and are listed: who else lived on a host decides what is joined to whom.
func (a *assembly) observed(st *samples.Store, older Earlier, w *EarlierWindow, then samples.Window) (part *samples.Store, gone instances) {
	if older.Binding != nil && a.allCovered(st, older.Store, w, then) {
		return older.Store, gone
	}
	part = older.Store.Cut(then, w.Metrics)
	drop := map[*samples.Instance]bool{}
	for _, in := range part.Instances() {
		if w.covered(in, then, a.interval(st, in)) {
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
func (a *assembly) allCovered(st, older *samples.Store, w *EarlierWindow, then samples.Window) bool {
	return !slices.ContainsFunc(older.Instances(), func(in *samples.Instance) bool {
		return len(in.Scrapes) == 0 || !w.covered(in, then, a.interval(st, in))
	})
}

// anyCovered says whether a store reaches back far enough for any instance.
func (a *assembly) anyCovered(st, older *samples.Store, w *EarlierWindow, then samples.Window) bool {
	return slices.ContainsFunc(older.Instances(), func(in *samples.Instance) bool { return w.covered(in, then, a.interval(st, in)) })
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
func (w *EarlierWindow) covered(in *samples.Instance, then samples.Window, now int64) bool {
	if w.Length > 0 {
		return spanned(in.Scrapes, then, now)
	}
	interval, ok := in.Interval(then)
	if now > 0 && (!ok || now < interval) {
		interval, ok = now, true
	}
	return ok && len(in.Scrapes) >= 2 && 2*int64(len(in.Scrapes))*interval >= then.To-then.From
}

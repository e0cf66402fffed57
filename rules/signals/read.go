package signals

import (
	"slices"
	"sort"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// read evaluates every direct signal of a target, its ranks and what is joined to it.
func (a *assembly) read(t *target) {
	span := a.span(t.in)
	a.b.SetSpan(t.id, span)
	a.scrapes(t, span)
	settings := a.configure(t)
	if t.d != nil {
		f, w := t.bound.feed(t.d, "", nil), a.window(t.in)
		now := f.process(w)
		a.signals(t.id, f, w, now, settings)
		t.info, t.shown = t.self.infoIn(t.in, now), f.facts(now)
		for _, r := range t.ranks {
			keep := func(s *samples.Series) bool { return s.Labels.Get(t.d.Rank) == r.rank }
			a.signals(r.id, t.bound.feed(t.d, r.rank, keep), w, now, settings)
		}
	}
	for _, x := range t.side {
		if x.d.Kind == "router" {
			a.router(t, x, settings)
			continue
		}
		w := a.window(x.in)
		a.signals(t.id, x.bound.feed(x.d, x.of, x.keep), w, w, settings)
	}
	for _, g := range t.gpus {
		keep := func(s *samples.Series) bool { return gpuID(s.Labels) == g.uuid }
		w := a.window(g.in)
		a.signals(g.id, a.req.Binding.of(g.in).feed(g.d, g.uuid, keep), w, w, settings)
	}
	a.foldGPUs(t)
}

// configure records what configuration sets for a target.
func (a *assembly) configure(t *target) map[string]float64 {
	var set map[string]float64
	if a.req.Settings != nil {
		set = a.req.Settings(a.es.Get(t.id).Labels)
	}
	for i, id := range a.c.settings {
		v, ok := set[id]
		if !ok {
			v = *a.c.meanings[id].Setting
		}
		a.b.Put(a.settings[i], t.id, model.Known(v))
		for _, r := range t.ranks {
			a.b.Put(a.settings[i], r.id, model.Known(v))
		}
	}
	return set
}

// signals reads an entity over the part of the window that is of the process that runs; what counts starts is
// read over all of it.
func (a *assembly) signals(id model.EntityID, f *feed, whole, now samples.Window, settings map[string]float64) {
	r := a.readers[f.d]
	slots := a.slots[f.d]
	for _, starts := range []bool{false, true} {
		if !starts {
			r.open(f, now, settings)
		} else if whole != now {
			r.open(f, whole, settings)
		}
		for i := range f.d.stats {
			s := &f.d.stats[i]
			if !f.gives(s.def) || slots[i] == model.NoSlot || s.ofStarts() != starts {
				continue
			}
			if v, ok := r.value(s); ok {
				a.b.Put(slots[i], id, v)
			}
		}
	}
}

// scrapes says how the target answered: these signals exist for every target.
func (a *assembly) scrapes(t *target, s model.Span) {
	if n := s.Scrapes + s.Failed; n > 0 {
		a.b.Set(t.id, "scrape_failed_ratio", model.Known(float64(s.Failed)/float64(n)))
	}
	lastOK := last(t.in.Scrapes, a.to)
	lastFailed := last(t.in.Failed, a.to)
	down := 0.0
	if lastFailed > lastOK {
		down = 1
		since := lastFailed
		for i := len(t.in.Failed) - 1; i >= 0 && t.in.Failed[i] > lastOK; i-- {
			since = t.in.Failed[i]
		}
		a.b.Set(t.id, "down_s", model.Known(float64(a.to-since)/1000))
	}
	a.b.Set(t.id, "down", model.Known(down))
	a.b.Set(t.id, "observed_s", model.Known(s.Observed().Seconds()))
	a.b.Set(t.id, "scrapes", model.Known(float64(s.Scrapes)))
}

func last(ts []int64, to int64) int64 {
	i := sort.Search(len(ts), func(i int) bool { return ts[i] > to })
	if i == 0 {
		return 0
	}
	return ts[i-1]
}

// trend gives the samples of a signal that charts and onset need, from what was joined last.
func (a *assembly) trend(id model.EntityID, signal model.SignalID) []model.Point {
	t := a.byID[id]
	if t == nil {
		return nil
	}
	for _, x := range slices.Backward(t.side) {
		if ps := x.bound.feed(x.d, x.of, x.keep).trend(signal, a.window(x.in)); len(ps) > 0 {
			return ps
		}
	}
	if t.d == nil {
		return nil
	}
	if ps := t.bound.feed(t.d, "", nil).trend(signal, a.window(t.in)); len(ps) > 0 {
		return ps
	}
	return nil
}

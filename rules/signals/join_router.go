package signals

import (
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// joinRouters gives what a router says to every server behind it: those of its namespace whose model it names. A
// router that names no model serves whoever is there, if that is one service only; else nobody can tell whose it is.
func (a *assembly) joinRouters() {
	for _, r := range a.routers {
		models := r.models()
		for _, t := range a.targets {
			if !a.sameNamespace(r, t) {
				continue
			}
			x, name := r, strings.ToLower(a.es.Get(t.id).Labels.Get("model_name"))
			switch {
			case slices.Contains(models, name):
				x.of, x.keep = name, ofModel(r.d.Model, name)
			case len(models) > 1 || !a.oneService():
				continue
			}
			t.side = append(t.side, x)
		}
	}
}

// models are the names under which a router knows what it serves, in lower case, for some routers change it.
func (x attached) models() []string {
	var out []string
	for _, def := range x.d.defs {
		for _, n := range def.names {
			for _, s := range x.in.Named(n.main) {
				if m := strings.ToLower(s.Labels.Get(x.d.Model)); m != "" && !slices.Contains(out, m) {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// ofModel keeps the series of one model and those that name none.
func ofModel(label, name string) func(*samples.Series) bool {
	return func(s *samples.Series) bool {
		m := s.Labels.Get(label)
		return m == "" || strings.EqualFold(m, name)
	}
}

func (a *assembly) sameNamespace(r attached, t *target) bool {
	of, here := labelOfAny(r.in, r.d, "namespace"), a.es.Get(t.id).Labels.Get("namespace")
	return of == "" || here == "" || of == here
}

// oneService says whether all targets that are known belong together.
func (a *assembly) oneService() bool {
	first := model.NoEntity
	for _, t := range a.targets {
		if t.d == nil {
			continue
		}
		g := a.es.Get(t.id).Parent
		if first != model.NoEntity && g != first {
			return false
		}
		first = g
	}
	return true
}

// router reads what a router says, together with the others in front of the same server: each of them sees a part of the
// requests, the worst of their times counts, and so does the one that knows the fewest endpoints.
func (a *assembly) router(t *target, x attached, settings map[string]float64) {
	before := make([]float64, len(x.d.stats))
	for i := range x.d.stats {
		before[i] = math.NaN()
		if at := a.slots[x.d][i]; at != model.NoSlot {
			if v, ok := a.b.In(at, t.id); ok {
				before[i] = v.V
			}
		}
	}
	w := a.window(x.in)
	a.signals(t.id, x.bound.feed(x.d, x.of, x.keep), w, w, settings)
	for i, was := range before {
		at := a.slots[x.d][i]
		if math.IsNaN(was) {
			continue
		}
		if v, ok := a.b.In(at, t.id); ok {
			a.b.Put(at, t.id, model.Known(together(x.d.stats[i].Stat.S, was, v.V)))
		}
	}
	a.answers(t, x)
}

func together(stat string, x, y float64) float64 {
	switch stat {
	case "increase", "rate", "avg", "q":
		return x + y
	case "last":
		return min(x, y)
	}
	return max(x, y)
}

// answers says whether the router answered its last scrape: a dead one is a finding of the servers behind it. Of
// several routers one that is dead is enough.
func (a *assembly) answers(t *target, x attached) {
	down := 0.0
	if last(x.in.Failed, a.to) > last(x.in.Scrapes, a.to) {
		down = 1
	}
	if was, ok := a.b.Get(t.id, "router_down"); ok {
		down = max(down, was.V)
	}
	a.b.Set(t.id, "router_down", model.Known(down))
}

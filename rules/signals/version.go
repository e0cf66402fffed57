package signals

import "github.com/inferdx/inferdx/internal/model"

// version infers the engine's version from what it exposes: at least that of the newest mark seen.
func (a *assembly) version(t *target) model.Engine {
	e := model.Engine{Name: t.d.Name}
	for _, m := range t.d.Versions {
		for _, n := range spellings(m.Metric) {
			for _, s := range t.in.Named(n) {
				if m.Label == "" || s.Labels.Get(m.Label) != "" {
					e.Version, e.AtLeastOnly = m.Since, true
				}
			}
		}
	}
	return e
}

// missing lists what the catalogue could have told of a target but did not see. A server that computes
// on its CPU lacks no GPU.
func (c *Catalog) missing(b *model.FrameBuilder, t *target) []model.Missing {
	var out []model.Missing
	processor, _ := b.Fact(t.id, "processor")
	for _, id := range c.core {
		m := c.meanings[id]
		if _, ok := b.Get(t.id, id); ok || m.Scope == model.ScopeGPU && processor.Text == "cpu" {
			continue
		}
		needs := m.Needs
		if why, ok := t.unseen["gpu"]; ok && m.Scope == model.ScopeGPU {
			needs = why
		}
		out = append(out, model.Missing{Signal: id, Needs: needs})
	}
	return out
}

// foldGPUs gives the target what its GPUs say together, by each signal's own fold.
func (a *assembly) foldGPUs(t *target) {
	if len(t.gpus) == 0 {
		return
	}
	a.b.Set(t.id, "gpus", model.Known(float64(len(t.gpus))))
	for id := range t.gpus[0].d.Signals {
		var vs []float64
		for _, g := range t.gpus {
			if v, ok := a.b.Get(g.id, id); ok {
				vs = append(vs, v.V)
			}
		}
		if len(vs) > 0 {
			a.b.Set(t.id, id, model.Known(combine(a.c.meanings[id].Fold, vs)))
		}
	}
}

func combine(fold string, vs []float64) float64 {
	out := vs[0]
	for _, v := range vs[1:] {
		switch fold {
		case "max":
			out = max(out, v)
		case "min":
			out = min(out, v)
		default:
			out += v
		}
	}
	if fold == "" || fold == "avg" {
		out /= float64(len(vs))
	}
	return out
}

package signals

import "github.com/inferdx/inferdx/internal/model"

// missing lists what the catalogue could have told of a target but did not see. A server that computes
// on its CPU lacks no GPU.
func (a *assembly) missing(t *target, core []model.Slot) []model.Missing {
	var room [64]model.Missing
	out := room[:0]
	processor, _ := a.b.Fact(t.id, "processor")
	for i, m := range a.c.core {
		if _, ok := a.b.In(core[i], t.id); ok || m.scope == model.ScopeGPU && processor.Text == "cpu" {
			continue
		}
		needs := m.needs
		if t.noGPU != "" && m.scope == model.ScopeGPU {
			needs = t.noGPU
		}
		out = append(out, model.Missing{Signal: m.id, Needs: needs})
	}
	return append([]model.Missing(nil), out...)
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

package signals

import (
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// pairs finds targets by labels that they share with something else.
type pairs struct {
	names []string
	of    map[model.Label][]*target
}

// pairs indexes the targets by the values that they have of some labels.
func (a *assembly) pairs(names []string) pairs {
	p := pairs{names, map[model.Label][]*target{}}
	for _, t := range a.targets {
		for _, name := range names {
			if v := a.labelOf(t, name); v != "" {
				l := model.Label{Name: name, Value: v}
				p.of[l] = append(p.of[l], t)
			}
		}
	}
	return p
}

// labelOf is a label of the target, or one that its series have beside those.
func (a *assembly) labelOf(t *target, name string) string {
	if v := a.es.Get(t.id).Labels.Get(name); v != "" || t.d == nil {
		return v
	}
	return firstLabel(t.in, t.d, name)
}

// find gives the targets that have the value of the first of the labels that something has.
func (p pairs) find(label func(name string) string) []*target {
	for _, name := range p.names {
		if v := label(name); v != "" {
			return p.of[model.Label{Name: name, Value: v}]
		}
	}
	return nil
}

// labelled gives each device to the target that its labels name. Labels that several targets share name
// none: eight GPUs and four servers on a host must not be mixed.
func (a *assembly) labelled() map[int]*target {
	if len(a.req.Join.GPULabels) == 0 {
		return nil
	}
	p, out := a.pairs(a.req.Join.GPULabels), map[int]*target{}
	for i, g := range a.gpus {
		ts := p.find(func(name string) string {
			if v := g.labels.Get(name); v != "" {
				return v
			}
			return g.in.Labels.Get(name)
		})
		if len(ts) == 1 {
			out[i] = ts[0]
		}
	}
	return out
}

// hostsByLabel lists, by target, the exporters whose labels name it.
func (a *assembly) hostsByLabel() map[*target][]int {
	if len(a.req.Join.HostLabels) == 0 {
		return nil
	}
	p, out := a.pairs(a.req.Join.HostLabels), map[*target][]int{}
	for i, x := range a.hosts {
		if x.d.Kind == "container" { // tells the pod of each series by itself
			continue
		}
		for _, t := range p.find(func(name string) string { return labelOfAny(x.in, x.d, name) }) {
			out[t] = append(out[t], i)
		}
	}
	return out
}

func labelOfAny(in *samples.Instance, d *dialect, name string) string {
	if v := in.Labels.Get(name); v != "" {
		return v
	}
	return firstLabel(in, d, name)
}

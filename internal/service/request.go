package service

import (
	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/shape"
)

// objectives gives the objectives of a target: those of the first entry that matches it.
func objectives(slos []*config.SLO) func(model.Labels) map[string]float64 {
	if len(slos) == 0 {
		return nil
	}
	return func(labels model.Labels) map[string]float64 {
		all := labels.Map()
		for _, s := range slos {
			if !s.Match.Match(all) {
				continue
			}
			return s.Settings()
		}
		return nil
	}
}

// shapes gives the shape of the model that a target serves, by the first entry that matches and has one.
func shapes(models []*config.Model, read []*shape.Shape) func(model.Labels) *shape.Shape {
	if len(models) == 0 {
		return nil
	}
	return func(labels model.Labels) *shape.Shape {
		for i, m := range models {
			if read[i] != nil && m.Match.Match(labels.Map()) {
				return read[i]
			}
		}
		return nil
	}
}

// devices gives the GPU of a target, by the first entry that matches and names one.
func devices(models []*config.Model) func(model.Labels) *hardware.GPU {
	if len(models) == 0 {
		return nil
	}
	named := make([]*hardware.GPU, len(models))
	for i, m := range models {
		if g, ok := m.Device(); ok {
			named[i] = &g
		}
	}
	return func(labels model.Labels) *hardware.GPU {
		for i, m := range models {
			if named[i] != nil && m.Match.Match(labels.Map()) {
				return named[i]
			}
		}
		return nil
	}
}

// gpusOf gives the GPUs that the configuration says belong to instances, by their instance label.
func gpusOf(owners []*config.GPUOwner, instances []*samples.Instance) map[string][]string {
	if len(owners) == 0 {
		return nil
	}
	out := map[string][]string{}
	for _, in := range instances {
		labels := in.Labels.Map()
		for _, o := range owners {
			if o.Match.Match(labels) {
				out[labels["instance"]] = append(out[labels["instance"]], o.UUIDs...)
			}
		}
	}
	return out
}

func texts[T ~string](in []T) []string {
	out := make([]string, len(in))
	for i, x := range in {
		out[i] = string(x)
	}
	return out
}

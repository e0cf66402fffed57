package service

import (
	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
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

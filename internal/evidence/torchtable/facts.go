package torchtable

import "github.com/inferdx/inferdx/internal/model"

// Facts are what playbooks weigh. How much of a step attention takes is not among them: a table does not tell how long
// the GPU waited in between.
func (p *Profile) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	set := func(name string, v float64) { out[name] = model.Measured(v, "torch profiler table") }
	if p.Launches != nil {
		set("profile_kernel_launches", float64(*p.Launches))
		set("profile_graph_launches", float64(*p.GraphLaunches))
		if p.Kernels > 0 {
			set("profile_kernels_per_launch", float64(p.Kernels)/float64(*p.Launches+*p.GraphLaunches))
		}
	}
	if p.Kernels > 0 && p.DeviceSeconds > 0 {
		set("kernel_unpacking_ratio", min(1, p.unpacking/p.DeviceSeconds))
	}
	return out
}

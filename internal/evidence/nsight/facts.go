package nsight

import (
	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
)

const from = "nsight compute"

// Facts are what playbooks weigh. They are of the profiled launches, which need not be a whole step: how much of a step
// attention takes is told by a profile of the whole step only. A quantity that the file does not have is absent.
func (p *Profile) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	set := func(name string, v float64) {
		out[name] = model.Measured(v, from)
	}
	maybe := func(name string, v *float64) {
		if v != nil {
			set(name, *v)
		}
	}
	a := &p.All
	maybe("kernel_sm_ratio", a.SM)
	maybe("kernel_memory_ratio", a.Memory)
	maybe("kernel_dram_ratio", a.DRAM)
	maybe("kernel_l1_hit_ratio", a.L1Hit)
	maybe("kernel_l2_hit_ratio", a.L2Hit)
	maybe("kernel_tensor_ratio", a.Tensor)
	maybe("kernel_lanes_ratio", a.Lanes)
	maybe("kernel_occupancy_ratio", a.Occupancy)
	maybe("kernel_theoretical_occupancy_ratio", a.Possible)
	if a.Intensity != nil && *a.Ridge > 0 {
		set("kernel_intensity_to_ridge_ratio", *a.Intensity / *a.Ridge)
	}
	if len(a.Bounds) > 0 {
		for _, b := range []Bound{Compute, DRAM, Latency, Occupancy} {
			set("kernel_"+string(b)+"_bound_ratio", a.Bounds[b])
		}
		set("kernel_cache_bound_ratio", a.Bounds[Memory])
	}
	set("kernel_unpacking_ratio", p.Unpacking)
	for _, c := range p.Classes {
		if c.Class != kernels.Attention && c.Class != kernels.GEMM {
			continue
		}
		if c.SM != nil && c.Memory != nil {
			set("kernel_"+string(c.Class)+"_peak_ratio", max(*c.SM, *c.Memory))
		}
	}
	return out
}

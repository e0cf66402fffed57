package nsys

import (
	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
)

// Facts are what playbooks weigh. The shares of a step need the timeline: tables tell how the kernels share their own
// time, not how long the GPU waited in between.
func (p *Profile) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	set := func(name string, v float64) {
		out[name] = model.Measured(v, "nsight systems")
	}
	if t := p.Timeline; t != nil && t.Working > 0 {
		set("profile_gpu_busy_ratio", t.Busy/t.Working)
		set("profile_gap_longest_s", t.Within)
		if t.Graphs == 0 { // else most of the kernels were not seen
			for class, name := range map[kernels.Class]string{
				kernels.Attention: "profile_attention_ratio", kernels.AllReduce: "profile_all_reduce_ratio", kernels.AllToAll: "profile_all_to_all_ratio",
				kernels.Sampling: "profile_sampling_ratio", kernels.GEMM: "profile_gemm_ratio", kernels.Copy: "profile_copy_ratio", kernels.MoE: "profile_moe_ratio",
			} {
				set(name, min(1, p.seconds(class)/t.Working))
			}
			set("profile_collective_ratio", min(1, (p.seconds(kernels.AllReduce)+p.seconds(kernels.AllToAll)+p.seconds(kernels.Collective))/t.Working))
		}
	}
	if c := p.Calls; c != nil && c.Launches+c.GraphLaunches > 0 {
		set("profile_kernel_launches", float64(c.Launches))
		set("profile_graph_launches", float64(c.GraphLaunches))
		if p.Kernels > 0 && (p.Timeline == nil || p.Timeline.Graphs == 0) {
			set("profile_kernels_per_launch", float64(p.Kernels)/float64(c.Launches+c.GraphLaunches))
		}
	}
	return out
}

func (p *Profile) seconds(class kernels.Class) float64 {
	for _, g := range p.Classes {
		if g.Class == class {
			return g.Seconds
		}
	}
	return 0
}

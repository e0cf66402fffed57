package torchtrace

import (
	"fmt"
	"math"

	"github.com/inferdx/inferdx/internal/units"
)

// Versus compares the decode steps of a model with CUDA graphs and without: what eager mode costs. Times are in seconds.
type Versus struct {
	Graphs Side `json:"graphs"`
	Eager  Side `json:"eager"`
	// Cost is what a decode step takes longer without graphs. The profiler slows the host, so it is at most that.
	Cost float64 `json:"cost_seconds"`
}

// Side is a decode step of one of the two.
type Side struct {
	Step   float64 `json:"step_seconds"`
	Worked float64 `json:"worked_seconds"`
	Waited float64 `json:"launch_wait_seconds"`
}

// alike is how far the numbers of kernels of one model's decode steps may differ between the two.
const alike = 0.25

// versus compares two profiles of which one has graphs and the other none; nil where they are not such or not of one model.
func versus(ps []*Profile) *Versus {
	if len(ps) != 2 {
		return nil
	}
	a, b := ps[0].Decode, ps[1].Decode
	for _, s := range []*Steps{a, b} {
		if s == nil || s.Worked == nil || s.Launched == nil || s.Kernels < minKernels {
			return nil
		}
	}
	if a.Graphed < b.Graphed {
		a, b = b, a
	}
	if a.Graphed < 0.5 || b.Graphed >= 0.05 || math.Abs(a.Kernels-b.Kernels) > alike*a.Kernels || ps[0].Device != ps[1].Device {
		return nil
	}
	return &Versus{Graphs: a.side(), Eager: b.side(), Cost: b.Seconds - a.Seconds}
}

func (s *Steps) side() Side { return Side{s.Seconds, s.Busy * s.Seconds, s.Wait * s.Seconds} }

// String says what is lost.
func (v *Versus) String() string {
	out := fmt.Sprintf("a decode step takes %s without CUDA graphs and %s with them", units.Seconds(v.Eager.Step), units.Seconds(v.Graphs.Step))
	if v.Cost > 0 {
		out += fmt.Sprintf(": eager mode costs %s a step", units.Seconds(v.Cost))
	}
	return out + fmt.Sprintf("; the GPU works %s and %s of it, and waits %s and %s for launches",
		units.Seconds(v.Eager.Worked), units.Seconds(v.Graphs.Worked), units.Seconds(v.Eager.Waited), units.Seconds(v.Graphs.Waited))
}

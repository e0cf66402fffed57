package torchtrace

import (
	"cmp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
)

// Profile is what a trace tells. What it does not show is nil or absent.
type Profile struct {
	Device  string   `json:"device,omitempty"`
	Rank    int      `json:"rank"` // -1 where the trace names none
	World   int      `json:"world_size,omitempty"`
	Seconds float64  `json:"seconds"` // host and GPU
	GPU     *GPU     `json:"gpu,omitempty"`
	Decode  *Steps   `json:"decode,omitempty"`
	Prefill *Steps   `json:"prefill,omitempty"`
	Classes []Class  `json:"classes,omitempty"`
	Top     []Kernel `json:"kernels,omitempty"`
	Host    *Host    `json:"host,omitempty"`
	// GC is the time in Python's garbage collector, LaunchCalls the calls that gave the GPU a kernel or a graph.
	GC          float64  `json:"gc_seconds,omitempty"`
	LaunchCalls int      `json:"launch_calls,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	// Cut is true of a file that breaks off: what it does not show may have come later.
	Cut bool `json:"cut,omitempty"`

	host     string    // the machine's name; "" where the trace does not tell
	from, to float64   // what it covers, in microseconds on a clock that ranks of one machine share
	ends     []float64 // of the steps, on that clock
}

// Class is the time of all kernels of a kind; Share is of the GPU's time, idle included.
type Class struct {
	Class   kernels.Class `json:"class"`
	Seconds float64       `json:"seconds"`
	Share   float64       `json:"share"`
	Count   int           `json:"count"`
}

// Kernel is the time of all kernels of one name.
type Kernel struct {
	Name    string        `json:"name"`
	Class   kernels.Class `json:"class"`
	Seconds float64       `json:"seconds"`
	Count   int           `json:"count"`
}

// Host is the thread of the host that had most to do.
type Host struct {
	Thread  string  `json:"thread,omitempty"`
	Seconds float64 `json:"seconds"`
	Spots   []Spot  `json:"spots"`
}

func (c *collector) profile() *Profile {
	p := &Profile{Device: c.gpu, Rank: c.rank, World: c.world, GC: c.gc, LaunchCalls: c.calls, Notes: c.notes(), host: c.hostName}
	if c.last > c.first {
		p.Seconds = (c.last - c.first) / 1e6
		p.from, p.to = c.base+c.first, c.base+c.last
	}
	c.sort()
	var d *device
	if p.GPU, d = c.timeline(); d != nil {
		p.Decode, p.Prefill = c.byKind(d.work)
		p.kernels(d, c.names.all)
	} else if len(c.devices) == 0 {
		p.Decode, p.Prefill = c.byKind(nil) // of a server on the CPU
	}
	for _, s := range c.marked() {
		p.ends = append(p.ends, c.base+s.end)
	}
	slices.Sort(p.ends)
	p.Host = c.busiest(12)
	switch {
	case p.GPU == nil:
		p.Notes = append(p.Notes, "no kernel of a GPU in it: a server that has one must be profiled in its worker, with ProfilerActivity.CUDA, while requests are served")
	case p.Decode == nil && p.Prefill == nil:
		p.Notes = append(p.Notes, "no step is marked in it, so nothing is said of one step")
	}
	return p
}

func (p *Profile) kernels(d *device, names []string) {
	by := map[kernels.Class]*Class{}
	for id, n := range d.by {
		p.Top = append(p.Top, Kernel{names[id], n.class, n.seconds, n.count})
		if by[n.class] == nil {
			by[n.class] = &Class{Class: n.class}
		}
		by[n.class].Seconds += n.seconds
		by[n.class].Count += n.count
	}
	for _, k := range kernels.Classes() {
		if x := by[k]; x != nil {
			x.Share = min(1, x.Seconds/p.GPU.Seconds) // streams can run side by side
			p.Classes = append(p.Classes, *x)
		}
	}
	slices.SortStableFunc(p.Classes, func(a, b Class) int { return cmp.Compare(b.Seconds, a.Seconds) })
	slices.SortFunc(p.Top, func(a, b Kernel) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Name, b.Name))
	})
}

// minKernels is how many kernels a profile needs to speak of shares: a model of a few layers has some hundred a step.
const minKernels = 100

// Facts are what playbooks weigh. Shares are of the GPU's time, idle included. Without a GPU in the trace nothing is said
// of one: a server on the CPU is eager and not at fault.
func (p *Profile) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	put := func(name string, v float64) { out[name] = number(v) }
	if p.World > 0 {
		put("profile_world_size", float64(p.World))
	}
	if p.Seconds > 0 && p.GC > 0 {
		put("profile_gc_ratio", min(1, p.GC/p.Seconds))
	}
	if p.Prefill != nil {
		put("profile_prefill_step_s", p.Prefill.Seconds)
	}
	if p.Decode != nil {
		put("profile_step_s", p.Decode.Seconds)
		p.Decode.facts(put)
	}
	if p.GPU == nil || p.GPU.Kernels < minKernels {
		return out
	}
	put("profile_gpu_busy_ratio", p.GPU.Busy)
	if l := p.GPU.Launched; l != nil {
		put("profile_launch_wait_ratio", l.Wait)
		if p.Decode == nil && l.Graphed > 0 {
			put("profile_graph_kernel_ratio", l.Graphed)
		}
	}
	put("profile_gap_longest_s", p.GPU.LongestGap)
	if p.LaunchCalls > 0 && p.GPU.Launched != nil {
		put("profile_kernels_per_launch", float64(p.GPU.Kernels)/float64(p.LaunchCalls))
	}
	share := map[kernels.Class]float64{}
	for _, c := range p.Classes {
		share[c.Class] = c.Share
	}
	for _, c := range kernels.Classes() { // a class without a kernel took no time: the profile shows all
		if c != kernels.Collective && c != kernels.Elementwise && c != kernels.Other {
			put("profile_"+strings.ReplaceAll(string(c), "-", "_")+"_ratio", share[c])
		}
	}
	put("profile_collective_ratio", p.exchange())
	slow, all := 0.0, 0.0
	for _, k := range p.Top {
		all += k.Seconds
		if kernels.UnpacksWeights(k.Name) {
			slow += k.Seconds
		}
	}
	if all > 0 {
		put("kernel_unpacking_ratio", slow/all)
	}
	return out
}

// facts are those of a decode step, of whose GPU something is known.
func (s *Steps) facts(put func(string, float64)) {
	if s.Worked == nil {
		return
	}
	put("profile_step_busy_ratio", s.Busy)
	if s.Launched == nil {
		return
	}
	put("profile_step_launch_wait_s", s.Wait*s.Seconds)
	if s.Kernels >= minKernels {
		put("profile_graph_kernel_ratio", s.Graphed) // prefills run without graphs on sound servers, too
	}
}

func number(v float64) model.Fact { return model.Measured(v, "torch profile") }

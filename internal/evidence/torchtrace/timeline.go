package torchtrace

import (
	"maps"
	"slices"
)

// GPU is what one device did between its first and its last kernel. Pauses are left out: nobody asked for anything then.
type GPU struct {
	Device  int     `json:"device"`
	Seconds float64 `json:"seconds"` // from the first kernel's begin to the last one's end, without pauses
	Busy    float64 `json:"busy_ratio"`
	// LongestGap is the longest time in which nothing ran.
	LongestGap float64 `json:"longest_gap_seconds"`
	// Kernels are without copies and fills.
	Kernels int `json:"kernels"`
	*Launched
}

// Launched is how work came to the GPU. It is nil where the trace does not have the calls that launched it.
type Launched struct {
	// Wait is the share of the time in which the GPU had nothing to do because the host had not yet begun to launch
	// what came next.
	Wait float64 `json:"launch_wait_ratio"`
	// Graphed is the share of the kernels that a CUDA graph brought.
	Graphed float64 `json:"graph_kernel_ratio"`
}

// known is the share of the kernels whose launches must be in the trace to speak of launches.
const known = 0.9

// origin counts how kernels came to the GPU.
type origin struct {
	kernels, launched, graphed int
}

func (o *origin) add(a activity, by launch, launched bool) {
	if !a.kernel() {
		return
	}
	o.kernels++
	if launched {
		o.launched++
	}
	if by.graph {
		o.graphed++
	}
}

// of gives what is known of the launches, with the share of the time in which they were waited for.
func (o *origin) of(wait float64) *Launched {
	if o.kernels == 0 || float64(o.launched) < known*float64(o.kernels) {
		return nil
	}
	return &Launched{Wait: min(1, wait), Graphed: float64(o.graphed) / float64(o.kernels)}
}

// pause is an idle time, in microseconds, from which on the server had no work: a step in which the host is slow takes less.
const pause = 1e5

// timeline looks at the device that did most.
func (c *collector) timeline() (*GPU, *device) {
	best := -1
	for _, id := range slices.Sorted(maps.Keys(c.devices)) {
		if best < 0 || len(c.devices[id].work) > len(c.devices[best].work) {
			best = id
		}
	}
	if best < 0 {
		return nil, nil
	}
	d := c.devices[best]
	g := &GPU{Device: best, Kernels: d.kernels}
	begin := d.work[0].start
	end := begin
	busy, waited, paused := 0.0, 0.0, 0.0
	var from origin
	for _, a := range d.work {
		by, launched := c.launchOf(a)
		from.add(a, by, launched)
		if gap := a.start - end; gap >= pause {
			paused += gap
		} else if gap > 0 {
			g.LongestGap = max(g.LongestGap, gap/1e6)
			if launched && by.at >= end {
				waited += gap
			}
		}
		busy += max(0, a.end()-max(a.start, end))
		end = max(end, a.end())
	}
	span := end - begin - paused
	if span <= 0 {
		return nil, nil
	}
	g.Seconds = span / 1e6
	g.Busy, g.Launched = min(1, busy/span), from.of(waited/span)
	return g, d
}

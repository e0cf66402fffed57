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
	// LaunchWait is the share of the time in which the GPU had nothing to do because the host had not yet begun to launch
	// what came next.
	LaunchWait float64 `json:"launch_wait_ratio"`
	LongestGap float64 `json:"longest_gap_seconds"`
	Kernels    int     `json:"kernels"`
	// Graphed is the share of the kernels that a CUDA graph brought.
	Graphed float64 `json:"graph_kernel_ratio"`
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
	g := &GPU{Device: best, Kernels: len(d.work)}
	begin := d.work[0].start
	end := begin
	busy, waited, paused := 0.0, 0.0, 0.0
	graphed := 0
	for _, a := range d.work {
		by, launched := c.launchOf(a)
		if by.graph {
			graphed++
		}
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
	g.Busy, g.LaunchWait, g.Graphed = min(1, busy/span), min(1, waited/span), float64(graphed)/float64(len(d.work))
	return g, d
}

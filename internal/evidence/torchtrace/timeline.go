package torchtrace

import (
	"cmp"
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
func (c *collector) timeline() (*GPU, []activity) {
	device, found := 0, false
	for d, as := range c.work {
		if !found || len(as) > len(c.work[device]) || len(as) == len(c.work[device]) && d < device {
			device, found = d, true
		}
	}
	as := c.work[device]
	if len(as) == 0 {
		return nil, nil
	}
	slices.SortFunc(as, func(a, b activity) int { return cmp.Compare(a.start, b.start) })
	g := &GPU{Device: device, Kernels: len(as)}
	end := as[0].start
	busy, waited, paused := 0.0, 0.0, 0.0
	graphed := 0
	for _, a := range as {
		if c.graphs[a.correlation] {
			graphed++
		}
		if gap := a.start - end; gap >= pause {
			paused += gap
		} else if gap > 0 {
			g.LongestGap = max(g.LongestGap, gap/1e6)
			if at, ok := c.launches[a.correlation]; ok && at >= end {
				waited += gap
			}
		}
		busy += max(0, a.end-max(a.start, end))
		end = max(end, a.end)
	}
	span := end - as[0].start - paused
	if span <= 0 {
		return nil, nil
	}
	g.Seconds = span / 1e6
	g.Busy, g.LaunchWait, g.Graphed = busy/span, waited/span, float64(graphed)/float64(len(as))
	return g, as
}

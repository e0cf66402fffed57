package torchtrace

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// thread is what one thread of the host was in.
type thread struct {
	name     string
	launches int
	calls    []call
}

// call is one call of the host, in microseconds.
type call struct {
	start float64
	dur   float32
	name  uint32
}

// Spot is something that the host did, and how long by itself, without what it called.
type Spot struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"self_seconds"`
	Count   int     `json:"count"`
}

const maxThreads = 512

// thread gives the thread of an event; nil beyond maxThreads.
func (c *collector) thread(e *event) *thread {
	var buf [64]byte
	id := append(append(append(buf[:0], e.pid...), '/'), e.tid...)
	if t, ok := c.threads[string(id)]; ok {
		return t
	}
	if len(c.threads) >= maxThreads || len(id) > maxName {
		return nil
	}
	t := &thread{}
	c.threads[string(id)] = t
	return t
}

// host adds a call of the host. They are kept, for the profiler writes operators, collections and Python's functions one
// kind after another: which called which is only seen when all are in order.
func (c *collector) host(e *event) {
	c.seen(e)
	t := c.thread(e)
	if t == nil {
		return
	}
	if c.hostKept >= maxActivities {
		c.hostDropped++
		return
	}
	c.hostKept++
	id, _ := c.names.id(e.name)
	t.calls = append(t.calls, call{e.ts, float32(e.dur), id})
}

// maxDepth is the deepest nesting of calls that is followed.
const maxDepth = 4096

// frame is a call that has not ended, and whose it is.
type frame struct {
	spot *Spot
	end  float64
}

// selfTimes takes the time of what a call calls off its own. total is the time in outermost calls, in seconds.
func (t *thread) selfTimes(names []string) (spots []Spot, total float64) {
	slices.SortFunc(t.calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.dur, a.dur)) // of two that begin together the longer is the caller
	})
	self := map[uint32]*Spot{}
	var open []frame
	for _, c := range t.calls {
		for len(open) > 0 && open[len(open)-1].end <= c.start {
			open = open[:len(open)-1]
		}
		s := self[c.name]
		if s == nil {
			s = &Spot{Name: names[c.name]}
			self[c.name] = s
		}
		dur := float64(c.dur)
		s.Count++
		s.Seconds += dur / 1e6
		from, end := c.start, c.start+dur
		for len(open) > 0 && open[len(open)-1].end <= end { // a call that its callee outlives, as a context manager's entry
			outer := open[len(open)-1]
			outer.spot.Seconds -= (outer.end - from) / 1e6
			from, open = outer.end, open[:len(open)-1]
		}
		if len(open) > 0 {
			open[len(open)-1].spot.Seconds -= (end - from) / 1e6
		} else {
			total += (end - from) / 1e6
		}
		if len(open) < maxDepth {
			open = append(open, frame{s, end})
		}
	}
	for _, s := range self {
		s.Seconds = max(0, s.Seconds)
		spots = append(spots, *s)
	}
	return spots, total
}

// busiest is the thread that launched most, else the one with most calls, and its costliest ones.
func (c *collector) busiest(n int) *Host {
	var best *thread
	for _, key := range slices.Sorted(maps.Keys(c.threads)) {
		t := c.threads[key]
		if len(t.calls) == 0 {
			continue
		}
		if best == nil || cmp.Or(cmp.Compare(t.launches, best.launches), cmp.Compare(len(t.calls), len(best.calls))) > 0 {
			best = t
		}
	}
	if best == nil {
		return nil
	}
	spots, total := best.selfTimes(c.names.all)
	spots = slices.DeleteFunc(spots, func(s Spot) bool { return isStep(s.Name) }) // the step itself is the frame around all
	slices.SortFunc(spots, func(a, b Spot) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Name, b.Name))
	})
	return &Host{Thread: best.name, Seconds: total, Spots: slices.Clip(spots[:min(n, len(spots))])}
}

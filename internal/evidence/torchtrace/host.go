package torchtrace

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// thread follows what one thread of the host is in, to take the time of what it calls off the caller.
type thread struct {
	open  []call
	self  map[string]*Spot
	total float64 // seconds in outermost calls
}

type call struct {
	spot *Spot
	end  float64
}

// Spot is something that the host did, and how long by itself, without what it called.
type Spot struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"self_seconds"`
	Count   int     `json:"count"`
}

const maxThreads = 512

// host adds a call of the host. Calls of a thread come in the order of their begin; where they do not, the
// profiler wrote another thread's between them, and self times of that moment are too long.
func (c *collector) host(e *event) {
	c.seen(e)
	id := string(e.Pid) + "/" + string(e.Tid)
	t, ok := c.threads[id]
	if !ok {
		if len(c.threads) >= maxThreads {
			return
		}
		t = &thread{self: map[string]*Spot{}}
		c.threads[id] = t
	}
	end := e.Ts + e.Dur
	for len(t.open) > 0 && t.open[len(t.open)-1].end <= e.Ts {
		t.open = t.open[:len(t.open)-1]
	}
	s, ok := t.self[e.Name]
	if !ok {
		if len(t.self) >= maxNames {
			return
		}
		s = &Spot{Name: strings.Clone(e.Name)}
		t.self[s.Name] = s
	}
	s.Count++
	s.Seconds += e.Dur / 1e6
	if len(t.open) > 0 {
		outer := t.open[len(t.open)-1]
		outer.spot.Seconds -= (min(end, outer.end) - e.Ts) / 1e6
	} else {
		t.total += e.Dur / 1e6
	}
	if len(t.open) < maxDepth {
		t.open = append(t.open, call{s, end})
	}
}

// maxDepth is the deepest nesting of calls that is followed.
const maxDepth = 4096

// busiest is the thread that was in calls for the longest time, and its costliest ones.
func (c *collector) busiest(n int) *Host {
	var best *thread
	id := ""
	for _, key := range slices.Sorted(maps.Keys(c.threads)) {
		if t := c.threads[key]; best == nil || t.total > best.total {
			best, id = t, key
		}
	}
	if best == nil {
		return nil
	}
	spots := make([]Spot, 0, len(best.self))
	for _, s := range best.self {
		if _, _, ok := stepOf(s.Name); !ok { // the step itself is the frame around all
			spots = append(spots, *s)
		}
	}
	slices.SortFunc(spots, func(a, b Spot) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), strings.Compare(a.Name, b.Name))
	})
	return &Host{Thread: c.threadOf[id], Seconds: best.total, Spots: spots[:min(n, len(spots))]}
}

package otlp

import (
	"maps"
	"slices"
)

// collector gathers what files hold.
type collector struct {
	requests []request
	pieces   []piece
	known    map[spanKey]bool  // spans seen, as exporters send again what was not answered
	servers  map[string]uint32 // by what their resource tells
	senders  []Sender          // by number
	twice    int
	dropped  int
	others   int
	services map[string]bool
	notes    []string
}

type spanKey struct {
	trace traceID
	span  spanID
}

func newCollector() *collector {
	return &collector{known: map[spanKey]bool{}, services: map[string]bool{}, servers: map[string]uint32{}}
}

func (c *collector) seen() int { return len(c.requests) + c.others }

// server numbers who served a request. Processes of one server that say different instances are apart.
func (c *collector) server(s Sender) uint32 {
	key := Sender{Attributes: s.Attributes}.key()
	if n, ok := c.servers[key]; ok {
		return n
	}
	n := uint32(len(c.servers)) //nolint:gosec // not more than there are requests
	c.servers[key], c.senders = n, append(c.senders, s)
	return n
}

func (c *collector) take(b *Batch) {
	c.others += b.Others
	for _, key := range slices.Sorted(maps.Keys(b.groups)) {
		g := b.groups[key]
		for _, r := range g.requests {
			if c.again(r.trace, r.span) {
				continue
			}
			if len(c.requests) >= maxRequests {
				c.dropped++
				continue
			}
			if n := g.Attributes["service.name"]; n != "" {
				c.services[n] = true
			}
			r.server = c.server(g.Sender)
			c.requests = append(c.requests, r)
		}
		if room := stagesOf*maxRequests - len(c.pieces); room > 0 {
			c.pieces = append(c.pieces, g.pieces[:min(room, len(g.pieces))]...)
		}
	}
}

// stagesOf is how many spans below a request are kept, on average.
const stagesOf = 8

// again says that a request's span came before; one without a number cannot tell.
func (c *collector) again(t traceID, s spanID) bool {
	if s == (spanID{}) {
		return false
	}
	key := spanKey{t, s}
	if c.known[key] {
		c.twice++
		return true
	}
	c.known[key] = true
	return false
}

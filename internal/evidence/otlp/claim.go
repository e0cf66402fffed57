package otlp

import "math"

// claim says that requests are of a target.
type claim struct {
	name  string
	place string // where who sent them runs, "" where it does not tell
	// sure says that an address, a pod or a rule tells it; names of services and models are those of several servers.
	sure       bool
	begin, end float64 // of the requests, in seconds
	from, to   int     // of View.all
}

func claimOf(s Sender, sure bool, rs []request, at int) claim {
	c := claim{name: s.Name(), place: s.place(), sure: sure, begin: math.Inf(1), end: math.Inf(-1), from: at, to: at + len(rs)}
	for _, r := range rs {
		if !math.IsNaN(r.start) {
			c.begin, c.end = min(c.begin, r.start), max(c.end, r.end)
		}
	}
	return c
}

// place is where the sender runs, as far as that tells servers apart.
func (s Sender) place() string {
	for _, k := range []string{"k8s.pod.name", "host.name", "server.address", "net.host.ip"} {
		if v := s.Attributes[k]; v != "" {
			return v
		}
	}
	return s.Peer
}

// sure says that more than a name speaks for a target.
func (m Matcher) sure(s Sender, target map[string]string) bool {
	for _, r := range m.Rules {
		if r.Sender == nil || r.Sender(s.Attributes) {
			return true
		}
	}
	for _, c := range []clue{sameInstance, samePod, sameAddress, samePeer} {
		if same, _ := c(s, target); same {
			return true
		}
	}
	return false
}

// doubted says that another claim, of elsewhere and at the same time, makes this one doubtful: one server runs in one place. One
// that was started anew elsewhere sends later.
func (c claim) doubted(o claim) bool {
	return !c.sure && c.place != "" && o.place != "" && c.place != o.place && c.begin < o.end && o.begin < c.end
}

// settle leaves out what a name alone gives to a target while others claim to be it: one of them is not watched, or not any more.
func (v *View) settle() {
	for i, all := range v.claims {
		for _, c := range all {
			for _, o := range all {
				if !c.doubted(o) {
					continue
				}
				for j := c.from; j < c.to; j++ {
					v.all[j].server = nobody
				}
				v.leave(c.name, c.to-c.from, i)
				break
			}
		}
	}
}

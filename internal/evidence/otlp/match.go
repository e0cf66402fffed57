package otlp

import (
	"net"
	"net/netip"
	"strings"
)

// Matcher finds the target that a sender's spans are of.
type Matcher struct {
	// Rules name the targets of senders that do not tell by themselves; the first that a sender fits decides.
	Rules []Rule
}

// Rule says whose spans a sender's are.
type Rule struct {
	// Sender says whether the rule is about who has these attributes, Target which targets it may be. nil is all.
	Sender, Target func(map[string]string) bool
}

// clue compares a sender with a target. It is true where both tell the same, and silent where they cannot be compared.
type clue func(s Sender, target map[string]string) (same, comparable bool)

// find gives the targets that a sender may be, none where nothing speaks for one. What a sender says of itself counts in the
// order of how well it tells servers apart; where it says something else than every target, it is none of them.
func (m Matcher) find(s Sender, targets []map[string]string) []int {
	left := make([]int, len(targets))
	for i := range left {
		left[i] = i
	}
	for _, r := range m.Rules {
		if r.Sender == nil || r.Sender(s.Attributes) {
			return keep(left, func(i int) bool { return r.Target == nil || r.Target(targets[i]) })
		}
	}
	matched := false
	for _, c := range []struct {
		clue   clue
		denies bool
	}{
		{sameInstance, false}, {samePod, true}, {sameAddress, true}, {sameName, false}, {sameModel, true}, {samePeer, false},
	} {
		if matched && len(left) == 1 {
			return left
		}
		compared := 0
		same := keep(left, func(i int) bool {
			same, ok := c.clue(s, targets[i])
			if ok {
				compared++
			}
			return same
		})
		switch {
		case len(same) > 0:
			left, matched = same, true
		case c.denies && compared == len(left):
			return nil
		}
	}
	if !matched {
		return nil
	}
	return left
}

func keep(all []int, ok func(int) bool) []int {
	var out []int
	for _, i := range all {
		if ok(i) {
			out = append(out, i)
		}
	}
	return out
}

// sameInstance compares service.instance.id, by default a random number, with the instance that metrics have.
func sameInstance(s Sender, target map[string]string) (same, comparable bool) {
	id := s.Attributes["service.instance.id"]
	return id != "" && (id == target["instance"] || id == target["pod"]), id != ""
}

// samePod compares the pod.
func samePod(s Sender, target map[string]string) (same, comparable bool) {
	name, namespace := s.Attributes["k8s.pod.name"], s.Attributes["k8s.namespace.name"]
	if name == "" || target["pod"] == "" {
		return false, false
	}
	return name == target["pod"] && (namespace == "" || target["namespace"] == "" || namespace == target["namespace"]), true
}

// sameAddress compares the host, and the port where both tell it. A name and a number cannot be compared.
func sameAddress(s Sender, target map[string]string) (same, comparable bool) {
	host, port := split(target["instance"])
	for _, k := range []struct{ host, port string }{
		{"server.address", "server.port"}, {"net.host.name", "net.host.port"}, {"net.host.ip", "net.host.port"}, {"k8s.pod.ip", ""}, {"host.ip", ""}, {"host.name", ""},
	} {
		at := local(s.Attributes[k.host])
		if at == "" {
			continue
		}
		if at == host || at == target["node"] || at == target["host"] || at == target["hostname"] {
			p := s.Attributes[k.port]
			return p == "" || port == "" || p == port, true
		}
		comparable = comparable || number(at) == number(host) && host != local("localhost")
	}
	return false, comparable
}

// sameName compares the name of the service with whatever names the target.
func sameName(s Sender, target map[string]string) (same, comparable bool) {
	name := s.Attributes["service.name"]
	if name == "" {
		return false, false
	}
	if host, _ := split(target["instance"]); host == name {
		return true, true
	}
	for _, v := range target {
		if v == name {
			return true, true
		}
	}
	return false, true
}

// sameModel counts where nothing else tells: an adapter has a name of its own.
func sameModel(s Sender, target map[string]string) (same, comparable bool) {
	if s.Model == "" || target["model_name"] == "" {
		return false, false
	}
	return s.Model == target["model_name"], true
}

// samePeer compares the address that the spans came from.
func samePeer(s Sender, target map[string]string) (same, comparable bool) {
	host, _ := split(target["instance"])
	return s.Peer != "" && local(s.Peer) == host, s.Peer != ""
}

// split gives host and port of an address, the host in one form for all names of the own machine.
func split(instance string) (host, port string) {
	host, port, err := net.SplitHostPort(instance)
	if err != nil {
		return local(instance), ""
	}
	return local(host), port
}

func local(host string) string {
	host = strings.Trim(host, "[]")
	if a, err := netip.ParseAddr(host); err == nil {
		if a = a.Unmap(); a.IsLoopback() {
			return "localhost"
		}
		return a.String()
	}
	return strings.ToLower(host)
}

func number(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

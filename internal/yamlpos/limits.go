package yamlpos

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// extent is what a node holds when every alias in it is expanded.
type extent struct{ nodes, depth int }

type limiter struct {
	d       *decoder
	open    map[*yaml.Node]bool
	anchors map[*yaml.Node]extent
	aliases int
	deep    bool
}

// within reports whether the document keeps the limits, so that walking it
// ends and costs little.
func (d *decoder) within(root *yaml.Node) bool {
	l := &limiter{d: d, open: map[*yaml.Node]bool{}, anchors: map[*yaml.Node]extent{}}
	before := len(d.problems)
	all := l.measure(root, 1)
	if l.aliases > maxAliases {
		d.add(nodePos(root), 1, fmt.Sprintf("the document has %d aliases, more than the %d allowed", l.aliases, maxAliases), "")
	}
	if all.nodes > maxNodes {
		d.add(nodePos(root), 1, fmt.Sprintf("the document has more than %d values, aliases expanded", maxNodes), "")
	}
	return len(d.problems) == before
}

func (l *limiter) measure(n *yaml.Node, level int) extent {
	if n.Kind == yaml.AliasNode {
		l.aliases++
		if l.open[n.Alias] {
			l.d.add(nodePos(n), len(n.Value)+1, "*"+n.Value+" stands inside of what it repeats", "")
			return extent{1, 1}
		}
		inner := l.anchors[n.Alias]
		l.tooDeep(n, level+inner.depth-1)
		return extent{min(inner.nodes+1, maxNodes+1), inner.depth}
	}
	if l.tooDeep(n, level) {
		return extent{1, 1}
	}
	if n.Anchor != "" {
		l.open[n] = true
	}
	sum := extent{1, 1}
	for _, child := range n.Content {
		c := l.measure(child, level+1)
		sum.nodes = min(sum.nodes+c.nodes, maxNodes+1)
		sum.depth = max(sum.depth, c.depth+1)
	}
	if n.Anchor != "" {
		delete(l.open, n)
		l.anchors[n] = sum // an anchor always stands before its aliases
	}
	return sum
}

func (l *limiter) tooDeep(n *yaml.Node, level int) bool {
	if level <= maxDepth {
		return false
	}
	if !l.deep {
		l.deep = true
		l.d.add(nodePos(n), 1, fmt.Sprintf("nested deeper than the %d levels allowed", maxDepth), "")
	}
	return true
}

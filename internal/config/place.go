package config

import (
	"gopkg.in/yaml.v3"
)

// place is where a value stands in the file, or where it would stand.
type place struct {
	node, key *yaml.Node // nil when it is not written
	around    *yaml.Node // the nearest mapping or list that is
}

func at(root *yaml.Node) place { return place{node: root, around: root} }

// field is the value of a key. A short form has no keys: what is not there stands around it.
func (p place) field(name string) place {
	n := followed(p.node)
	if n == nil {
		return place{around: p.around}
	}
	if n.Kind != yaml.MappingNode {
		return place{around: n}
	}
	if key, value := entry(n, name, 0); key != nil {
		return place{node: value, key: key, around: n}
	}
	return place{around: n}
}

// item is an item of a list; a single item may stand without its list.
func (p place) item(i int) place {
	n := followed(p.node)
	switch {
	case n == nil:
		return place{around: p.around}
	case n.Kind != yaml.SequenceNode:
		return p
	case i < len(n.Content):
		return place{node: n.Content[i], around: n.Content[i]}
	}
	return place{around: n}
}

// written says whether the value stands in the file.
func (p place) written() bool { return p.node != nil }

// mark is the node under which the caret goes: the value where it fits on a line, else its key.
func (p place) mark() *yaml.Node {
	switch {
	case p.node == nil:
		return p.around
	case p.node.Kind == yaml.ScalarNode && width(p.node) > 1, p.key == nil:
		return p.node
	}
	return p.key
}

func followed(n *yaml.Node) *yaml.Node {
	if n != nil && n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// entry also looks into what is merged with <<.
func entry(n *yaml.Node, name string, depth int) (key, value *yaml.Node) {
	if n = followed(n); n == nil || depth > 8 {
		return nil, nil
	}
	if n.Kind == yaml.SequenceNode && depth > 0 {
		for _, item := range n.Content {
			if key, value = entry(item, name, depth+1); key != nil {
				return key, value
			}
		}
		return nil, nil
	}
	var merged *yaml.Node
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		switch k := n.Content[i]; {
		case k.Value == name:
			return k, n.Content[i+1]
		case k.ShortTag() == "!!merge":
			merged = n.Content[i+1]
		}
	}
	if merged != nil {
		return entry(merged, name, depth+1)
	}
	return nil, nil
}

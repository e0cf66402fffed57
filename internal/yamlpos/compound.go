package yamlpos

import (
	"fmt"
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// shape is what a struct accepts.
type shape struct {
	names  []string
	fields map[string][]int
	rest   []int // an inline map for all other keys
}

func (d *decoder) shape(t reflect.Type) *shape {
	s, ok := d.shapes[t]
	if !ok {
		s = &shape{fields: map[string][]int{}}
		s.fill(t, nil)
		d.shapes[t] = s
	}
	return s
}

func (s *shape) fill(t reflect.Type, at []int) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "-" || f.PkgPath != "" && !f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		index := append(append([]int{}, at...), i)
		if strings.Contains(","+options+",", ",inline,") {
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			switch inner.Kind() {
			case reflect.Struct:
				s.fill(inner, index)
			case reflect.Map:
				s.rest = index
			}
			continue
		}
		if f.PkgPath != "" {
			continue
		}
		if name == "" {
			name = strings.ToLower(f.Name)
		}
		if _, ok := s.fields[name]; !ok {
			s.names = append(s.names, name)
			s.fields[name] = index
		}
	}
}

func (d *decoder) structure(n *yaml.Node, v reflect.Value) {
	if !d.want(n, yaml.MappingNode, "a mapping") {
		return
	}
	s := d.shape(v.Type())
	for _, p := range d.pairs(n) {
		index, ok := s.fields[p.key.Value]
		switch {
		case ok:
			d.value(p.value, field(v, index))
		case s.rest != nil:
			d.entry(p, field(v, s.rest))
		default:
			hint := "known here: " + strings.Join(s.names, ", ")
			if near := Nearest(p.key.Value, s.names); near != "" {
				hint = "did you mean " + near + "?"
			} else if len(s.names) == 0 {
				hint = ""
			}
			d.fault(p.key, "unknown field "+p.key.Value, hint)
		}
	}
}

// field is FieldByIndex that makes the structs behind nil pointers.
func field(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if !d.want(n, yaml.MappingNode, "a mapping") {
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for _, p := range d.pairs(n) {
		d.entry(p, v)
	}
}

func (d *decoder) entry(p pair, m reflect.Value) {
	if m.IsNil() {
		m.Set(reflect.MakeMap(m.Type()))
	}
	before := len(d.problems) + d.more
	key, value := reflect.New(m.Type().Key()).Elem(), reflect.New(m.Type().Elem()).Elem()
	d.value(p.key, key)
	usable := len(d.problems)+d.more == before
	d.value(p.value, value)
	if usable {
		m.SetMapIndex(key, value)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if !d.want(n, yaml.SequenceNode, "a list") {
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		d.value(item, out.Index(i))
	}
	v.Set(out)
}

func (d *decoder) array(n *yaml.Node, v reflect.Value) {
	if !d.want(n, yaml.SequenceNode, "a list") {
		return
	}
	if len(n.Content) != v.Len() {
		d.fault(n, fmt.Sprintf("want %d items, found %d", v.Len(), len(n.Content)), "")
		return
	}
	for i, item := range n.Content {
		d.value(item, v.Index(i))
	}
}

type pair struct{ key, value *yaml.Node }

// pairs returns the entries of a mapping, those merged in with << after its
// own and only where it has none of the name.
func (d *decoder) pairs(n *yaml.Node) []pair {
	var out []pair
	first := map[string]*yaml.Node{}
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			d.fault(n.Content[i], "a key must be a single value", "")
			continue
		}
		if earlier := first[key.Value]; earlier != nil {
			d.fault(n.Content[i], key.Value+" stands here a second time", fmt.Sprintf("first on line %d", earlier.Line))
			continue
		}
		first[key.Value] = n.Content[i]
		if key.ShortTag() == "!!merge" {
			merged = value
			continue
		}
		out = append(out, pair{key, value})
	}
	if merged != nil {
		out = d.merge(merged, first, out)
	}
	return out
}

func (d *decoder) merge(n *yaml.Node, first map[string]*yaml.Node, out []pair) []pair {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			if first[p.key.Value] == nil {
				first[p.key.Value] = p.key
				out = append(out, p)
			}
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			out = d.merge(item, first, out)
		}
	default:
		d.fault(n, "<< wants a mapping", "")
	}
	return out
}

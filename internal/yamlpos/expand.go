package yamlpos

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// Expander is a type with a short form: before Decode reads a value of it, ExpandYAML turns the node
// into the long form, which is then decoded as strictly as any other. The nodes that it makes take
// their Line and Column from what stands in the file. It may be called on a zero value.
type Expander interface {
	ExpandYAML(n *yaml.Node) *yaml.Node
}

func expand(n *yaml.Node, v reflect.Value) *yaml.Node {
	if !v.CanAddr() || v.Kind() == reflect.Pointer {
		return n
	}
	if e, ok := v.Addr().Interface().(Expander); ok {
		return e.ExpandYAML(n)
	}
	return n
}

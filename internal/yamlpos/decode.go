package yamlpos

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"time"

	"gopkg.in/yaml.v3"
)

var (
	textType     = reflect.TypeFor[Text]()
	nodeType     = reflect.TypeFor[yaml.Node]()
	durationType = reflect.TypeFor[time.Duration]()
	timeType     = reflect.TypeFor[time.Time]()

	lineInError = regexp.MustCompile(`^(yaml: )?(unmarshal errors:\s*)?(line \d+: )?`)
)

// decoder walks nodes and Go values side by side and goes on after a fault.
type decoder struct {
	src      *Source
	problems Problems
	more     int
	seen     map[Problem]bool // an aliased fault is told once
	shapes   map[reflect.Type]*shape
}

func (d *decoder) add(at Pos, width int, msg, hint string) {
	d.keep(d.src.Problem(at, width, msg, hint))
}

func (d *decoder) keep(p *Problem) {
	if p.File == "" {
		p = d.src.Problem(Pos{p.Line, p.Col}, p.Width, p.Msg, p.Hint)
	}
	switch {
	case d.seen[*p]:
	case len(d.problems) >= maxProblems:
		d.more++
	default:
		d.seen[*p] = true
		d.problems = append(d.problems, p)
	}
}

func (d *decoder) err() error {
	if d.more > 0 {
		last := d.src.Problem(Pos{Line: len(d.src.starts) + 1}, 0, fmt.Sprintf("%d more problems are not shown", d.more), "")
		d.problems = append(d.problems, last)
	}
	return d.problems.Err()
}

// value decodes n into v, which is settable.
func (d *decoder) value(n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if !d.tag(n) {
		return
	}
	if v.Type() == textType {
		d.text(n, v)
		return
	}
	n = expand(n, v)
	if n.ShortTag() == "!!null" {
		d.null(n, v)
		return
	}
	if d.special(n, v) {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.value(n, v.Elem())
	case reflect.Interface:
		d.dynamic(n, v, func() error { return n.Decode(v.Addr().Interface()) })
	case reflect.Struct:
		d.structure(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.list(n, v)
	case reflect.Array:
		d.array(n, v)
	default:
		d.scalar(n, v)
	}
}

// special decodes the types that read nodes themselves.
func (d *decoder) special(n *yaml.Node, v reflect.Value) bool {
	switch v.Type() {
	case nodeType:
		v.Set(reflect.ValueOf(*n))
		return true
	case durationType:
		d.duration(n, v)
		return true
	case timeType:
		d.dynamic(n, v, func() error { return n.Decode(v.Addr().Interface()) })
		return true
	}
	if !v.CanAddr() || v.Kind() == reflect.Pointer {
		return false
	}
	switch u := v.Addr().Interface().(type) {
	case yaml.Unmarshaler:
		d.dynamic(n, v, func() error { return u.UnmarshalYAML(n) })
		attach(v, d.src, 0)
		return true
	case encoding.TextUnmarshaler:
		if d.want(n, yaml.ScalarNode, "text") {
			d.dynamic(n, v, func() error { return u.UnmarshalText([]byte(n.Value)) })
		}
		return true
	}
	return false
}

// dynamic checks what is the same for every type, then lets the type decode.
func (d *decoder) dynamic(n *yaml.Node, v reflect.Value, decode func() error) {
	before := len(d.problems) + d.more
	d.generic(n)
	if len(d.problems)+d.more > before {
		return
	}
	err := decode()
	if err == nil {
		return
	}
	if one := (*Problem)(nil); errors.As(err, &one) {
		d.keep(one)
		return
	}
	if many := Problems(nil); errors.As(err, &many) {
		for _, p := range many {
			d.keep(p)
		}
		return
	}
	if faults := (*yaml.TypeError)(nil); errors.As(err, &faults) {
		for _, msg := range faults.Errors {
			d.fault(n, lineInError.ReplaceAllString(msg, ""), "")
		}
		return
	}
	d.fault(n, lineInError.ReplaceAllString(err.Error(), ""), "")
}

// generic finds repeated and composed keys below n.
func (d *decoder) generic(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if !d.tag(n) {
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		for _, p := range d.pairs(n) {
			d.generic(p.value)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			d.generic(item)
		}
	}
}

// fault reports n itself.
func (d *decoder) fault(n *yaml.Node, msg, hint string) {
	width := 1
	if n.Kind == yaml.ScalarNode {
		t := newText(n, d.src)
		if end := t.end(); end.Line == t.Pos.Line {
			width = end.Col - t.Pos.Col
		}
	}
	d.add(nodePos(n), width, msg, hint)
}

// tag refuses tags that would change what a value means.
func (d *decoder) tag(n *yaml.Node) bool {
	if n.Style&yaml.TaggedStyle == 0 {
		return true
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "!":
		return true
	}
	d.add(nodePos(n), len(n.Tag), "tag "+n.ShortTag()+" is not known here", "")
	return false
}

package yamlpos

import (
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

const aDuration = "a duration such as 30s or 5m"

var leadingZero = regexp.MustCompile(`^[-+]?0[0-9_]+$`)

// want reports whether n is of the kind, and the fault when it is not.
func (d *decoder) want(n *yaml.Node, kind yaml.Kind, what string) bool {
	if n.Kind == kind {
		return true
	}
	d.fault(n, "want "+what+", found "+found(n), "")
	return false
}

func found(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "nothing"
	case "!!str":
		return "the text " + strconv.Quote(shorten(n.Value))
	}
	return shorten(n.Value)
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return s
}

// null leaves v as it is. A number or a boolean has no empty value, so there an
// empty one is a slip.
func (d *decoder) null(n *yaml.Node, v reflect.Value) {
	what := wanted(v.Kind())
	if v.Type() == durationType {
		what = aDuration
	}
	if what != "text" && what != "" {
		if _, own := v.Addr().Interface().(yaml.Unmarshaler); own {
			what = "a value" // what a number is to a type of its own is for the type to say
		}
		d.fault(n, "want "+what+", found nothing", "")
	}
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return "a whole number of 0 or more"
	}
	return ""
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	what := wanted(v.Kind())
	if what == "" {
		d.fault(n, "nothing can be written here: its type is "+v.Type().String(), "")
		return
	}
	if !d.want(n, yaml.ScalarNode, what) {
		return
	}
	tag := n.ShortTag()
	number := tag == "!!int" || tag == "!!float"
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
		return
	case reflect.Bool:
		if tag != "!!bool" {
			d.fault(n, "want true or false, found "+found(n), oldBoolean(n))
			return
		}
	case reflect.Float32, reflect.Float64:
		if !number {
			d.notNumber(n, what)
			return
		}
	default:
		if !number || tag == "!!float" && !whole(n) {
			d.notNumber(n, what)
			return
		}
	}
	if number && leadingZero.MatchString(n.Value) {
		d.fault(n, n.Value+" starts with 0", "leave the 0 out, or write 0o for octal")
		return
	}
	if err := n.Decode(v.Addr().Interface()); err != nil {
		d.fault(n, "want "+what+", found "+found(n), "out of range for "+v.Kind().String())
	}
}

func (d *decoder) notNumber(n *yaml.Node, what string) {
	hint := ""
	if _, err := strconv.ParseFloat(n.Value, 64); n.ShortTag() == "!!str" && n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) == 0 && err != nil && strings.HasSuffix(err.Error(), "value out of range") {
		hint = "out of range"
	} else if err == nil && n.ShortTag() == "!!str" {
		hint = "leave the quotes out"
	}
	d.fault(n, "want "+what+", found "+found(n), hint)
}

func whole(n *yaml.Node) bool {
	var f float64
	return n.Decode(&f) == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53
}

func oldBoolean(n *yaml.Node) string {
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		return ""
	}
	switch strings.ToLower(n.Value) {
	case "y", "yes", "on":
		return "write true"
	case "n", "no", "off":
		return "write false"
	}
	return ""
}

func (d *decoder) duration(n *yaml.Node, v reflect.Value) {
	if !d.want(n, yaml.ScalarNode, aDuration) {
		return
	}
	span, err := time.ParseDuration(n.Value)
	if err != nil {
		d.fault(n, "want "+aDuration+", found "+found(n), "")
		return
	}
	v.SetInt(int64(span))
}

package rules

import (
	"regexp"
	"strings"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// Template is a sentence with quantities in braces: "{waiting} requests wait". A quantity may be
// read over members, "{max(running)}", and may carry the words behind it for one and for many:
// "{waiting:request waits|requests wait}".
type Template struct {
	src   string
	parts []part
}

type part struct {
	text string
	name string // a quantity when not ""
	// one and many follow the quantity; both are "" where the sentence goes on by itself.
	one, many string
}

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+(?:\([a-z0-9_]+\))?)(?::([^{}|]+)\|([^{}|]+))?\}`)

// ParseTemplate splits a sentence; any other brace is text.
func ParseTemplate(src string) Template {
	t := Template{src: src}
	rest := src
	for {
		m := placeholder.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		q := part{name: rest[m[2]:m[3]]}
		if m[4] >= 0 {
			q.one, q.many = " "+rest[m[4]:m[5]], " "+rest[m[6]:m[7]]
		}
		t.parts = append(t.parts, part{text: rest[:m[0]]}, q)
		rest = rest[m[1]:]
	}
	t.parts = append(t.parts, part{text: rest})
	return t
}

// Source is the sentence as written.
func (t Template) Source() string { return t.src }

// Plain is the sentence with every quantity in braces and the words for many: "{waiting} requests wait".
func (t Template) Plain() string {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name != "" {
			b.WriteString("{" + p.name + "}" + p.many)
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// Names lists the quantities of the sentence, folds over members without their function.
func (t Template) Names() []string {
	var out []string
	for _, p := range t.parts {
		if p.name == "" {
			continue
		}
		n := p.name
		if _, inner, ok := strings.Cut(n, "("); ok {
			n = strings.TrimSuffix(inner, ")")
		}
		out = append(out, n)
	}
	return out
}

// Units gives the unit of a quantity by name.
type Units func(name string) string

// Fill puts the values in. False means that a quantity of the sentence is unknown: then the sentence
// must not be said at all. A range whose ends read the same is one value: never "5 to 5".
func (t Template) Fill(env expression.Env, unit Units) (string, bool) {
	values := make([]string, len(t.parts))
	for i, p := range t.parts {
		if p.name == "" {
			continue
		}
		v, ok := t.value(p.name, env, unit)
		if !ok {
			return "", false
		}
		values[i] = v
	}
	var b strings.Builder
	for i, p := range t.parts {
		switch {
		case t.joins(i+1) && values[i] == values[i+2], t.joins(i) && values[i-1] == values[i+1]:
			// the end of the range says it
		case p.name == "":
			b.WriteString(p.text)
		case values[i] == "1":
			b.WriteString(values[i] + p.one)
		default:
			b.WriteString(values[i] + p.many)
		}
	}
	return b.String(), true
}

// joins says whether a part is the "to" between two quantities.
func (t Template) joins(i int) bool {
	return i > 0 && i+1 < len(t.parts) && t.parts[i].text == " to " && t.parts[i-1].name != "" && t.parts[i+1].name != ""
}

func (t Template) value(name string, env expression.Env, unit Units) (string, bool) {
	id := name
	if _, inner, ok := strings.Cut(name, "("); ok {
		id = strings.TrimSuffix(inner, ")")
	}
	if s, ok := env.Text(name); ok && unit(id) == "" { // a flag's value, as people paste it
		return s, true
	}
	if v, ok := env.Number(name); ok {
		return units.Format(v.V, unit(id), v.Bound), true
	}
	return env.Text(name)
}

// First returns the first quantity of the sentence, for evidence that rests on one signal.
func (t Template) First(env expression.Env) (string, model.Value, bool) {
	for _, p := range t.parts {
		if p.name != "" {
			v, ok := env.Number(p.name)
			return p.name, v, ok
		}
	}
	return "", model.Value{}, false
}

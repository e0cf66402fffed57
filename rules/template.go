package rules

import (
	"regexp"
	"strings"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// Template is a sentence with quantities in braces: "{waiting} requests wait". A quantity may be
// read over members: "{max(running)}".
type Template struct {
	src   string
	parts []part
}

type part struct {
	text string
	name string // a quantity when not ""
}

var placeholder = regexp.MustCompile(`\{([a-z0-9_]+(?:\([a-z0-9_]+\))?)\}`)

// ParseTemplate splits a sentence; any other brace is text.
func ParseTemplate(src string) Template {
	t := Template{src: src}
	rest := src
	for {
		m := placeholder.FindStringSubmatchIndex(rest)
		if m == nil {
			break
		}
		t.parts = append(t.parts, part{text: rest[:m[0]]}, part{name: rest[m[2]:m[3]]})
		rest = rest[m[1]:]
	}
	t.parts = append(t.parts, part{text: rest})
	return t
}

// Source is the sentence as written.
func (t Template) Source() string { return t.src }

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
// must not be said at all.
func (t Template) Fill(env expression.Env, unit Units) (string, bool) {
	var b strings.Builder
	for _, p := range t.parts {
		if p.name == "" {
			b.WriteString(p.text)
			continue
		}
		if s, ok := t.value(p.name, env, unit); ok {
			b.WriteString(s)
			continue
		}
		return "", false
	}
	return b.String(), true
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

// Package matchers tells label sets apart in Alertmanager's syntax: severity="critical",
// model=~"chat.*". It is pure.
package matchers

import (
	"regexp"
	"strconv"
	"strings"
)

// Op compares a label with a value.
type Op string

// The operators. A regular expression is anchored at both ends.
const (
	Equal    Op = "="
	NotEqual Op = "!="
	Like     Op = "=~"
	NotLike  Op = "!~"
)

// Matcher is one condition on one label.
type Matcher struct {
	Name  string
	Op    Op
	Value string

	re *regexp.Regexp
}

// Matchers hold when each of them holds. None hold always.
type Matchers []Matcher

// maxPattern bounds a regular expression: RE2 runs in linear time, but its program grows with the pattern.
const maxPattern = 4096

// New makes a matcher. It fails where a regular expression does not compile.
func New(name string, op Op, value string) (Matcher, error) {
	m := Matcher{Name: name, Op: op, Value: value}
	if op != Like && op != NotLike {
		return m, nil
	}
	var err error
	m.re, err = Anchored(value)
	return m, err
}

// Match says whether all hold. A label that is not there is empty.
func (ms Matchers) Match(labels map[string]string) bool {
	for _, m := range ms {
		if !m.Match(labels[m.Name]) {
			return false
		}
	}
	return true
}

// Match says whether the matcher holds for a value of its label.
func (m Matcher) Match(value string) bool {
	switch m.Op {
	case NotEqual:
		return value != m.Value
	case Like:
		return m.re.MatchString(value)
	case NotLike:
		return !m.re.MatchString(value)
	default:
		return value == m.Value
	}
}

// String writes the matcher as Parse and PromQL read it.
func (m Matcher) String() string {
	name := m.Name
	if end := word(name); end != len(name) {
		name = strconv.Quote(name)
	}
	return name + string(m.Op) + strconv.Quote(m.Value)
}

// String writes the matchers in braces.
func (ms Matchers) String() string {
	parts := make([]string, len(ms))
	for i, m := range ms {
		parts[i] = m.String()
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Anchored compiles a regular expression that has to match a whole value.
func Anchored(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, &Error{Msg: "the regular expression is longer than " + strconv.Itoa(maxPattern) + " characters"}
	}
	if _, err := regexp.Compile(pattern); err != nil { // before the group: a stray ) must not close it
		return nil, &Error{Msg: strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
	}
	return regexp.Compile("^(?s:" + pattern + ")$")
}

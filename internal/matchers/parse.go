package matchers

import (
	"fmt"
	"strconv"
	"strings"
)

// Error is a fault in a text, At bytes from its start.
type Error struct {
	At  int
	Msg string
}

// Error gives the message.
func (e *Error) Error() string { return e.Msg }

// Parse reads one or more matchers: severity="critical", {severity="critical", model=~"chat.*"}, a=b.
// Its error is an *Error.
func Parse(text string) (Matchers, error) {
	p := &parser{in: text}
	p.blanks()
	braces := p.take("{")
	var out Matchers
	for p.blanks(); p.at < len(p.in) && p.in[p.at] != '}'; p.blanks() {
		m, err := p.matcher()
		if err != nil {
			return nil, err
		}
		out = append(out, m)
		if p.blanks(); !p.take(",") {
			break
		}
	}
	switch {
	case braces && !p.take("}"):
		return nil, p.fault(`want "," or "}"`)
	case len(out) == 0 && !braces:
		return nil, p.fault(`want a matcher such as severity="critical"`)
	}
	if p.blanks(); p.at < len(p.in) {
		return nil, p.fault("what is behind the matcher is not understood")
	}
	return out, nil
}

type parser struct {
	in string
	at int
}

func (p *parser) fault(format string, args ...any) error {
	return &Error{At: p.at, Msg: fmt.Sprintf(format, args...)}
}

func (p *parser) blanks() {
	for p.at < len(p.in) && strings.IndexByte(" \t\n", p.in[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) take(s string) bool {
	if strings.HasPrefix(p.in[p.at:], s) {
		p.at += len(s)
		return true
	}
	return false
}

func (p *parser) matcher() (Matcher, error) {
	name, err := p.name()
	if err != nil {
		return Matcher{}, err
	}
	p.blanks()
	var op Op
	for _, o := range []Op{Like, NotLike, NotEqual, Equal} {
		if p.take(string(o)) {
			op = o
			break
		}
	}
	if op == "" {
		return Matcher{}, p.fault("want =, !=, =~ or !~ behind %s", name)
	}
	p.blanks()
	start := p.at
	value, err := p.value()
	if err != nil {
		return Matcher{}, err
	}
	m, err := New(name, op, value)
	if err != nil {
		return m, &Error{At: start, Msg: err.Error()}
	}
	return m, nil
}

func (p *parser) name() (string, error) {
	if p.at < len(p.in) && p.in[p.at] == '"' {
		name, err := p.quoted()
		if err == nil && name == "" {
			err = p.fault("want a label name")
		}
		return name, err
	}
	n := word(p.in[p.at:])
	if n == 0 {
		return "", p.fault("want a label name")
	}
	p.at += n
	return p.in[p.at-n : p.at], nil
}

// word is the length of the label name at the start of s.
func word(s string) int {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return i
		}
	}
	return len(s)
}

// value is quoted, or goes up to the next comma, brace or blank.
func (p *parser) value() (string, error) {
	if p.at < len(p.in) && p.in[p.at] == '"' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.in) && strings.IndexByte(`,{}" `+"\t\n", p.in[p.at]) < 0 {
		p.at++
	}
	return p.in[start:p.at], nil
}

func (p *parser) quoted() (string, error) {
	text, err := strconv.QuotedPrefix(p.in[p.at:])
	if err != nil {
		return "", p.fault(`the text in quotes does not end, or holds an escape that is not known (write \\ for \)`)
	}
	p.at += len(text)
	return strconv.Unquote(text)
}

package yamlpos

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Text is a scalar that knows where it stands. Two are equal with == only when
// they stand at the same place of the same decoded file.
type Text struct {
	S   string
	Pos Pos

	src   *Source
	style yaml.Style
}

// UnmarshalYAML implements yaml.Unmarshaler. Only Decode gives a Text its
// file, which At needs to be exact.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.ScalarNode {
		return &Problem{Line: n.Line, Col: n.Column, Width: 1, Msg: "want text, found " + found(n)}
	}
	*t = newText(n, nil)
	return nil
}

// String returns the text.
func (t Text) String() string { return t.S }

func newText(n *yaml.Node, src *Source) Text {
	t := Text{S: n.Value, Pos: nodePos(n), src: src, style: n.Style}
	if n.ShortTag() == "!!null" {
		t.S = ""
	}
	return t
}

func (d *decoder) text(n *yaml.Node, v reflect.Value) {
	if d.want(n, yaml.ScalarNode, "text") {
		v.Set(reflect.ValueOf(newText(n, d.src)))
	}
}

// end is where the scalar ends in its file, the closing quote included.
func (t Text) end() Pos {
	end := t.At(len(t.S))
	if t.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		end.Col++
	}
	return end
}

// At returns the place in the file of the byte at offset off of S. Escapes and
// folded line breaks stand where they begin. Without a file it is a guess that
// holds for text on one line.
func (t Text) At(off int) Pos {
	off = min(max(off, 0), len(t.S))
	if t.src == nil {
		at := t.Pos
		if t.style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			at.Col++
		}
		at.Col += utf8.RuneCountInString(t.S[:off])
		return at
	}
	s := &scanner{in: t.src.text, p: t.src.offset(t.Pos)}
	s.properties()
	switch {
	case t.style&yaml.LiteralStyle != 0:
		s.literal(t.S, off)
	case t.style&yaml.FoldedStyle != 0:
		s.folded(t.S, off)
	case t.style&yaml.DoubleQuotedStyle != 0:
		s.p++
		s.flow(t.S, off, s.escaped)
		s.joined()
	case t.style&yaml.SingleQuotedStyle != 0:
		s.p++
		s.flow(t.S, off, s.singleQuoted)
	default:
		s.flow(t.S, off, s.plain)
	}
	return t.src.pos(s.p)
}

// attach gives the file to the texts that a type decoded by itself.
func attach(v reflect.Value, src *Source, depth int) {
	if depth > maxDepth || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			attach(v.Elem(), src, depth+1)
		}
	case reflect.Slice:
		for i := range v.Len() {
			attach(v.Index(i), src, depth+1)
		}
	case reflect.Struct:
		if t, ok := v.Addr().Interface().(*Text); ok {
			if t.src == nil && t.Pos.Line > 0 {
				t.src = src
			}
			return
		}
		for i := range v.NumField() {
			attach(v.Field(i), src, depth+1)
		}
	}
}

// scanner walks a scalar's source along with its value. p is where it stands.
type scanner struct {
	in string
	p  int
}

func (s *scanner) at(p int) byte {
	if p >= 0 && p < len(s.in) {
		return s.in[p]
	}
	return 0
}

func (s *scanner) blanks() {
	for s.at(s.p) == ' ' || s.at(s.p) == '\t' {
		s.p++
	}
}

// properties skips an anchor, a tag and what stands between them and the value.
func (s *scanner) properties() {
	for {
		start := s.p
		if c := s.at(s.p); c != '&' && c != '!' {
			return
		}
		for s.p < len(s.in) && !strings.ContainsRune(" \t\n", rune(s.in[s.p])) {
			s.p++
		}
		for {
			s.blanks()
			if s.at(s.p) == '#' {
				s.p += strings.IndexByte(s.in[s.p:]+"\n", '\n')
			}
			if s.at(s.p) != '\n' {
				break
			}
			s.p++
		}
		if s.p == start {
			return
		}
	}
}

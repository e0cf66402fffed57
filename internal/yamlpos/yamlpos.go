// Package yamlpos decodes YAML strictly and keeps positions, so that every
// fault of a file can be shown with its line, its column and a caret.
//
// Decode follows the yaml struct tags of gopkg.in/yaml.v3. It differs in being
// stricter: unknown and repeated fields, values of the wrong kind, yes and on
// as booleans, numbers with a leading zero and second documents are faults.
package yamlpos

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Limits on one document. They are far above what people write and far below
// what makes a decoder slow.
const (
	maxBytes    = 1 << 20
	maxAliases  = 1_000
	maxNodes    = 100_000 // counted with every alias expanded
	maxDepth    = 64
	maxProblems = 100 // reported one by one; the rest is counted
)

// Pos is a place in a file. Line and Col count from 1, Col in characters.
type Pos struct{ Line, Col int }

// Source is a file's name and its lines.
type Source struct {
	Name   string
	text   string // line breaks are \n, no byte order mark
	starts []int  // offset of each line
}

// Decode reads one YAML document into dst, a pointer. All faults of the file
// come back together as Problems; dst may then be filled in part. The Source
// is never nil. An empty file leaves dst as it is.
func Decode(name string, src []byte, dst any) (*Source, error) {
	out := reflect.ValueOf(dst)
	s := newSource(name, src)
	if out.Kind() != reflect.Pointer || out.IsNil() {
		return s, fmt.Errorf("decode %s: want a non-nil pointer to decode into, got %T", name, dst)
	}
	d := &decoder{src: s, seen: map[Problem]bool{}, shapes: map[reflect.Type]*shape{}}
	if len(src) > maxBytes {
		d.add(Pos{}, 0, fmt.Sprintf("the file has %d bytes, more than the %d allowed", len(src), maxBytes), "")
		return s, d.err()
	}
	if d.characters(); len(d.problems) > 0 {
		return s, d.err()
	}
	if root := d.parse(); root != nil && d.within(root) {
		d.value(root, out.Elem())
	}
	return s, d.err()
}

// Problem describes a fault at a place in the file; width is in characters.
func (s *Source) Problem(at Pos, width int, msg, hint string) *Problem {
	return &Problem{File: s.Name, Line: at.Line, Col: at.Col, Width: max(width, 1), Msg: msg, Hint: hint, Text: s.line(at.Line)}
}

func newSource(name string, src []byte) *Source {
	if len(src) > maxBytes {
		src = nil
	}
	text := strings.TrimPrefix(string(src), "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	text = strings.ReplaceAll(text, "\r", "\n") // YAML takes a lone CR for a line break too
	s := &Source{Name: name, text: text, starts: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.starts = append(s.starts, i+1)
		}
	}
	return s
}

// line returns line n without its break, or "" when there is none.
func (s *Source) line(n int) string {
	if n < 1 || n > len(s.starts) {
		return ""
	}
	rest := s.text[s.starts[n-1]:]
	if n < len(s.starts) {
		rest = s.text[s.starts[n-1] : s.starts[n]-1]
	}
	return rest
}

// offset turns a position into a byte offset in the text.
func (s *Source) offset(p Pos) int {
	if p.Line < 1 || p.Line > len(s.starts) {
		return len(s.text)
	}
	line := s.line(p.Line)
	off := 0
	for col := 1; col < p.Col && off < len(line); col++ {
		_, n := utf8.DecodeRuneInString(line[off:])
		off += n
	}
	return s.starts[p.Line-1] + off
}

// pos is the inverse of offset.
func (s *Source) pos(off int) Pos {
	off = min(max(off, 0), len(s.text))
	lo, hi := 0, len(s.starts)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if s.starts[mid] <= off {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return Pos{lo + 1, utf8.RuneCountInString(s.text[s.starts[lo]:off]) + 1}
}

func nodePos(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

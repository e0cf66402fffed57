package yamlpos

import (
	"strings"
	"unicode/utf8"
)

// flow walks plain and quoted scalars, in which a line break is a space and
// an empty line a line break. one steps over one character of the value.
func (s *scanner) flow(value string, off int, one func()) {
	for i := 0; i < off && s.p < len(s.in); {
		if breaks, after := s.lineBreaks(); breaks > 0 {
			i += max(1, breaks-1)
			if i > off {
				return
			}
			s.p = after
			continue
		}
		_, n := utf8.DecodeRuneInString(value[i:])
		if i += n; i > off {
			return
		}
		one()
	}
}

// lineBreaks counts the breaks at p, blanks around them included.
func (s *scanner) lineBreaks() (breaks, after int) {
	for after = s.p; ; after++ {
		switch s.at(after) {
		case '\n':
			breaks++
		case ' ', '\t':
		default:
			return breaks, after
		}
	}
}

func (s *scanner) plain() {
	_, n := utf8.DecodeRuneInString(s.in[s.p:])
	s.p += n
}

func (s *scanner) singleQuoted() {
	if strings.HasPrefix(s.in[s.p:], "''") {
		s.p += 2
		return
	}
	s.plain()
}

// joined skips escaped line breaks, which stand for nothing.
func (s *scanner) joined() {
	for s.at(s.p) == '\\' && s.at(s.p+1) == '\n' {
		s.p += 2
		_, s.p = s.lineBreaks()
	}
}

func (s *scanner) escaped() {
	s.joined()
	if s.at(s.p) != '\\' {
		s.plain()
		return
	}
	s.p++
	extra := 0
	switch s.at(s.p) {
	case 'x':
		extra = 2
	case 'u':
		extra = 4
	case 'U':
		extra = 8
	}
	s.plain()
	s.p = min(s.p+extra, len(s.in))
}

// block steps to the first content line and returns the indentation of the
// content: that of its first line with text, less what the value keeps of it.
func (s *scanner) block(value string) (indent int) {
	s.nextLine()
	first := strings.TrimLeft(value, "\n")
	kept := len(first) - len(strings.TrimLeft(first, " "))
	for p := s.p; p < len(s.in); {
		line := s.in[p:]
		if end := strings.IndexByte(line, '\n'); end >= 0 {
			line = line[:end]
		}
		if n := len(line) - len(strings.TrimLeft(line, " ")); n < len(line) {
			return max(0, n-kept)
		}
		p += len(line) + 1
	}
	return 0
}

func (s *scanner) nextLine() {
	s.p += strings.IndexByte(s.in[s.p:]+"\n", '\n') + 1
	s.p = min(s.p, len(s.in))
}

// indent skips the indentation of a line, or what there is of it.
func (s *scanner) indent(n int) {
	for range n {
		if s.at(s.p) != ' ' {
			return
		}
		s.p++
	}
}

func (s *scanner) literal(value string, off int) {
	indent := s.block(value)
	for range strings.Count(value[:off], "\n") {
		s.nextLine()
	}
	s.indent(indent)
	s.p = min(s.p+off-(strings.LastIndexByte(value[:off], '\n')+1), len(s.in))
}

func (s *scanner) folded(value string, off int) {
	indent := s.block(value)
	s.content(indent)
	for i := len(value) - len(strings.TrimLeft(value, "\n")); i < off && s.p < len(s.in); {
		if s.at(s.p) != '\n' {
			s.p++
			i++
			continue
		}
		run := len(value[i:]) - len(strings.TrimLeft(value[i:], "\n"))
		if i += max(run, 1); i > off {
			return
		}
		s.p++
		s.content(indent)
	}
}

// content steps over empty lines to the text of the next line.
func (s *scanner) content(indent int) {
	for s.p < len(s.in) {
		s.indent(indent)
		if s.at(s.p) != '\n' {
			return
		}
		s.p++
	}
}

package yamlpos

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// maxColumns is how much of a long line is shown around its caret.
const maxColumns = 120

// Problem is one fault in a file. Text is the line it lies on, without its
// break; Line, Col and Width are 0 when they are not known.
type Problem struct {
	File             string
	Line, Col, Width int
	Msg, Hint, Text  string
}

// Error returns file, line, column and message, and under it the line with a
// caret and the hint.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		b.WriteString(strconv.Itoa(p.Line) + ":")
		if p.Col > 0 {
			b.WriteString(strconv.Itoa(p.Col) + ":")
		}
	}
	if b.Len() > 0 {
		b.WriteByte(' ')
	}
	b.WriteString(p.Msg)
	if strings.TrimSpace(p.Text) == "" || p.Line < 1 || p.Col < 1 {
		if p.Hint != "" {
			b.WriteString(" (" + p.Hint + ")")
		}
		return b.String()
	}
	text, caret := p.excerpt()
	number := strconv.Itoa(p.Line)
	fmt.Fprintf(&b, "\n%s | %s\n%*s | %s", number, text, len(number), "", caret)
	if p.Hint != "" {
		b.WriteString(" " + p.Hint)
	}
	return b.String()
}

// excerpt returns the part of the line to show and the carets that go under it.
func (p *Problem) excerpt() (text, caret string) {
	line := []rune(p.Text)
	at := min(p.Col-1, len(line))
	width := max(1, min(p.Width, len(line)-at))
	if len(line) > maxColumns {
		from := max(0, min(at-maxColumns/3, len(line)-maxColumns))
		to := min(len(line), from+maxColumns)
		width = max(1, min(width, to-at))
		line, at = slices.Clone(line[from:to]), at-from
		if from > 0 {
			line[0] = '…'
		}
		if from+maxColumns < len([]rune(p.Text)) {
			line[len(line)-1] = '…'
		}
	}
	for i, r := range line {
		switch {
		case r == '\t':
			line[i] = ' ' // one column, so that the caret stays under its character
		case !unicode.IsGraphic(r):
			line[i] = unicode.ReplacementChar // no escape sequence of a file reaches the terminal
		}
	}
	return string(line), strings.Repeat(" ", at) + "^" + strings.Repeat("~", width-1)
}

// Problems are the faults of one or more files.
type Problems []*Problem

// Error joins the faults with line breaks, in order of file, line and column.
func (ps Problems) Error() string {
	sorted := slices.Clone(ps)
	slices.SortStableFunc(sorted, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
	texts := make([]string, len(sorted))
	for i, p := range sorted {
		texts[i] = p.Error()
	}
	return strings.Join(texts, "\n")
}

// Err returns the problems as an error, nil when there are none.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// AsProblems gives the faults that an error holds, of nil none; any other error becomes a fault of the
// whole file.
func AsProblems(file string, err error) Problems {
	var ps Problems
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ps):
		return ps
	}
	return Problems{{File: file, Line: 1, Col: 1, Msg: err.Error()}}
}

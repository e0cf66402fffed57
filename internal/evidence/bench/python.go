package bench

import (
	"bufio"
	"bytes"
	"io"
)

// python turns what Python's json module writes beside the standard into texts of the same length: NaN into "", Infinity into
// "inf". Benchmarks write an unlimited request rate so.
type python struct {
	r *bufio.Reader
	// quoted says that the next byte lies inside a text, escaped that a backslash stands before it.
	quoted, escaped bool
	// word and as are what is left of a word that is being replaced.
	word, as string
}

func newPython(r io.Reader) *python { return &python{r: bufio.NewReaderSize(r, 64<<10)} }

// Read implements io.Reader.
func (p *python) Read(out []byte) (int, error) {
	n, err := p.r.Read(out)
	for b := out[:n]; len(b) > 0; {
		switch {
		case p.word != "":
			b = p.replace(b)
		case p.quoted:
			b = p.text(b)
		default:
			b = p.plain(b)
		}
	}
	return n, err
}

// text goes on inside a text and gives what comes after it.
func (p *python) text(b []byte) []byte {
	if p.escaped {
		p.escaped = false
		return b[1:]
	}
	i := bytes.IndexAny(b, `"\`)
	if i < 0 {
		return nil
	}
	p.quoted, p.escaped = b[i] != '"', b[i] == '\\'
	return b[i+1:]
}

// plain goes on outside of texts up to the next one or to a word to replace.
func (p *python) plain(b []byte) []byte {
	if q := bytes.IndexByte(b, '"'); q >= 0 {
		if rest, found := p.find(b[:q]); found {
			return b[q-len(rest):]
		}
		p.quoted = true
		return b[q+1:]
	}
	rest, _ := p.find(b)
	return rest
}

// find looks for a word to replace and gives what begins with it.
func (p *python) find(b []byte) (rest []byte, found bool) {
	i := bytes.IndexAny(b, "NI")
	last := len(b) - 1
	switch {
	case i < 0 && last >= 0 && b[last] == '-':
		if next, err := p.r.Peek(1); err == nil && next[0] == 'I' {
			p.word, p.as = "-Infinity", `"-inf"   `
			return b[last:], true
		}
		return nil, false
	case i < 0:
		return nil, false
	case b[i] == 'N':
		p.word, p.as = "NaN", `"" `
	case i > 0 && b[i-1] == '-':
		i--
		p.word, p.as = "-Infinity", `"-inf"   `
	default:
		p.word, p.as = "Infinity", `"inf"   `
	}
	return b[i:], true
}

// replace writes over a word as long as it is the one that was expected.
func (p *python) replace(b []byte) []byte {
	for len(b) > 0 && p.word != "" {
		if b[0] != p.word[0] {
			p.word = ""
			return b
		}
		b[0] = p.as[0]
		b, p.word, p.as = b[1:], p.word[1:], p.as[1:]
	}
	return b
}

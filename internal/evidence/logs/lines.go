package logs

import (
	"bytes"
	"io"
)

// maxLine is how much of a line is read; what an engine says of itself fits well.
const maxLine = 1 << 18

// Lines cuts what is written to it into lines and keeps the end that is none yet. Of a line longer than 256 KiB the rest is dropped.
type Lines struct {
	f    func(string)
	part []byte
}

// NewLines hands every line to f, without its break.
func NewLines(f func(string)) *Lines { return &Lines{f: f} }

// Write never fails.
func (l *Lines) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			l.keep(p)
			return n, nil
		}
		if len(l.part) == 0 {
			l.hand(p[:min(i, maxLine)])
		} else {
			l.keep(p[:i])
			l.Flush()
		}
		p = p[i+1:]
	}
}

func (l *Lines) keep(p []byte) {
	l.part = append(l.part, p[:min(len(p), maxLine-len(l.part))]...)
}

func (l *Lines) hand(line []byte) {
	if line = bytes.TrimRight(line, "\r"); len(line) > 0 {
		l.f(string(line))
	}
}

// Flush hands over what has no break yet.
func (l *Lines) Flush() {
	l.hand(l.part)
	l.part = l.part[:0]
	if cap(l.part) > 1<<16 {
		l.part = nil // one endless line should not be paid for ever
	}
}

// Drop forgets what has no break yet.
func (l *Lines) Drop() { l.part = nil }

// eachLine calls f with every line of a stream.
func eachLine(r io.Reader, f func(string)) error {
	l := NewLines(f)
	_, err := io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{r}, make([]byte, 1<<16))
	l.Flush()
	return err
}

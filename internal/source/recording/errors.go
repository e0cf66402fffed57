package recording

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a recording. Every error of this package wraps exactly one of them,
// except those of opening and reading the file itself.
var (
	// ErrEmpty is a file without a single sample.
	ErrEmpty = errors.New("no samples in it")
	// ErrBinary is a file that is not text.
	ErrBinary = errors.New("not a text file")
	// ErrGzip is gz data that is cut off or damaged.
	ErrGzip = errors.New("gzip data is cut off or damaged")
	// ErrTruncated is a text that does not end with # EOF. None of it is used.
	ErrTruncated = errors.New("cut off: the last line is not # EOF")
	// ErrForeign is another text format: HTML, JSON.
	ErrForeign = errors.New("not OpenMetrics text")
	// ErrNoTimestamps is the text of a single scrape: its samples carry no time.
	ErrNoTimestamps = errors.New("samples have no timestamps")
	// ErrSyntax is a line that is not OpenMetrics.
	ErrSyntax = errors.New("not a line of OpenMetrics text")
	// ErrTooLarge is a line or a file beyond what is read into memory.
	ErrTooLarge = errors.New("too large")
)

// Error says what is wrong with a recording, and where.
type Error struct {
	File   string
	Line   int    // 0 where no line is to blame
	Err    error  // one of the errors above
	Detail string // may be empty
	Hint   string // what to do about it, for a line of its own; may be empty
}

// Error gives file:line, what is wrong and the detail, without the hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	return b.String()
}

// Unwrap gives the kind of error, for errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// excerpt shortens untrusted text for an error message.
func excerpt(b []byte) string {
	const most = 80
	if len(b) > most {
		return fmt.Sprintf("%q…", b[:most])
	}
	return fmt.Sprintf("%q", b)
}

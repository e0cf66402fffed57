// Package recording reads and writes recordings: OpenMetrics text with timestamps, plain or gzip,
// in the form that `promtool tsdb create-blocks-from openmetrics` reads.
package recording

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/samples"
)

// Options say what of a recording is read.
type Options struct {
	// Keep says which metrics are wanted, by the name as exposed (with _bucket, _total and so on).
	// nil keeps all; `up` is always kept.
	Keep func(metric string) bool
	// Identity are the label names that tell instances apart; none means job and instance.
	Identity []string
	// Type is told the type of every metric family, by the family's name. It may be nil.
	Type func(family, kind string)
}

// Open reads a recording from a file, plain or gzip.
func Open(path string, keep func(metric string) bool) (*samples.Store, error) {
	return Options{Keep: keep}.Open(path)
}

// Read reads a recording, plain or gzip. name stands for the file in errors.
func Read(name string, r io.Reader, keep func(metric string) bool) (*samples.Store, error) {
	return Options{Keep: keep}.Read(name, r)
}

// Open is like the function of that name.
func (o Options) Open(path string) (*samples.Store, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read recording: %w", err)
	}
	defer f.Close()
	return o.Read(path, f)
}

// Read is like the function of that name.
func (o Options) Read(name string, r io.Reader) (*samples.Store, error) {
	in, err := unpack(name, r)
	if err != nil {
		return nil, err
	}
	d := newDecoder(name, o)
	if err := d.all(in); err != nil {
		return nil, err
	}
	d.store.Finish()
	return d.store, nil
}

// bufferSize is also the longest line that can be read. Label values of 64 kB are seen in practice.
const bufferSize = 1 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}
	bom       = []byte("\xef\xbb\xbf")
)

// packed are compressions that people use for recordings and that are not read.
var packed = map[string]string{
	"\x28\xb5\x2f\xfd": "zstd", "BZh": "bzip2", "\xfd7zXZ": "xz", "PK\x03\x04": "zip",
}

// unpack undoes gzip and refuses what is plainly not a recording by its first bytes.
func unpack(name string, r io.Reader) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	head, err := in.Peek(512)
	if bytes.HasPrefix(head, gzipMagic) {
		z, zerr := gzip.NewReader(in)
		if zerr != nil {
			return nil, readError(name, 0, zerr)
		}
		in = bufio.NewReaderSize(z, bufferSize)
		head, err = in.Peek(512)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, readError(name, 0, err)
	}
	if bytes.HasPrefix(head, bom) {
		_, _ = in.Discard(len(bom))
		head = head[len(bom):]
	}
	if err := sniff(name, head); err != nil {
		return nil, err
	}
	return in, nil
}

// sniff judges a file by its first bytes.
func sniff(name string, head []byte) error {
	text := bytes.TrimLeft(head, " \t\r\n")
	if len(text) == 0 {
		return &Error{File: name, Err: ErrEmpty}
	}
	for magic, kind := range packed {
		if bytes.HasPrefix(head, []byte(magic)) {
			return &Error{File: name, Err: ErrBinary, Detail: "packed as " + kind, Hint: "unpack it, or pack it with gzip"}
		}
	}
	if isBinary(head) {
		return &Error{File: name, Err: ErrBinary}
	}
	if kind := foreign(text); kind != "" {
		return &Error{File: name, Err: ErrForeign, Detail: "it looks like " + kind}
	}
	return nil
}

func isBinary(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return utf8.FullRune(head) // a character cut by the end of the peek is no evidence
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' {
			return true
		}
		head = head[n:]
	}
	return false
}

// foreign names the other formats that people mistake for a recording; "" when it is none of them.
// A brace alone says nothing: {"a metric",job="x"} 1 is OpenMetrics.
func foreign(text []byte) string {
	switch text[0] {
	case '<':
		return "HTML or XML"
	case '[':
		return "JSON"
	case '{':
		rest := bytes.TrimLeft(text[1:], " \t\r\n")
		if len(rest) == 0 || rest[0] == '}' || rest[0] == '{' {
			return "JSON"
		}
		if rest[0] != '"' {
			return ""
		}
		end := bytes.IndexByte(rest[1:], '"')
		if end < 0 {
			return ""
		}
		after := bytes.TrimLeft(rest[end+2:], " \t\r\n")
		if len(after) > 0 && after[0] == ':' {
			return "JSON"
		}
	}
	return ""
}

// readError tells damaged gzip data from a file that cannot be read.
func readError(name string, line int, err error) error {
	var corrupt flate.CorruptInputError
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &Error{File: name, Line: line, Err: ErrGzip, Detail: "it ends early"}
	}
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.As(err, &corrupt) {
		return &Error{File: name, Line: line, Err: ErrGzip, Detail: err.Error()}
	}
	return fmt.Errorf("read recording %s: %w", name, err)
}

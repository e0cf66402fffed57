// Package packed opens what a user hands over: compressed with gzip or not, and text as Windows writes it.
package packed

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

const (
	window = 64 << 10
	// A file that unpacks to more than harmless and inflates by more than inflation is made to fill memory and disk:
	// traces and pages shrink to a tenth or a fiftieth, gzip's least is a thousandth.
	harmless  = 256 << 20
	inflation = 400
)

// errBomb is the fault of a file that is made to inflate.
var errBomb = fmt.Errorf("it unpacks to more than %d times its size, as only files do that are made to fill memory or disk", inflation)

// Reader unpacks a stream that begins like gzip, and gives any other as it is. Text that begins with a byte order mark
// (UTF-16 or UTF-8, as PowerShell's > writes it) becomes UTF-8 without the mark.
func Reader(r io.Reader) (*bufio.Reader, error) {
	in := &counter{r: r}
	br := bufio.NewReaderSize(in, window)
	if magic, err := br.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if len(magic) == 0 && err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return plain(br), nil
	}
	z, err := gzip.NewReader(br)
	if err != nil {
		return nil, err
	}
	return plain(bufio.NewReaderSize(&unpacked{r: z, in: in}, window)), nil
}

// plain takes a byte order mark off.
func plain(br *bufio.Reader) *bufio.Reader {
	head, _ := br.Peek(3)
	for _, mark := range []string{"\xff\xfe", "\xfe\xff", "\xef\xbb\xbf"} {
		if bytes.HasPrefix(head, []byte(mark)) {
			return bufio.NewReaderSize(transform.NewReader(br, unicode.BOMOverride(unicode.UTF8.NewDecoder())), window)
		}
	}
	return br
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// unpacked fails where the stream inflates too much.
type unpacked struct {
	r  io.Reader
	in *counter
	n  int64
}

func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if u.n += int64(n); u.n > harmless && u.n > inflation*u.in.n {
		return 0, errBomb
	}
	return n, err
}

// Head is the unpacked beginning of a file, up to n bytes, to tell by what it is.
func Head(path string, n int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	r, err := Reader(f)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	head := make([]byte, n)
	got, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && got == 0 {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return head[:got], nil
}

// Open reads a file by a reader of streams; what says in errors what was read.
func Open[P any](path, what string, read func(io.Reader) (P, error)) (P, error) {
	var none P
	f, err := os.Open(path)
	if err != nil {
		return none, fmt.Errorf("read %s: %w", what, err)
	}
	defer func() { _ = f.Close() }()
	p, err := read(f)
	if err != nil {
		return none, fmt.Errorf("read %s %s: %w", what, path, err)
	}
	return p, nil
}

// Line reads a line; of a longer one than the reader's buffer, its beginning. A last line without a break comes with io.EOF.
func Line(br *bufio.Reader) (string, error) {
	part, err := br.ReadSlice('\n')
	line := string(part)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = br.ReadSlice('\n')
	}
	return line, err
}

// Package packed opens what a user hands over, whether it is compressed with gzip or not.
package packed

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
)

// Reader unpacks a stream that begins like gzip, and gives any other as it is.
func Reader(r io.Reader) (io.Reader, error) {
	var magic [2]byte
	n, err := io.ReadFull(r, magic[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	r = io.MultiReader(bytes.NewReader(magic[:n]), r)
	if n < 2 || magic != [2]byte{0x1f, 0x8b} {
		return r, nil
	}
	return gzip.NewReader(r)
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

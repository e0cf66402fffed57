package tail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// starts are what a server says first, in the order of trust: the first two are said once a start, the last one by each engine.
var starts = [][]byte{[]byte("non-default args: {"), []byte("server_args="), []byte("LLM engine (v")}

const (
	chunk = 1 << 20
	// before is how much before these words belongs to the start: the banner with the version.
	before = 64 << 10
	// searched bounds how far back a start is looked for.
	searched = 4 << 30
)

// lastStart finds where the last start of a server begins, from the end backwards, without reading lines.
func lastStart(ctx context.Context, r io.ReaderAt, size int64) (at int64, found bool, err error) {
	const overlap = 64
	buf := make([]byte, chunk+overlap)
	lesser := int64(-1) // an engine's line, where nothing better is found
	for end := size; end > 0 && size-end < searched; end -= chunk {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		begin := max(end-chunk, 0)
		part := buf[:min(end+overlap, size)-begin]
		n, err := r.ReadAt(part, begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, false, plain(err)
		}
		part = part[:n]
		for i, word := range starts {
			hit := bytes.LastIndex(part, word)
			switch {
			case hit < 0:
			case i < len(starts)-1:
				at, err := nextLine(r, max(begin+int64(hit)-before, 0))
				return at, true, err
			case lesser < 0:
				lesser = begin + int64(hit)
			}
		}
	}
	if lesser < 0 {
		return 0, false, nil
	}
	at, err = nextLine(r, max(lesser-before, 0))
	return at, true, err
}

// rotated is how many earlier files of a log are looked into for its start.
const rotated = 5

// older reads the last start out of the files that a log was rotated into, the youngest first. What cannot be read is left out.
func (f *follower) older(ctx context.Context) error {
	type earlier struct {
		path string
		info os.FileInfo
	}
	var all []earlier
	for _, pattern := range []string{f.path + ".*", f.path + "-*"} {
		found, _ := filepath.Glob(pattern) // a path with a [ in it has none
		for _, path := range found {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && !packed(path) {
				all = append(all, earlier{path, info})
			}
		}
	}
	slices.SortFunc(all, func(a, b earlier) int { return b.info.ModTime().Compare(a.info.ModTime()) })
	for _, x := range all[:min(len(all), rotated)] {
		file, err := openFile(x.path)
		if err != nil {
			continue
		}
		begin, found, err := lastStart(ctx, file, x.info.Size())
		if found {
			_, err = f.feed(ctx, file, begin, min(begin+startLength, x.info.Size()))
			f.cut.Flush()
		}
		_ = file.Close()
		if found || ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// nextLine is where the first whole line from a place on begins.
func nextLine(r io.ReaderAt, at int64) (int64, error) {
	if at <= 0 {
		return 0, nil
	}
	buf := make([]byte, before)
	n, err := r.ReadAt(buf, at-1)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, plain(err)
	}
	if i := bytes.IndexByte(buf[:n], '\n'); i >= 0 {
		return at + int64(i), nil
	}
	return at, nil
}

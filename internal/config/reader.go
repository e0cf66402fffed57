package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	// maxFile is above what a file of any kind may have; the loaders say so with its name.
	maxFile  = 2 << 20
	maxFiles = 10_000
	// maxReads is how often files that change while they are read are read again.
	maxReads = 5
)

var errChanging = errors.New("the files keep changing while they are read")

// reader reads files and remembers what they were, to tell whether all belong together.
type reader struct {
	dir   string
	files map[string]file
	globs map[Glob]matched
}

type file struct {
	text  []byte
	stamp stamp
	err   error
}

// stamp changes with the file behind a path. ConfigMaps change by moving a symbolic link.
type stamp struct {
	real     string
	size     int64
	modified int64
}

type matched struct {
	files []string
	err   error
}

func stampOf(path string) stamp {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return stamp{}
	}
	info, err := os.Stat(real)
	if err != nil {
		return stamp{}
	}
	return stamp{real, info.Size(), info.ModTime().UnixNano()}
}

// read gives a file's text; a file is read once.
func (r *reader) read(path string) ([]byte, error) {
	f, ok := r.files[path]
	if !ok {
		f.stamp = stampOf(path)
		if len(r.files) >= maxFiles {
			f.err = fmt.Errorf("more than %d files", maxFiles)
		} else {
			f.text, f.err = readFile(path, f.stamp.real)
		}
		r.files[path] = f
	}
	return f.text, f.err
}

// readFile reads the file that the path was resolved to, even if the path meanwhile leads elsewhere.
func readFile(path, resolved string) ([]byte, error) {
	if resolved == "" {
		resolved = path // the error is about what the user wrote
	}
	f, err := os.Open(resolved)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a folder, want files such as %s", path, filepath.Join(path, "*.yaml"))
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

func (r *reader) glob(g Glob) ([]string, error) {
	m, ok := r.globs[g]
	if !ok {
		m.files, m.err = g.match(r.dir)
		r.globs[g] = m
	}
	return m.files, m.err
}

// settled says whether everything is still what was read, and of one version of each ConfigMap: a link
// that moves forth and back would leave nothing else to see.
func (r *reader) settled() bool {
	versions := map[string]string{}
	for path, f := range r.files {
		if stampOf(path) != f.stamp {
			return false
		}
		dir, real := filepath.Dir(path), filepath.Dir(f.stamp.real)
		if to, err := os.Readlink(path); err != nil || !strings.HasPrefix(to, "..data"+string(filepath.Separator)) {
			continue
		}
		if v, ok := versions[dir]; ok && v != real {
			return false
		}
		versions[dir] = real
	}
	for g, m := range r.globs {
		if now, _ := g.match(r.dir); !slices.Equal(now, m.files) {
			return false
		}
	}
	return true
}

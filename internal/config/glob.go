package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Glob is a path relative to the configuration file, in which * stands for any part of a name.
type Glob string

func (g Glob) plain() bool { return !strings.ContainsAny(string(g), "*?[") }

// match lists the files of a glob in order of name. Hidden ones are left out where a * would take them:
// Kubernetes mounts each file of a ConfigMap twice, once below ..data.
func (g Glob) match(dir string) ([]string, error) {
	pattern := join(dir, string(g))
	switch {
	case strings.Contains(string(g), "**"):
		return nil, fmt.Errorf("** is not understood: * stands for one part of a path")
	case g.plain():
		if _, err := os.Stat(pattern); err != nil {
			return nil, err
		}
		return []string{pattern}, nil
	}
	found, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("not a glob: %w", err)
	}
	var out []string
	for _, f := range found {
		if !hiddenBy(pattern, f) {
			out = append(out, f)
		}
	}
	return out, nil
}

func hiddenBy(pattern, path string) bool {
	want, have := strings.Split(pattern, string(filepath.Separator)), strings.Split(path, string(filepath.Separator))
	for i := range min(len(want), len(have)) {
		if strings.HasPrefix(have[i], ".") && !strings.HasPrefix(want[i], ".") {
			return true
		}
	}
	return false
}

func join(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func (c *check) join(path string) string { return join(c.dir, path) }

package tsdb

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/prometheus/tsdb"
)

// asideDir is where damaged parts go, inside the folder. Nobody reads or deletes them.
const asideDir = "set-aside"

// damage tells a folder with broken files from one that cannot be used at present.
func damage(err error) bool {
	for _, other := range []error{fs.ErrPermission, syscall.ENOSPC, syscall.EROFS, syscall.EMFILE, syscall.ENFILE, syscall.EDQUOT, syscall.EAGAIN} {
		if errors.Is(err, other) {
			return false
		}
	}
	return !strings.Contains(err.Error(), "lock DB directory")
}

// setAside moves the broken blocks away; where none is, what was not yet in a block. It gives what it
// moved.
func setAside(dir string, log *slog.Logger) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look for damage: %w", err)
	}
	var broken []string
	for _, e := range entries {
		if _, err := ulid.ParseStrict(e.Name()); err != nil || !e.IsDir() {
			continue
		}
		block, err := tsdb.OpenBlock(log, filepath.Join(dir, e.Name()), nil, nil)
		if err != nil {
			broken = append(broken, e.Name())
			continue
		}
		_ = block.Close()
	}
	if len(broken) == 0 {
		for _, name := range []string{"wal", "wbl", "chunks_head"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				broken = append(broken, name)
			}
		}
	}
	for i, name := range broken {
		if err := move(dir, name); err != nil {
			return broken[:i], err
		}
	}
	return broken, nil
}

// move gives a part a free name below asideDir.
func move(dir, name string) error {
	if err := os.MkdirAll(filepath.Join(dir, asideDir), 0o750); err != nil {
		return fmt.Errorf("set %s aside: %w", name, err)
	}
	for n := 1; ; n++ {
		to := filepath.Join(dir, asideDir, fmt.Sprintf("%s.%d", name, n))
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := os.Rename(filepath.Join(dir, name), to); err != nil {
			return fmt.Errorf("set %s aside: %w", name, err)
		}
		return nil
	}
}

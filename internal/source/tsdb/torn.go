package tsdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// torn is set by a commit that failed half-way. The log then ends in half a line, and a restart would
// drop it and all that was written after it; so nothing is, until the log was opened anew.
type torn struct {
	mu   sync.Mutex
	err  error // of the commit; nil while all is well
	last time.Time
}

const (
	mendEvery = 15 * time.Second
	// room is what must fit on the disk before it is tried again.
	room = 1 << 20
)

func (db *DB) tear(err error) {
	db.torn.mu.Lock()
	defer db.torn.mu.Unlock()
	db.torn.err, db.torn.last = err, db.o.Now()
}

// mended says whether there is a whole log to write to, and mends a torn one now and then. The log is
// opened anew, which keeps all that was appended before the tear.
func (db *DB) mended() error {
	torn, try := db.torn.due(db.o.Now())
	if !try {
		return torn
	}
	if err := probe(db.dir); err != nil {
		return err
	}
	db.mu.Lock() // never while torn.mu is held: who reads or writes may be about to report a tear
	err := db.inner.Close()
	openErr := db.open()
	db.mu.Unlock()
	if openErr != nil {
		return errors.Join(err, openErr)
	}
	db.o.Logger.Warn("samples are kept again", "path", db.dir, "after", torn)
	db.torn.mu.Lock()
	defer db.torn.mu.Unlock()
	db.torn.err = nil
	return nil
}

// due gives what tore the log, nil while it is whole, and whether it is time that the caller mends it.
func (t *torn) due(now time.Time) (err error, try bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := now.Sub(t.last); t.err == nil || d >= 0 && d < mendEvery {
		return t.err, false
	}
	t.last = now
	return t.err, true
}

// probe finds out whether there is room on the disk.
func probe(dir string) error {
	path := filepath.Join(dir, "room.tmp")
	err := os.WriteFile(path, make([]byte, room), 0o600)
	if err = errors.Join(err, os.Remove(path)); err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	return nil
}

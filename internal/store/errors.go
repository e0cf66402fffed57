package store

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"
)

// ErrSuperseded says that another process has opened the store since: this one must not write any more.
var ErrSuperseded = errors.New("another process has taken over the store")

// ErrNotFound says that there is no such row.
var ErrNotFound = errors.New("not found")

// Fault classes why a store cannot be written.
type Fault string

// The faults. All may pass: the service goes on from memory and tries again.
const (
	DiskFull Fault = "disk full"
	ReadOnly Fault = "read-only"
	IOFailed Fault = "i/o error"
	Locked   Fault = "locked by another process"
)

// Unwritable is a write that did not happen because of where the store lies, not of what was written.
type Unwritable struct {
	What  string
	Fault Fault
	Err   error
}

// Error says what was tried and what stood against it.
func (e *Unwritable) Error() string { return fmt.Sprintf("%s: %s: %v", e.What, e.Fault, e.Err) }

// Unwrap gives the database's own error.
func (e *Unwritable) Unwrap() error { return e.Err }

// Corrupt is a database whose file cannot be understood any more.
type Corrupt struct {
	What string
	Err  error
}

// Error says what was tried.
func (e *Corrupt) Error() string {
	return fmt.Sprintf("%s: the database is corrupt: %v", e.What, e.Err)
}

// Unwrap gives the database's own error.
func (e *Corrupt) Unwrap() error { return e.Err }

// NewerSchema is a database that a later release has written.
type NewerSchema struct {
	Path       string
	Have, Know int
}

// Error says which versions meet.
func (e *NewerSchema) Error() string {
	return fmt.Sprintf("open store %s: its schema is version %d, this release knows up to %d: run the later release, or restore the copy kept beside it",
		e.Path, e.Have, e.Know)
}

// typed says what was tried, and sorts the errors that callers act on.
func typed(what string, err error) error {
	if err == nil {
		return nil
	}
	var done interface{ storeError() }
	if errors.As(err, &done) {
		return err
	}
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s: %w", what, err)
	}
	switch e.Code() & 0xff { // the rest are extended codes
	case codes.SQLITE_FULL:
		return &Unwritable{what, DiskFull, err}
	case codes.SQLITE_READONLY, codes.SQLITE_PERM:
		return &Unwritable{what, ReadOnly, err}
	case codes.SQLITE_IOERR, codes.SQLITE_CANTOPEN:
		return &Unwritable{what, IOFailed, err}
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return &Unwritable{what, Locked, err}
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return &Corrupt{what, err}
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (*Unwritable) storeError()  {}
func (*Corrupt) storeError()     {}
func (*NewerSchema) storeError() {}

// Package store keeps what the service must not forget: what the judge remembers, what was sent to whom
// and what still has to be, and the history that people ask for. It is one SQLite file, written by one
// process; a second process that opens the file fences the first off.
package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver, without cgo

	"github.com/inferdx/inferdx/engine"
)

// InMemory is the path of a store that lives as long as the process.
const InMemory = ":memory:"

// Options are a store's settings; the zero value is usable.
type Options struct {
	// Refresh bounds how far the stored clocks of rules that are true may lag behind; 30 s if 0. A
	// rule that begins, fires or ends is written at once.
	Refresh time.Duration
	// Readers is how many queries run at once beside the writer; 4 if 0.
	Readers int
	// Now is the clock that names copies; time.Now if nil.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Refresh <= 0 {
		o.Refresh = 30 * time.Second
	}
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Store is an open database. It is safe for concurrent use.
type Store struct {
	o        Options
	path     string
	warnings []string

	mu      sync.Mutex // held over a write, and guards what follows
	db      *sql.DB
	writer  *sql.Conn
	prepped map[string]*sql.Stmt
	epoch   int64
	known   known

	readers *sql.DB // nil in memory, where the writer's connection is the only one
}

// known is what the tables hold, so that a tick writes only what differs.
type known struct {
	state engine.State
	sent  Sent
	parts map[string]json.RawMessage
	seen  map[string]seen // by entity
}

// SentKey says whose notification state it is.
type SentKey struct{ Receiver, Key string }

// Sent is the notification plan's own state: JSON that the store does not look into.
type Sent map[SentKey]json.RawMessage

// Warnings says what was found wrong when the store was opened, such as a corrupt file that was set aside.
func (s *Store) Warnings() []string { return s.warnings }

// Close ends the store. What was promised is on disk already.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, p := range s.prepped {
		errs = append(errs, p.Close())
	}
	s.prepped = nil
	if s.readers != nil {
		errs = append(errs, s.readers.Close())
	}
	if s.writer != nil {
		errs = append(errs, s.writer.Close())
	}
	errs = append(errs, s.db.Close())
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close store %s: %w", s.path, err)
	}
	return nil
}

// queries is what reading needs, of a connection or a pool.
type queries interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// tx is one transaction of the writer. Its statements are prepared once in the life of a store.
type tx struct {
	s   *Store
	ctx context.Context
}

func (t tx) stmt(query string) (*sql.Stmt, error) {
	if p := t.s.prepped[query]; p != nil {
		return p, nil
	}
	p, err := t.s.writer.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, err
	}
	t.s.prepped[query] = p
	return p, nil
}

func (t tx) exec(query string, args ...any) (int64, error) {
	p, err := t.stmt(query)
	if err != nil {
		return 0, err
	}
	r, err := p.ExecContext(t.ctx, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// write runs f in one transaction: all of it is durable when write returns nil, none otherwise.
func (s *Store) write(ctx context.Context, what string, f func(tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeLocked(ctx, what, f)
}

func (s *Store) writeLocked(ctx context.Context, what string, f func(tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	// A transaction once begun is finished: it is short, and half of one helps nobody.
	t := tx{s, context.WithoutCancel(ctx)}
	if _, err := s.writer.ExecContext(t.ctx, "BEGIN IMMEDIATE"); err != nil {
		return typed(what, err)
	}
	err := s.fenced(t)
	if err == nil {
		err = f(t)
	}
	if err == nil {
		_, err = s.writer.ExecContext(t.ctx, "COMMIT")
	}
	if err != nil {
		// Where SQLite has rolled back by itself this fails, which is as well.
		_, _ = s.writer.ExecContext(t.ctx, "ROLLBACK")
		return typed(what, err)
	}
	return nil
}

// fenced fails when another process has opened the file since.
func (s *Store) fenced(t tx) error {
	p, err := t.stmt("SELECT value FROM meta WHERE name = 'epoch'")
	if err != nil {
		return err
	}
	var epoch int64
	if err := p.QueryRowContext(t.ctx).Scan(&epoch); err != nil {
		return err
	}
	if epoch != s.epoch {
		return ErrSuperseded
	}
	return nil
}

// read runs f on a consistent snapshot beside the writer.
func (s *Store) read(ctx context.Context, what string, f func(queries) error) error {
	if s.readers == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return typed(what, f(s.writer))
	}
	t, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return typed(what, err)
	}
	defer t.Rollback() //nolint:errcheck // nothing was written
	return typed(what, f(t))
}

// micros is how times are stored; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// each scans every row of a query.
func each(ctx context.Context, q queries, query string, args []any, scan func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

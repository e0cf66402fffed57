package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/inferdx/inferdx/engine"
)

// Open opens the file at path, or creates it, brings its schema up to date and takes it over from any
// process that had it. A file that is corrupt is set aside as path.corrupt-<time> and a new one begun,
// which Warnings tells. A copy is kept as path.v<version>-<time> before the schema is changed.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	o = o.withDefaults()
	s := &Store{o: o, path: path}
	if path != InMemory {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return nil, fmt.Errorf("open store %s: %w", path, err)
		}
	}
	err := s.open(ctx, migrations())
	var bad *Corrupt
	if errors.As(err, &bad) && path != InMemory {
		aside := path + ".corrupt-" + stamp(o.Now())
		if err := setAside(path, aside); err != nil {
			return nil, fmt.Errorf("%w; it could not be set aside: %w", bad, err)
		}
		s = &Store{o: o, path: path, warnings: []string{fmt.Sprintf(
			"%v; it was moved to %s and a new one begun: what was sent before is not known, so messages may repeat", bad, aside,
		)}}
		err = s.open(ctx, migrations())
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open does what Open does for a file that can be read.
func (s *Store) open(ctx context.Context, steps []migration) (err error) {
	what := "open store " + s.path
	defer func() {
		if err != nil {
			s.abandon()
		}
	}()
	if s.db, err = sql.Open("sqlite", dsn(s.path, false)); err != nil {
		return typed(what, err)
	}
	s.db.SetMaxOpenConns(1)
	s.prepped = map[string]*sql.Stmt{}
	if s.writer, err = s.db.Conn(ctx); err != nil {
		return typed(what, err)
	}
	if err := s.check(ctx, what); err != nil {
		return err
	}
	if err := s.migrate(ctx, steps); err != nil {
		return err
	}
	if s.path != InMemory {
		if s.readers, err = sql.Open("sqlite", dsn(s.path, true)); err != nil {
			return typed(what, err)
		}
		s.readers.SetMaxOpenConns(s.o.Readers)
	}
	if err := s.takeOver(ctx); err != nil {
		return typed(what, err)
	}
	return s.load(ctx)
}

func (s *Store) abandon() {
	if s.writer != nil {
		_ = s.writer.Close()
	}
	if s.db != nil {
		_ = s.db.Close()
	}
	if s.readers != nil {
		_ = s.readers.Close()
	}
}

// dsn asks for a WAL with an fsync at every commit: a message that was promised survives a power cut.
func dsn(path string, reader bool) string {
	pragmas := "_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)&_pragma=temp_store(MEMORY)"
	if path == InMemory {
		return path + "?" + pragmas
	}
	if reader {
		pragmas += "&_pragma=query_only(1)"
	} else {
		pragmas += "&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(16777216)"
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + pragmas
}

// check reads the whole file once: a page that went bad is found now, not at the first alert.
func (s *Store) check(ctx context.Context, what string) error {
	var verdict string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return typed(what, err)
	}
	if verdict != "ok" {
		return &Corrupt{what, errors.New(strings.Join(strings.Fields(verdict), " "))}
	}
	return nil
}

// takeOver raises the epoch that every write checks.
func (s *Store) takeOver(ctx context.Context) error {
	return s.writer.QueryRowContext(ctx, `INSERT INTO meta (name, value) VALUES ('epoch', '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(meta.value AS INTEGER) + 1 RETURNING value`).Scan(&s.epoch)
}

// load reads what the tables hold of what ticks write.
func (s *Store) load(ctx context.Context) error {
	s.known = known{state: engine.State{}, sent: Sent{}, parts: map[string]json.RawMessage{}, seen: map[string]seen{}}
	q := s.writer
	err := each(ctx, q, "SELECT key, value FROM judge_state", nil, func(r *sql.Rows) error {
		var key, value []byte
		if err := r.Scan(&key, &value); err != nil {
			return err
		}
		return s.known.loadHeld(string(key), value)
	})
	if err == nil {
		err = each(ctx, q, "SELECT receiver, key, value FROM sent", nil, func(r *sql.Rows) error {
			var k SentKey
			var value []byte
			err := r.Scan(&k.Receiver, &k.Key, &value)
			s.known.sent[k] = value
			return err
		})
	}
	if err == nil {
		err = s.loadParts(ctx, q)
	}
	if err == nil {
		err = s.loadSeen(ctx, q)
	}
	return typed("load store "+s.path, err)
}

func setAside(path, aside string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format("20060102T150405.000Z") }

package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

//go:embed migrations/sqlite/*.sql
var sqliteMigrations embed.FS

// migration is one numbered step of the schema. One that a release has carried is never edited.
type migration struct {
	version  int
	name     string
	text     string
	checksum string
}

// migrations lists the embedded steps in order. They are named 0001_what.sql, without a gap.
func migrations() []migration {
	names, err := fs.Glob(sqliteMigrations, "migrations/sqlite/*.sql")
	if err != nil {
		panic("migrations: " + err.Error()) // the pattern is a constant
	}
	var out []migration
	for _, name := range names { // sorted by Glob
		text, err := sqliteMigrations.ReadFile(name)
		if err != nil {
			panic("migrations: " + err.Error()) // the file is embedded
		}
		sum := sha256.Sum256(text)
		base := strings.TrimSuffix(path.Base(name), ".sql")
		number, _, _ := strings.Cut(base, "_")
		version, _ := strconv.Atoi(number)
		out = append(out, migration{version, base, string(text), hex.EncodeToString(sum[:])})
	}
	return out
}

// migrate applies the steps that the file lacks, each in a transaction of its own.
func (s *Store) migrate(ctx context.Context, steps []migration) error {
	what := "open store " + s.path
	have, err := s.applied(ctx, steps)
	if err != nil {
		return err
	}
	if have == len(steps) {
		return nil
	}
	if have > 0 && s.path != InMemory {
		copied := fmt.Sprintf("%s.v%d-%s", s.path, have, stamp(s.o.Now()))
		if _, err := s.writer.ExecContext(ctx, "VACUUM INTO ?", copied); err != nil {
			return typed(what+": copy it to "+copied+" before changing its schema", err)
		}
	}
	for _, m := range steps[have:] {
		if err := s.apply(ctx, m); err != nil {
			return typed(what+": migration "+m.name, err)
		}
	}
	return nil
}

// applied counts the steps that the file has, and refuses a file that these steps did not make.
func (s *Store) applied(ctx context.Context, steps []migration) (int, error) {
	what := "open store " + s.path
	var tables, ours int
	err := s.writer.QueryRowContext(ctx, `SELECT COUNT(*), COALESCE(SUM(name = 'schema_migrations'), 0)
		FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&tables, &ours)
	if err != nil {
		return 0, typed(what, err)
	}
	if ours == 0 && tables > 0 {
		return 0, fmt.Errorf("%s: it is the database of another program: it has tables, but no schema_migrations", what)
	}
	if _, err := s.writer.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS schema_migrations (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied INTEGER NOT NULL)`); err != nil {
		return 0, typed(what, err)
	}
	have := 0
	err = each(ctx, s.writer, "SELECT version, name, checksum FROM schema_migrations ORDER BY version", nil, func(r *sql.Rows) error {
		var m migration
		if err := r.Scan(&m.version, &m.name, &m.checksum); err != nil {
			return err
		}
		if have = m.version; have <= len(steps) && steps[have-1].checksum != m.checksum {
			return fmt.Errorf("schema version %d (%s) is not the one that this release carries (%s)", have, m.name, steps[have-1].name)
		}
		return nil
	})
	if err != nil {
		return 0, typed(what, err)
	}
	if have > len(steps) {
		return 0, &NewerSchema{s.path, have, len(steps)}
	}
	return have, nil
}

func (s *Store) apply(ctx context.Context, m migration) error {
	if _, err := s.writer.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	_, err := s.writer.ExecContext(ctx, m.text)
	if err == nil {
		_, err = s.writer.ExecContext(ctx, "INSERT INTO schema_migrations (version, name, checksum, applied) VALUES (?, ?, ?, ?)",
			m.version, m.name, m.checksum, micros(s.o.Now()))
	}
	if err == nil {
		_, err = s.writer.ExecContext(ctx, "COMMIT")
	}
	if err != nil {
		_, undo := s.writer.ExecContext(ctx, "ROLLBACK")
		return errors.Join(err, undo)
	}
	return nil
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/inferdx/inferdx/notifiers"
)

// Span is a stretch of time.
type Span struct{ From, To time.Time }

// Outcome is what came of a change on an entity.
type Outcome struct {
	ID            int64
	At            time.Time
	Entity        string // as EntityKey writes it
	Cause         string
	Change        json.RawMessage
	Before, After Span
	Verdict       string // improved, unchanged, worse, cannot-tell
	Comparison    json.RawMessage
}

// Answer is what a person said, and about which measured outcome, 0 if there is none.
type Answer struct {
	ID      int64
	Outcome int64
	notifiers.Answer
}

// AddOutcome writes an outcome and gives its id.
func (s *Store) AddOutcome(ctx context.Context, o Outcome) (int64, error) {
	var id int64
	err := s.write(ctx, "store outcome", func(t tx) error {
		return t.s.writer.QueryRowContext(t.ctx, `INSERT INTO outcomes (at, entity, cause, change_json, before_from, before_to,
			after_from, after_to, verdict, comparison) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			micros(o.At), o.Entity, o.Cause, string(o.Change), micros(o.Before.From), micros(o.Before.To),
			micros(o.After.From), micros(o.After.To), o.Verdict, string(o.Comparison)).Scan(&id)
	})
	return id, err
}

// Outcomes lists outcomes, newest first.
func (s *Store) Outcomes(ctx context.Context, r Range) ([]Outcome, error) {
	where, args := r.where()
	var out []Outcome
	err := s.read(ctx, "read outcomes", func(q queries) error {
		return each(ctx, q, `SELECT id, at, entity, cause, change_json, before_from, before_to, after_from, after_to, verdict, comparison
			FROM outcomes WHERE `+where+" ORDER BY id DESC LIMIT ?", append(args, r.limit()), func(rows *sql.Rows) error {
			var o Outcome
			var t [5]int64
			var change, comparison []byte
			err := rows.Scan(&o.ID, &t[0], &o.Entity, &o.Cause, &change, &t[1], &t[2], &t[3], &t[4], &o.Verdict, &comparison)
			o.At, o.Change, o.Comparison = fromMicros(t[0]), change, comparison
			o.Before, o.After = Span{fromMicros(t[1]), fromMicros(t[2])}, Span{fromMicros(t[3]), fromMicros(t[4])}
			out = append(out, o)
			return err
		})
	})
	return out, err
}

// AddAnswer writes what a person said.
func (s *Store) AddAnswer(ctx context.Context, a Answer) error {
	return s.write(ctx, "store answer", func(t tx) error {
		_, err := t.exec("INSERT INTO answers (outcome, at, key, cause, by_user, kind) VALUES (?, ?, ?, ?, ?, ?)",
			a.Outcome, micros(a.At), a.Key, a.Cause, a.User, a.Kind)
		return err
	})
}

// Answers lists what people said in a range of time, newest first; Entity does not narrow it.
func (s *Store) Answers(ctx context.Context, r Range) ([]Answer, error) {
	r.Entity = ""
	where, args := r.where()
	var out []Answer
	err := s.read(ctx, "read answers", func(q queries) error {
		return each(ctx, q, "SELECT id, outcome, at, key, cause, by_user, kind FROM answers WHERE "+where+" ORDER BY id DESC LIMIT ?",
			append(args, r.limit()), func(rows *sql.Rows) error {
				var a Answer
				var at int64
				err := rows.Scan(&a.ID, &a.Outcome, &at, &a.Key, &a.Cause, &a.User, &a.Kind)
				a.At = fromMicros(at)
				out = append(out, a)
				return err
			})
	})
	return out, err
}

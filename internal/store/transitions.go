package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Inactive is the state of a symptom that is not there, beside pending and firing.
const Inactive model.SymptomState = "inactive"

// Transition is a symptom that changed its state.
type Transition struct {
	ID       int64
	At       time.Time
	Entity   string // as EntityKey writes it
	Symptom  string
	From, To model.SymptomState
	Severity model.Severity
}

// Range narrows a query; a zero field does not.
type Range struct {
	Entity   string
	From, To time.Time // From is included, To is not
	// Before is the id of the last row of the page before; rows come newest first.
	Before int64
	Limit  int // 100 if 0, 1000 at most
}

func (r Range) limit() int {
	if r.Limit <= 0 {
		return 100
	}
	return min(r.Limit, 1000)
}

// where renders the conditions that all histories share.
func (r Range) where() (string, []any) {
	text, args := "1 = 1", []any(nil)
	add := func(cond string, arg any) { text, args = text+" AND "+cond, append(args, arg) }
	if r.Entity != "" {
		add("entity = ?", r.Entity)
	}
	if !r.From.IsZero() {
		add("at >= ?", micros(r.From))
	}
	if !r.To.IsZero() {
		add("at < ?", micros(r.To))
	}
	if r.Before > 0 {
		add("id < ?", r.Before)
	}
	return text, args
}

// Transitions lists changes of symptoms, newest first.
func (s *Store) Transitions(ctx context.Context, r Range) ([]Transition, error) {
	where, args := r.where()
	var out []Transition
	err := s.read(ctx, "read transitions", func(q queries) error {
		return each(ctx, q, `SELECT id, at, entity, symptom, from_state, to_state, severity FROM transitions
			WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, r.limit()), func(rows *sql.Rows) error {
			var t Transition
			var at int64
			err := rows.Scan(&t.ID, &at, &t.Entity, &t.Symptom, &t.From, &t.To, &t.Severity)
			t.At = fromMicros(at)
			out = append(out, t)
			return err
		})
	})
	return out, err
}

func writeTransitions(x tx, ts []Transition) error {
	for _, t := range ts {
		if _, err := x.exec(`INSERT INTO transitions (at, entity, symptom, from_state, to_state, severity)
			VALUES (?, ?, ?, ?, ?, ?)`, micros(t.At), t.Entity, t.Symptom, t.From, t.To, t.Severity); err != nil {
			return err
		}
	}
	return nil
}

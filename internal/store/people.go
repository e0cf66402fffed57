package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Silence keeps messages back while it lasts.
type Silence struct {
	ID           string
	Matchers     json.RawMessage
	Starts, Ends time.Time
	CreatedBy    string
	Comment      string
}

// Acknowledgement says that somebody has taken a problem up.
type Acknowledgement struct {
	Key      string
	By       string
	At       time.Time
	Severity model.Severity // at that time: repeats stay away until it rises
}

// SetSilence writes a silence, or replaces the one with its id.
func (s *Store) SetSilence(ctx context.Context, x Silence) error {
	return s.write(ctx, "store silence "+x.ID, func(t tx) error {
		_, err := t.exec(`INSERT INTO silences (id, matchers, starts, ends, created_by, comment) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET matchers = excluded.matchers, starts = excluded.starts, ends = excluded.ends,
			created_by = excluded.created_by, comment = excluded.comment`,
			x.ID, string(x.Matchers), micros(x.Starts), micros(x.Ends), x.CreatedBy, x.Comment)
		return err
	})
}

// EndSilence lets a silence end at the given time, or says ErrNotFound. One that has ended stays as it was.
func (s *Store) EndSilence(ctx context.Context, id string, at time.Time) error {
	return s.write(ctx, "end silence "+id, func(t tx) error {
		n, err := t.exec("UPDATE silences SET ends = CASE WHEN ends < ? THEN ends ELSE ? END WHERE id = ?", micros(at), micros(at), id)
		if err == nil && n == 0 {
			return fmt.Errorf("end silence %s: %w", id, ErrNotFound)
		}
		return err
	})
}

// Silences lists the silences that end after the given time, the future ones included; all for the zero time.
func (s *Store) Silences(ctx context.Context, after time.Time) ([]Silence, error) {
	var out []Silence
	err := s.read(ctx, "read silences", func(q queries) error {
		return each(ctx, q, `SELECT id, matchers, starts, ends, created_by, comment FROM silences WHERE ends > ? ORDER BY starts, id`,
			[]any{micros(after)}, func(r *sql.Rows) error {
				var x Silence
				var starts, ends int64
				var matchers []byte
				err := r.Scan(&x.ID, &matchers, &starts, &ends, &x.CreatedBy, &x.Comment)
				x.Matchers, x.Starts, x.Ends = matchers, fromMicros(starts), fromMicros(ends)
				out = append(out, x)
				return err
			})
	})
	return out, err
}

// Acknowledge writes that somebody took a problem up; the latest of a key counts.
func (s *Store) Acknowledge(ctx context.Context, a Acknowledgement) error {
	return s.write(ctx, "store acknowledgement", func(t tx) error {
		_, err := t.exec(`INSERT INTO acknowledgements (key, by_user, at, severity) VALUES (?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET by_user = excluded.by_user, at = excluded.at, severity = excluded.severity`,
			a.Key, a.By, micros(a.At), a.Severity)
		return err
	})
}

// Unacknowledge forgets an acknowledgement, as when its problem has ended.
func (s *Store) Unacknowledge(ctx context.Context, key string) error {
	return s.write(ctx, "forget acknowledgement", func(t tx) error {
		_, err := t.exec("DELETE FROM acknowledgements WHERE key = ?", key)
		return err
	})
}

// Acknowledgements gives them by key.
func (s *Store) Acknowledgements(ctx context.Context) (map[string]Acknowledgement, error) {
	out := map[string]Acknowledgement{}
	err := s.read(ctx, "read acknowledgements", func(q queries) error {
		return each(ctx, q, "SELECT key, by_user, at, severity FROM acknowledgements", nil, func(r *sql.Rows) error {
			var a Acknowledgement
			var at int64
			err := r.Scan(&a.Key, &a.By, &at, &a.Severity)
			a.At = fromMicros(at)
			out[a.Key] = a
			return err
		})
	})
	return out, err
}

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Observed is a diagnosis and the figures that a snapshot of it keeps.
type Observed struct {
	Diagnosis model.Diagnosis
	Signals   map[string]float64
}

// Record is a diagnosis as it was stored: when its fingerprint or status changed, or at the onset.
type Record struct {
	ID          int64
	At          time.Time
	Entity      string // as EntityKey writes it
	Fingerprint string
	Status      model.Status
	Cause       string // the primary one, or ""
	Score       float64
	// Onset marks the snapshot of a problem's beginning, which has Signals.
	Onset     bool
	Signals   map[string]float64
	Diagnosis model.Diagnosis
}

// seen is what was last stored of an entity.
type seen struct {
	fingerprint string
	status      model.Status
	hurt        bool // it had an onset
	at          time.Time
}

func look(d model.Diagnosis, at time.Time) seen {
	return seen{d.Fingerprint, d.Status, d.Onset != nil, at}
}

// entry is a diagnosis worth a row.
type entry struct {
	Observed
	entity string
	onset  bool
}

// news picks the diagnoses that say something else than the last stored one of their entity.
func (k known) news(t Tick, keys []string) []entry {
	var out []entry
	for i, o := range t.Diagnoses {
		key := keys[i]
		old, ok := k.seen[key]
		now := look(o.Diagnosis, t.At)
		if ok && old.fingerprint == now.fingerprint && old.status == now.status && old.hurt == now.hurt {
			continue
		}
		out = append(out, entry{o, key, now.hurt && !old.hurt})
	}
	return out
}

// look remembers what was judged, stored or not.
func (k known) look(t Tick, keys []string) {
	for i, o := range t.Diagnoses {
		k.seen[keys[i]] = look(o.Diagnosis, t.At)
	}
}

// entityKeys names the entities of a tick's diagnoses.
func entityKeys(t Tick) []string {
	out := make([]string, 0, len(t.Diagnoses))
	for _, o := range t.Diagnoses {
		out = append(out, EntityKey(o.Diagnosis.Scope, o.Diagnosis.Target))
	}
	return out
}

func (s *Store) loadSeen(ctx context.Context, q queries) error {
	return each(ctx, q, `SELECT d.entity, d.fingerprint, d.status, d.at, d.body FROM diagnoses d
		JOIN (SELECT MAX(id) AS id FROM diagnoses GROUP BY entity) m ON m.id = d.id`, nil, func(r *sql.Rows) error {
		var key string
		var x seen
		var at int64
		var body []byte
		if err := r.Scan(&key, &x.fingerprint, &x.status, &at, &body); err != nil {
			return err
		}
		var d struct {
			Onset *time.Time `json:"onset"`
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return fmt.Errorf("diagnosis of %s: %w", key, err)
		}
		x.hurt, x.at = d.Onset != nil, fromMicros(at)
		s.known.seen[key] = x
		return nil
	})
}

func writeDiagnoses(x tx, at time.Time, news []entry) error {
	for _, e := range news {
		body, err := json.Marshal(e.Diagnosis)
		if err != nil {
			return fmt.Errorf("%s: %w", e.entity, err)
		}
		signals := []byte("{}")
		if e.onset && e.Signals != nil {
			if signals, err = json.Marshal(e.Signals); err != nil {
				return fmt.Errorf("%s: signals at onset: %w", e.entity, err)
			}
		}
		cause, score := primary(e.Diagnosis)
		onset := 0
		if e.onset {
			onset = 1
		}
		if _, err := x.exec(`INSERT INTO diagnoses (at, entity, fingerprint, status, cause, score, body, onset, signals)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, micros(at), e.entity, e.Diagnosis.Fingerprint, e.Diagnosis.Status,
			cause, score, string(body), onset, string(signals)); err != nil {
			return err
		}
	}
	return nil
}

func primary(d model.Diagnosis) (string, float64) {
	for _, c := range d.Causes {
		if c.Primary {
			return c.ID, c.Score
		}
	}
	return "", 0
}

const recordColumns = "id, at, entity, fingerprint, status, cause, score, body, onset, signals"

// Diagnoses lists stored diagnoses, newest first.
func (s *Store) Diagnoses(ctx context.Context, r Range) ([]Record, error) {
	where, args := r.where()
	var out []Record
	err := s.read(ctx, "read diagnoses", func(q queries) error {
		return each(ctx, q, "SELECT "+recordColumns+" FROM diagnoses WHERE "+where+" ORDER BY id DESC LIMIT ?",
			append(args, r.limit()), func(rows *sql.Rows) error {
				x, err := scanRecord(rows.Scan)
				out = append(out, x)
				return err
			})
	})
	return out, err
}

// Diagnosis gives one stored diagnosis, or ErrNotFound.
func (s *Store) Diagnosis(ctx context.Context, id int64) (Record, error) {
	var out Record
	err := s.read(ctx, fmt.Sprintf("read diagnosis %d", id), func(q queries) (err error) {
		out, err = scanRecord(q.QueryRowContext(ctx, "SELECT "+recordColumns+" FROM diagnoses WHERE id = ?", id).Scan)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrNotFound
		}
		return err
	})
	return out, err
}

func scanRecord(scan func(...any) error) (Record, error) {
	var x Record
	var at int64
	var body, signals []byte
	if err := scan(&x.ID, &at, &x.Entity, &x.Fingerprint, &x.Status, &x.Cause, &x.Score, &body, &x.Onset, &signals); err != nil {
		return x, err
	}
	x.At = fromMicros(at)
	if err := json.Unmarshal(body, &x.Diagnosis); err != nil {
		return x, fmt.Errorf("diagnosis %d: %w", x.ID, err)
	}
	if x.Onset {
		if err := json.Unmarshal(signals, &x.Signals); err != nil {
			return x, fmt.Errorf("signals of diagnosis %d: %w", x.ID, err)
		}
	}
	return x, nil
}

package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"maps"
)

// Parts gives what the parts of the service remembered at the last tick, by name.
func (s *Store) Parts() map[string]json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.known.parts)
}

func (k known) partChanges(next map[string]json.RawMessage) map[string]json.RawMessage {
	changed := map[string]json.RawMessage{}
	for name, v := range next {
		if old, ok := k.parts[name]; !ok || !bytes.Equal(old, v) {
			changed[name] = bytes.Clone(v)
		}
	}
	return changed
}

func writeParts(x tx, changed map[string]json.RawMessage) error {
	for name, v := range changed {
		if _, err := x.exec(`INSERT INTO parts (name, value) VALUES (?, ?)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, string(v)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) loadParts(ctx context.Context, q queries) error {
	return each(ctx, q, "SELECT name, value FROM parts", nil, func(r *sql.Rows) error {
		var name string
		var value []byte
		err := r.Scan(&name, &value)
		s.known.parts[name] = value
		return err
	})
}

package store

import (
	"context"
	"time"
)

// pruneBatch bounds a transaction of Prune, so that a tick waits for milliseconds only.
const pruneBatch = 500

// histories are the tables that grow, their key, and the rows that may go. What still waits, still
// holds or is still open stays, however old.
var histories = [...]struct{ table, key, old string }{
	{"transitions", "id", "at < ?"},
	{"diagnoses", "id", "at < ?"},
	{"messages", "seq", "settled < ? AND state <> 'waiting'"},
	{"threads", "at", "at < ?"},
	{"silences", "ends", "ends < ?"},
	{"acknowledgements", "key", "at < ?"},
	{"outcomes", "id", "at < ?"},
	{"answers", "id", "at < ?"},
}

// Prune deletes what is older than before, in small transactions, and counts the rows. It goes on
// where it stopped when it is called again.
func (s *Store) Prune(ctx context.Context, before time.Time) (int64, error) {
	var all int64
	for _, h := range histories {
		query := "DELETE FROM " + h.table + " WHERE " + h.old + " AND " + h.key + " IN (SELECT " + h.key +
			" FROM " + h.table + " WHERE " + h.old + " ORDER BY " + h.key + " LIMIT ?)"
		for {
			var n int64
			err := s.write(ctx, "prune "+h.table, func(x tx) (err error) {
				n, err = x.exec(query, micros(before), micros(before), pruneBatch)
				return err
			})
			if err != nil {
				return all, err
			}
			all += n
			if n == 0 {
				break
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, x := range s.known.seen {
		if x.at.Before(before) {
			delete(s.known.seen, key) // gone long ago
		}
	}
	return all, nil
}

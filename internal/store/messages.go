package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// MessageState is where a message stands.
type MessageState string

// The states of a message. A folded one was delivered as part of an older one of its key.
const (
	Waiting   MessageState = "waiting"
	Delivered MessageState = "delivered"
	Folded    MessageState = "folded"
	Dead      MessageState = "dead"
)

// Notification is a message and what became of it.
type Notification struct {
	Seq      int64 // the order of enqueueing
	Message  plan.Message
	State    MessageState
	Enqueued time.Time
	Due      time.Time // of the next try, while it waits
	Settled  time.Time // when it was delivered, folded or given up
	Attempts int
	// LastReason and LastError are of the last failed try.
	LastReason notifiers.Reason
	LastError  string
	FoldedInto string // the id of the message that it was delivered with
	Via        string // the receiver that this message should have reached
}

// NotificationQuery narrows a query of notifications; a zero field does not.
type NotificationQuery struct {
	State    MessageState
	Receiver string
	Key      string
	// Before is the Seq of the last row of the page before; rows come newest first.
	Before int64
	Limit  int // 100 if 0, 1000 at most
}

// Notifications lists messages, newest first: the open ones by State Waiting, the dead letters by Dead.
func (s *Store) Notifications(ctx context.Context, n NotificationQuery) ([]Notification, error) {
	where, args := "1 = 1", []any(nil)
	add := func(cond string, arg any) { where, args = where+" AND "+cond, append(args, arg) }
	if n.State != "" {
		add("state = ?", n.State)
	}
	if n.Receiver != "" {
		add("receiver = ?", n.Receiver)
	}
	if n.Key != "" {
		add("key = ?", n.Key)
	}
	if n.Before > 0 {
		add("seq < ?", n.Before)
	}
	args = append(args, Range{Limit: n.Limit}.limit())
	var out []Notification
	err := s.read(ctx, "read notifications", func(q queries) error {
		return each(ctx, q, `SELECT seq, body, state, enqueued, due, COALESCE(settled, 0), attempts, last_reason, last_error, folded_into, via
			FROM messages WHERE `+where+" ORDER BY seq DESC LIMIT ?", args, func(r *sql.Rows) error {
			var x Notification
			var body []byte
			var enqueued, due, settled int64
			if err := r.Scan(&x.Seq, &body, &x.State, &enqueued, &due, &settled, &x.Attempts,
				&x.LastReason, &x.LastError, &x.FoldedInto, &x.Via); err != nil {
				return err
			}
			x.Enqueued, x.Due, x.Settled = fromMicros(enqueued), fromMicros(due), fromMicros(settled)
			if err := json.Unmarshal(body, &x.Message); err != nil {
				return fmt.Errorf("message %d: %w", x.Seq, err)
			}
			out = append(out, x)
			return nil
		})
	})
	return out, err
}

// Disabled lists the receivers that asked never to be called again, and why.
func (s *Store) Disabled(ctx context.Context) (map[string]string, error) {
	out := map[string]string{}
	err := s.read(ctx, "read disabled receivers", func(q queries) error {
		return each(ctx, q, "SELECT receiver, why FROM disabled_receivers", nil, func(r *sql.Rows) error {
			var name, why string
			err := r.Scan(&name, &why)
			out[name] = why
			return err
		})
	})
	return out, err
}

// Enable lets a receiver be called again, once its endpoint has been changed.
func (s *Store) Enable(ctx context.Context, receiver string) error {
	return s.write(ctx, "enable receiver "+receiver, func(x tx) error {
		_, err := x.exec("DELETE FROM disabled_receivers WHERE receiver = ?", receiver)
		return err
	})
}

// Shift moves what messages wait for, as the clock that it was told by was wrong by that much. Their deadlines stay.
func (s *Store) Shift(ctx context.Context, by time.Duration) error {
	return s.write(ctx, "shift the times of messages", func(x tx) error {
		_, err := x.exec(`UPDATE messages SET due = due + ?, lease_until = CASE WHEN lease_until = 0 THEN 0 ELSE lease_until + ? END
			WHERE state = 'waiting'`, by.Microseconds(), by.Microseconds())
		return err
	})
}

func enqueue(x tx, at time.Time, via string, ms []plan.Message) error {
	for _, m := range ms {
		body, err := json.Marshal(m)
		if err != nil {
			return fmt.Errorf("message %s: %w", m.ID, err)
		}
		if _, err := x.exec(`INSERT INTO messages (id, receiver, key, number, reason, onset, body, state, enqueued, deadline, due, via)
			VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
			m.ID, m.Receiver, m.Key, m.Number, m.Reason, micros(m.Onset), string(body),
			micros(at), micros(m.Deadline), micros(at), via); err != nil {
			return fmt.Errorf("enqueue message %s: %w", m.ID, err)
		}
	}
	return nil
}

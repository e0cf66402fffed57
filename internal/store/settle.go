package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// ErrClaimLost says that the lease ran out and another took the message over.
var ErrClaimLost = errors.New("the claim has been taken over")

// Settlement is the outcome of one attempt.
type Settlement struct {
	Claim Claim
	At    time.Time
	// State is Delivered, Dead, or Waiting for another try at Due.
	State MessageState
	Due   time.Time
	// Thread is the receipt to pass on with the next attempt about the same problem; nil leaves the last.
	Thread json.RawMessage
	Reason notifiers.Reason
	Error  string
	// Arrived says that the attempt failed but may have arrived, so that it must be repeated as it was.
	Arrived bool
	// Disable says that the receiver asked never to be called again.
	Disable bool
	// Fallback gets what could not be delivered, until Deadline; "" if there is none.
	Fallback string
	Deadline time.Time
}

// Settle writes the outcome of an attempt. The next message of the key is not ready before.
func (s *Store) Settle(ctx context.Context, o Settlement) error {
	return s.write(ctx, "settle message "+o.Claim.Message.ID, func(x tx) error {
		if o.State == Delivered {
			return x.delivered(o)
		}
		return x.failed(o)
	})
}

func (t tx) delivered(o Settlement) error {
	c, at := o.Claim, micros(o.At)
	body, err := json.Marshal(c.Message)
	if err != nil {
		return err
	}
	// True whoever holds the claim by now: it has arrived.
	n, err := t.exec(`UPDATE messages SET state = 'delivered', settled = ?, body = ?, lease_owner = '', lease_until = 0
		WHERE seq = ? AND state = 'waiting'`, at, string(body), c.Seq)
	if err != nil || n == 0 {
		return err
	}
	if c.carries > c.Seq {
		if _, err := t.exec(`UPDATE messages SET state = 'folded', settled = ?, folded_into = ?
			WHERE state = 'waiting' AND receiver = ? AND key = ? AND seq > ? AND seq <= ?`,
			at, c.Message.ID, c.Message.Receiver, c.Message.Key, c.Seq, c.carries); err != nil {
			return err
		}
	}
	if err := t.receipt(o); err != nil {
		return err
	}
	if c.Message.Reason == plan.Resolved && o.Fallback != "" {
		return t.resolveAtFallback(o)
	}
	return nil
}

// receipt keeps what the notifier gave, of a failed attempt too: what it says has arrived is not to be sent again.
func (t tx) receipt(o Settlement) error {
	if o.Thread == nil {
		return nil
	}
	m := o.Claim.Message
	_, err := t.exec(`INSERT INTO threads (receiver, key, onset, receipt, at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (receiver, key, onset) DO UPDATE SET receipt = excluded.receipt, at = excluded.at`,
		m.Receiver, m.Key, micros(m.Onset), string(o.Thread), micros(o.At))
	return err
}

// resolveAtFallback closes what was opened at the fallback while the receiver could not be reached.
func (t tx) resolveAtFallback(o Settlement) error {
	var last plan.Reason
	err := t.s.writer.QueryRowContext(t.ctx, `SELECT reason FROM messages WHERE receiver = ? AND key = ? AND via = ?
		AND reason NOT IN ('test', 'verified') ORDER BY seq DESC LIMIT 1`,
		o.Fallback, o.Claim.Message.Key, o.Claim.Message.Receiver).Scan(&last)
	if errors.Is(err, sql.ErrNoRows) || err == nil && last == plan.Resolved {
		return nil
	}
	if err != nil {
		return err
	}
	return t.divert(o, "receiver "+o.Claim.Message.Receiver+" has been told, too")
}

func (t tx) failed(o Settlement) error {
	c := o.Claim
	carries, settled := int64(0), any(nil)
	if (o.Arrived || c.frozen) && o.State == Waiting {
		carries = c.carries
	}
	if o.State == Dead {
		settled = micros(o.At)
	}
	n, err := t.exec(`UPDATE messages SET state = ?, due = ?, settled = ?, carries = ?, last_reason = ?, last_error = ?,
		lease_owner = '', lease_until = 0 WHERE seq = ? AND state = 'waiting' AND lease_owner = ? AND attempts = ?`,
		o.State, micros(o.Due), settled, carries, o.Reason, o.Error, c.Seq, c.Owner, c.Attempt)
	if err != nil {
		return err
	}
	if n == 0 {
		return ErrClaimLost
	}
	if err := t.receipt(o); err != nil {
		return err
	}
	if o.Disable {
		if _, err := t.exec(`INSERT INTO disabled_receivers (receiver, at, why) VALUES (?, ?, ?)
			ON CONFLICT (receiver) DO NOTHING`, c.Message.Receiver, micros(o.At), o.Error); err != nil {
			return err
		}
	}
	if o.State != Dead || o.Fallback == "" {
		return nil
	}
	return t.divert(o, fmt.Sprintf("for receiver %s, which could not be reached: %s", c.Message.Receiver, o.Error))
}

// divert enqueues a message for the fallback, under an id of its own that is the same at every try.
func (t tx) divert(o Settlement, note string) error {
	m := o.Claim.Message
	via := m.Receiver
	m.ID += "~" + o.Fallback
	m.Receiver = o.Fallback
	m.Deadline = o.Deadline
	m.Note = joinNotes(note, m.Note)
	return enqueue(t, o.At, via, []plan.Message{m})
}

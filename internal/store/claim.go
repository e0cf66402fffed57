package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
)

// foldLimit bounds how many waiting messages of a key are read to be folded.
const foldLimit = 100

// ClaimQuery asks for messages to deliver.
type ClaimQuery struct {
	Receiver string
	// Except, where Receiver is "", asks for the expired messages of all receivers but these.
	Except []string
	Now    time.Time
	Limit  int
	// Owner holds what is claimed until Now plus Lease, then it may be claimed again.
	Owner string
	Lease time.Duration
	// Busy are messages that the caller is still at, whatever their lease says.
	Busy map[int64]bool
	// Expired asks for messages past their deadline only, as while a receiver wants to be left alone.
	Expired bool
}

// Claim is one message to deliver now, for one attempt.
type Claim struct {
	Seq     int64
	Message plan.Message // with what was folded into it
	Thread  json.RawMessage
	// Attempt counts from 1, over processes.
	Attempt  int
	Owner    string
	Enqueued time.Time
	Via      string
	carries  int64 // the last message that it stands for
	frozen   bool  // an earlier attempt may have arrived
}

// Claims answers a ClaimQuery.
type Claims struct {
	Ready []Claim
	// Next is when the next one can be ready, unless something happens; zero when nothing waits.
	Next time.Time
	// Waiting counts the receiver's messages that are not settled, the claimed ones included.
	Waiting int
	// Disabled says why the receiver must not be called; then Ready holds whatever waits.
	Disabled string
}

// heads selects the oldest waiting message of every key, which is the only one that may go out.
const heads = `FROM messages m JOIN (
	SELECT MIN(seq) AS seq FROM messages WHERE state = 'waiting' AND %s GROUP BY receiver, key) h ON h.seq = m.seq`

// Claim takes messages to deliver: for every key the oldest waiting one, if it is due and nobody
// else is at it. When there is none, nothing is written.
func (s *Store) Claim(ctx context.Context, c ClaimQuery) (Claims, error) {
	what := "claim messages for " + c.Receiver
	whose, args := "receiver = ?", []any{c.Receiver}
	if c.Receiver == "" {
		whose, args = "1 = 1", nil
		if len(c.Except) > 0 {
			whose = "receiver NOT IN (?" + strings.Repeat(", ?", len(c.Except)-1) + ")"
		}
		for _, r := range c.Except {
			args = append(args, r)
		}
	}
	from := fmt.Sprintf(heads, whose)
	var out Claims
	var ready []int64
	err := s.read(ctx, what, func(q queries) (err error) {
		out, ready, err = c.candidates(ctx, q, from, args)
		return err
	})
	if err != nil || len(ready) == 0 {
		return out, err
	}
	err = s.write(ctx, what, func(x tx) error {
		out.Ready = nil
		for _, seq := range ready {
			claim, ok, err := x.claim(c, seq)
			if err != nil {
				return fmt.Errorf("message %d: %w", seq, err)
			}
			if ok {
				out.Ready = append(out.Ready, claim)
			}
		}
		return nil
	})
	if err != nil {
		out.Ready = nil
	}
	return out, err
}

// candidates looks without writing.
func (c ClaimQuery) candidates(ctx context.Context, q queries, from string, args []any) (Claims, []int64, error) {
	var out Claims
	now := micros(c.Now)
	err := q.QueryRowContext(ctx, "SELECT why FROM disabled_receivers WHERE receiver = ?", c.Receiver).Scan(&out.Disabled)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, nil, err
	}
	ripe, ripeArgs := "(m.due <= ? OR m.deadline <= ?)", []any{now, now}
	switch {
	case out.Disabled != "":
		ripe, ripeArgs = "1 = 1", nil
	case c.Expired || c.Receiver == "":
		ripe, ripeArgs = "m.deadline <= ?", []any{now}
	}
	var ready []int64
	list := append(append(append([]any{}, args...), ripeArgs...), now, c.Limit+len(c.Busy))
	err = each(ctx, q, "SELECT m.seq "+from+" WHERE "+ripe+" AND m.lease_until <= ? ORDER BY m.due, m.seq LIMIT ?", list,
		func(r *sql.Rows) error {
			var seq int64
			err := r.Scan(&seq)
			if !c.Busy[seq] && len(ready) < c.Limit {
				ready = append(ready, seq)
			}
			return err
		})
	if err != nil {
		return out, nil, err
	}
	var next sql.NullInt64
	soon := "CASE WHEN m.due < m.deadline THEN m.due ELSE m.deadline END"
	if c.Expired || c.Receiver == "" {
		soon = "m.deadline"
	}
	// A message that is ready, or in the caller's hands, is no reason to look again.
	err = q.QueryRowContext(ctx, "SELECT MIN(CASE WHEN m.lease_until > ? THEN m.lease_until ELSE "+soon+" END) "+from+
		" WHERE (m.lease_owner <> ? OR m.lease_until = 0) AND NOT ("+ripe+" AND m.lease_until <= ?)",
		append(append(append([]any{now}, args...), c.Owner), append(append([]any{}, ripeArgs...), now)...)...).Scan(&next)
	if err != nil {
		return out, nil, err
	}
	out.Next = fromMicros(next.Int64)
	err = q.QueryRowContext(ctx, "SELECT COUNT(*) FROM messages WHERE state = 'waiting' AND receiver = ?", c.Receiver).Scan(&out.Waiting)
	return out, ready, err
}

// claim leases one message; false means that somebody else was faster.
func (t tx) claim(c ClaimQuery, seq int64) (Claim, bool, error) {
	now := micros(c.Now)
	out := Claim{Seq: seq, Owner: c.Owner}
	q := t.s.writer
	var enqueued int64
	var receiver, key string
	err := q.QueryRowContext(t.ctx, `SELECT receiver, key, attempts, enqueued, via, carries FROM messages
		WHERE seq = ? AND state = 'waiting' AND lease_until <= ?`, seq, now).
		Scan(&receiver, &key, &out.Attempt, &enqueued, &out.Via, &out.carries)
	if errors.Is(err, sql.ErrNoRows) {
		return out, false, nil
	}
	if err != nil {
		return out, false, err
	}
	out.Attempt++
	out.frozen = out.carries != 0
	out.Enqueued = fromMicros(enqueued)
	if err := t.fold(&out, receiver, key); err != nil {
		return out, false, err
	}
	if err := t.thread(&out); err != nil {
		return out, false, err
	}
	_, err = t.exec("UPDATE messages SET attempts = ?, lease_owner = ?, lease_until = ?, carries = ? WHERE seq = ?",
		out.Attempt, c.Owner, micros(c.Now.Add(c.Lease)), out.carries, seq)
	return out, err == nil, err
}

// fold reads the messages that wait for the same reader. An attempt that may have arrived is repeated
// as it was: a receiver that knows its id would drop it, and with it anything new that it said.
func (t tx) fold(c *Claim, receiver, key string) error {
	last := c.carries
	if last == 0 {
		last = 1<<63 - 1
	}
	var waiting []plan.Message
	var seqs []int64
	err := each(t.ctx, t.s.writer, `SELECT seq, body FROM messages WHERE state = 'waiting' AND receiver = ? AND key = ?
		AND seq >= ? AND seq <= ? ORDER BY seq LIMIT ?`, []any{receiver, key, c.Seq, last, foldLimit}, func(r *sql.Rows) error {
		var seq int64
		var body []byte
		if err := r.Scan(&seq, &body); err != nil {
			return err
		}
		var m plan.Message
		if err := json.Unmarshal(body, &m); err != nil {
			return err
		}
		waiting, seqs = append(waiting, m), append(seqs, seq)
		return nil
	})
	if err != nil {
		return err
	}
	m, n := plan.Fold(waiting)
	c.Message, c.carries = m, seqs[n-1]
	if m.Reason == plan.Resolved {
		return t.untold(c)
	}
	return nil
}

// untold adds to the end of a problem that nothing about it had arrived before.
func (t tx) untold(c *Claim) error {
	var lost string
	told, earlier := false, false
	err := each(t.ctx, t.s.writer, `SELECT state, reason, last_error FROM messages WHERE receiver = ? AND key = ? AND seq < ?
		AND state IN ('delivered', 'dead') AND reason NOT IN ('test', 'verified') ORDER BY seq DESC LIMIT ?`,
		[]any{c.Message.Receiver, c.Message.Key, c.Seq, foldLimit}, func(r *sql.Rows) error {
			var state MessageState
			var reason plan.Reason
			var why string
			if err := r.Scan(&state, &reason, &why); err != nil {
				return err
			}
			earlier = earlier || reason == plan.Resolved // from here on it is another problem
			if earlier {
				return nil
			}
			told = told || state == Delivered
			if lost == "" {
				lost = why
			}
			return nil
		})
	if err == nil && !told && lost != "" {
		c.Message.Note = joinNotes(c.Message.Note, "that it began could not be delivered: "+lost)
	}
	return err
}

func (t tx) thread(c *Claim) error {
	var receipt []byte
	m := c.Message
	err := t.s.writer.QueryRowContext(t.ctx, "SELECT receipt FROM threads WHERE receiver = ? AND key = ? AND onset = ?",
		m.Receiver, m.Key, micros(m.Onset)).Scan(&receipt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	c.Thread = receipt
	return err
}

func joinNotes(a, b string) string {
	if b == "" {
		return a
	}
	if a == "" {
		return b
	}
	return a + "; " + b
}

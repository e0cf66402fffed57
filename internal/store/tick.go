package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/plan"
)

// Tick is all that one evaluation has to write.
type Tick struct {
	At time.Time
	// State is all that the judge remembers; nil leaves what is stored, an empty one clears it.
	State engine.State
	// Sent is all that the notification plan remembers; nil leaves what is stored.
	Sent        Sent
	Transitions []Transition
	// Diagnoses are those of every entity; only what is new about one is written.
	Diagnoses []Observed
	// Messages are to be delivered. One whose id is there already is not enqueued again.
	Messages []plan.Message
	// Parts is what other parts of the service remember, by name. One that is not named is left as it is.
	Parts map[string]json.RawMessage
}

// Tick writes one evaluation in one transaction: a process that dies leaves all of it or nothing. When
// nothing changed, nothing is written.
func (s *Store) Tick(ctx context.Context, t Tick) error {
	keys := entityKeys(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	state, dropped := s.known.stateChanges(t.State, s.o.Refresh)
	sent, unsent := s.known.sentChanges(t.Sent)
	parts := s.known.partChanges(t.Parts)
	news := s.known.news(t, keys)
	if len(state)+len(dropped)+len(sent)+len(unsent)+len(parts)+len(news)+len(t.Transitions)+len(t.Messages) > 0 {
		err := s.writeLocked(ctx, "store a tick", func(x tx) error {
			if err := writeState(x, state, dropped); err != nil {
				return fmt.Errorf("judge state: %w", err)
			}
			if err := writeSent(x, sent, unsent); err != nil {
				return fmt.Errorf("sent state: %w", err)
			}
			if err := writeParts(x, parts); err != nil {
				return fmt.Errorf("state of parts: %w", err)
			}
			if err := writeTransitions(x, t.Transitions); err != nil {
				return fmt.Errorf("transitions: %w", err)
			}
			if err := writeDiagnoses(x, t.At, news); err != nil {
				return fmt.Errorf("diagnoses: %w", err)
			}
			return enqueue(x, t.At, "", t.Messages)
		})
		if err != nil {
			return err
		}
	}
	s.known.apply(state, dropped, sent, unsent)
	maps.Copy(s.known.parts, parts)
	s.known.look(t, keys)
	return nil
}

// Load gives what the judge and the notification plan remembered at the last tick. A judge that
// remembers nothing gets nil, which is a first look.
func (s *Store) Load() (engine.State, Sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known.state) == 0 {
		return nil, maps.Clone(s.known.sent)
	}
	return maps.Clone(s.known.state), maps.Clone(s.known.sent)
}

// Enqueue adds messages outside of a tick, such as a person's test.
func (s *Store) Enqueue(ctx context.Context, at time.Time, ms ...plan.Message) error {
	return s.write(ctx, "enqueue messages", func(x tx) error { return enqueue(x, at, "", ms) })
}

// stateChanges lists what to write and what to delete. A clock that merely ran on is written once in a
// while only: the judge bridges a gap of up to a minute by itself.
func (k known) stateChanges(next engine.State, refresh time.Duration) (engine.State, []string) {
	if next == nil {
		return nil, nil
	}
	changed := engine.State{}
	for key, h := range next {
		old, ok := k.state[key]
		if !ok || old.Firing != h.Firing || !old.Since.Equal(h.Since) ||
			h.LastSeen.Sub(old.LastSeen).Abs() >= refresh || h.LastTrue.Sub(old.LastTrue).Abs() >= refresh {
			changed[key] = h
		}
	}
	var dropped []string
	for key := range k.state {
		if _, ok := next[key]; !ok {
			dropped = append(dropped, key)
		}
	}
	return changed, dropped
}

func (k known) sentChanges(next Sent) (Sent, []SentKey) {
	if next == nil {
		return nil, nil
	}
	changed := Sent{}
	for key, v := range next {
		if old, ok := k.sent[key]; !ok || !bytes.Equal(old, v) {
			changed[key] = bytes.Clone(v)
		}
	}
	var dropped []SentKey
	for key := range k.sent {
		if _, ok := next[key]; !ok {
			dropped = append(dropped, key)
		}
	}
	return changed, dropped
}

func (k known) apply(state engine.State, dropped []string, sent Sent, unsent []SentKey) {
	maps.Copy(k.state, state)
	for _, key := range dropped {
		delete(k.state, key)
	}
	maps.Copy(k.sent, sent)
	for _, key := range unsent {
		delete(k.sent, key)
	}
}

func (k known) loadHeld(key string, value []byte) error {
	var h engine.Held
	if err := json.Unmarshal(value, &h); err != nil {
		return fmt.Errorf("judge state: %w", err)
	}
	k.state[key] = h
	return nil
}

func writeState(x tx, changed engine.State, dropped []string) error {
	for key, h := range changed {
		value, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if _, err := x.exec(`INSERT INTO judge_state (key, value) VALUES (?, ?)
			ON CONFLICT (key) DO UPDATE SET value = excluded.value`, []byte(key), string(value)); err != nil {
			return err
		}
	}
	for _, key := range dropped {
		if _, err := x.exec("DELETE FROM judge_state WHERE key = ?", []byte(key)); err != nil {
			return err
		}
	}
	return nil
}

func writeSent(x tx, changed Sent, dropped []SentKey) error {
	for k, v := range changed {
		if _, err := x.exec(`INSERT INTO sent (receiver, key, value) VALUES (?, ?, ?)
			ON CONFLICT (receiver, key) DO UPDATE SET value = excluded.value`, k.Receiver, k.Key, string(v)); err != nil {
			return err
		}
	}
	for _, k := range dropped {
		if _, err := x.exec("DELETE FROM sent WHERE receiver = ? AND key = ?", k.Receiver, k.Key); err != nil {
			return err
		}
	}
	return nil
}

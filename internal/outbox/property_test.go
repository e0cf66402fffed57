package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// mortal is the queue of a process that dies at its n-th operation: neither that one nor any later one
// is carried out, whatever has been delivered in between.
type mortal struct {
	outbox.Queue
	mu   sync.Mutex
	left int
}

func (q *mortal) alive() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.left--
	return q.left >= 0
}

func (q *mortal) Claim(ctx context.Context, c store.ClaimQuery) (store.Claims, error) {
	if !q.alive() {
		return store.Claims{}, store.ErrSuperseded
	}
	return q.Queue.Claim(ctx, c)
}

func (q *mortal) Settle(ctx context.Context, o store.Settlement) error {
	if !q.alive() {
		return store.ErrSuperseded
	}
	return q.Queue.Settle(ctx, o)
}

// world is a receiver that fails in every way, and remembers what reached it.
type world struct {
	mu      sync.Mutex
	rand    *rand.Rand
	arrived []plan.Message
	unsure  map[string]int // by key: arrived, but the sender was not told
}

func (w *world) Notify(_ context.Context, m plan.Message, _ json.RawMessage) (json.RawMessage, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch n := w.rand.IntN(10); n {
	case 0:
		return nil, refused(notifiers.ServerError, 0)
	case 1:
		return nil, refused(notifiers.RateLimited, time.Duration(w.rand.IntN(600))*time.Second)
	case 2:
		panic("a notifier with a fault")
	case 3:
		return nil, context.DeadlineExceeded
	case 4:
		w.arrived = append(w.arrived, m)
		w.unsure[m.Key]++
		return nil, context.DeadlineExceeded
	}
	w.arrived = append(w.arrived, m)
	return nil, nil
}

// step is one message of one key.
type step struct {
	key    int
	reason plan.Reason
}

type script []step

// drawn is what the plan could enqueue for some keys, in an order that keeps each key's.
func drawn(t *rapid.T, keys int) script {
	var out script
	open := make([]bool, keys)
	for range rapid.IntRange(1, 25).Draw(t, "messages") {
		k := rapid.IntRange(0, keys-1).Draw(t, "key")
		reason := plan.First
		if open[k] {
			reason = rapid.SampledFrom([]plan.Reason{plan.Worse, plan.Reminder, plan.CauseChanged, plan.Verified, plan.Resolved}).Draw(t, "reason")
		}
		open[k] = reason != plan.Resolved
		out = append(out, step{k, reason})
	}
	return out
}

func (s script) messages(keys int) []plan.Message {
	var out []plan.Message
	number := make([]int, keys)
	for _, x := range s {
		number[x.key]++
		m := message("r", fmt.Sprint("k", x.key), number[x.key], x.reason)
		m.Deadline = m.Deadline.Add(1000 * time.Hour)
		out = append(out, m)
	}
	return out
}

func TestNothingIsLostOrReorderedWhateverFailsAndDies(t *testing.T) {
	dir := t.TempDir()
	if fast, err := os.MkdirTemp("/dev/shm", "inferdx"); err == nil { // the crashes here are of processes, not of disks
		dir = fast
		t.Cleanup(func() { _ = os.RemoveAll(fast) })
	}
	n := 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n, ".db"))
		w := &world{rand: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "seed"), 0)), unsure: map[string]int{}}
		lives := rapid.SliceOfN(rapid.IntRange(0, 40), 0, 4).Draw(r, "operations until it dies")
		draws := rapid.SliceOfN(rapid.IntRange(0, 25), len(lives), len(lives)).Draw(r, "enqueued in each life")
		keys := rapid.IntRange(1, 4).Draw(r, "keys")
		reasons := drawn(r, keys)
		var err error
		synctest.Test(t, func(*testing.T) {
			sent := reasons.messages(keys)
			todo := sent
			for i, left := range lives {
				some := min(draws[i], len(todo))
				err = errors.Join(err, live(path, w, left, todo[:some]))
				todo = todo[some:]
			}
			err = errors.Join(err, live(path, w, 1<<30, todo))
			if err == nil {
				err = judge(path, w, sent, len(lives))
			}
		})
		if err != nil {
			r.Fatal(err)
		}
	})
}

// live is one process: it enqueues and delivers until it dies, or for good.
func live(path string, w *world, left int, ms []plan.Message) error {
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	b, err := outbox.New(outbox.Options{
		Queue: &mortal{Queue: s, left: left}, Receivers: []outbox.Receiver{to("r", w)}, Parallel: 3,
		Timeout: 10 * time.Second, Lease: time.Minute, Poll: 12 * time.Hour,
	})
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- b.Run(context.Background()) }()
	for _, m := range ms {
		if err := s.Enqueue(context.Background(), time.Now(), m); err != nil {
			return err
		}
		b.Wake()
		time.Sleep(time.Duration(w.pauseSeconds()) * time.Second)
	}
	time.Sleep(48 * time.Hour)
	_ = b.Drain(context.Background())
	if err := <-ended; err != nil && !errors.Is(err, store.ErrSuperseded) {
		return err
	}
	return nil
}

func (w *world) pauseSeconds() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rand.IntN(60) * w.rand.IntN(2)
}

// judge holds the promises of the package against what arrived.
func judge(path string, w *world, sent []plan.Message, crashes int) error {
	last, repeats := map[string]plan.Message{}, map[string]int{}
	byID := map[string]plan.Message{}
	for _, m := range w.arrived {
		before, ok := last[m.Key]
		switch {
		case ok && before.ID == m.ID:
			repeats[m.Key]++
			if diff := cmp.Diff(before, m); diff != "" {
				return fmt.Errorf("%s was repeated and said something else: %s", m.ID, diff)
			}
		case ok && before.Number >= m.Number:
			return fmt.Errorf("%s arrived after %s", m.ID, before.ID)
		}
		last[m.Key], byID[m.ID] = m, m
	}
	for key, n := range repeats {
		if n > crashes+w.unsure[key] {
			return fmt.Errorf("%d repeats of %s with %d crashes and %d answers lost", n, key, crashes, w.unsure[key])
		}
	}
	rows, err := allRows(path)
	if err != nil {
		return err
	}
	for _, m := range sent {
		row, ok := rows[m.ID]
		carrier, arrived := byID[m.ID]
		if ok && row.State == store.Folded {
			if m.Reason == plan.First || m.Reason == plan.Resolved || m.Reason == plan.Verified {
				return fmt.Errorf("%s, a %s, was folded away", m.ID, m.Reason)
			}
			carrier, arrived = byID[row.FoldedInto]
		}
		if !ok || !arrived {
			return fmt.Errorf("%s is lost: it is %s", m.ID, row.State)
		}
		var shows int
		if _, err := fmt.Sscanf(carrier.Diagnoses[0].Fingerprint, "state%d", &shows); err != nil {
			return err
		}
		if shows < m.Number || carrier.Number > m.Number {
			return fmt.Errorf("%s was delivered as %s, which shows %d", m.ID, carrier.ID, shows)
		}
	}
	return nil
}

// allRows gives every notification of a store by its message's id.
func allRows(path string) (map[string]store.Notification, error) {
	s, err := store.Open(context.Background(), path, store.Options{})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	rows := map[string]store.Notification{}
	q := store.NotificationQuery{Limit: 1000}
	for {
		page, err := s.Notifications(context.Background(), q)
		if err != nil || len(page) == 0 {
			return rows, err
		}
		for _, x := range page {
			rows[x.Message.ID] = x
		}
		q.Before = page[len(page)-1].Seq
	}
}

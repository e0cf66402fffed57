package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// notify makes a notifier of a func.
type notify func(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error)

func (f notify) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	return f(ctx, m, thread)
}

// inbox is a receiver that writes down what arrived. fail is asked first.
type inbox struct {
	mu     sync.Mutex
	got    []plan.Message
	thread []string
	calls  int
	fail   func(call int, m plan.Message) error
}

func (i *inbox) Notify(_ context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls++
	if i.fail != nil {
		if err := i.fail(i.calls, m); err != nil {
			return nil, err
		}
	}
	i.got, i.thread = append(i.got, m), append(i.thread, string(thread))
	return json.RawMessage(fmt.Sprintf("%q", "ts"+m.ID)), nil
}

func (i *inbox) arrived() int { return len(i.said()) }

func (i *inbox) tries() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

// said lists what arrived: id, reason and the fingerprint of the state it shows.
func (i *inbox) said() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var out []string
	for _, m := range i.got {
		out = append(out, fmt.Sprintf("%s %s %s", m.ID, m.Reason, m.Diagnoses[0].Fingerprint))
	}
	return out
}

func message(receiver, key string, n int, r plan.Reason) plan.Message {
	now := time.Now()
	return plan.Message{
		ID: fmt.Sprintf("%s/%s/%d", receiver, key, n), Receiver: receiver, Key: key, Number: n, Reason: r,
		At: now, Onset: time.Unix(1793502000, 0).UTC(), Deadline: now.Add(time.Hour),
		Diagnoses: []model.Diagnosis{{Fingerprint: fmt.Sprint("state", n)}},
	}
}

func fresh(t testing.TB) *store.Store {
	t.Helper()
	return open(t, filepath.Join(t.TempDir(), "inferdx.db"))
}

func open(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), path, store.Options{})
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func enqueue(t testing.TB, s *store.Store, ms ...plan.Message) {
	t.Helper()
	must(t, s.Enqueue(context.Background(), time.Now(), ms...))
}

// start runs an outbox and gives the func that drains it.
func start(t testing.TB, o outbox.Options) (*outbox.Outbox, func()) {
	t.Helper()
	b, err := outbox.New(o)
	must(t, err)
	ended := make(chan error, 1)
	go func() { ended <- b.Run(context.Background()) }()
	return b, func() {
		t.Helper()
		must(t, b.Drain(context.Background()))
		must(t, <-ended)
	}
}

func states(t testing.TB, s *store.Store) map[store.MessageState]int {
	t.Helper()
	ms, err := s.Notifications(context.Background(), store.NotificationQuery{Limit: 1000})
	must(t, err)
	out := map[store.MessageState]int{}
	for _, m := range ms {
		out[m.State]++
	}
	return out
}

func refused(reason notifiers.Reason, after time.Duration) error {
	return &notifiers.Error{Reason: reason, RetryAfter: after, Err: errors.New("refused")}
}

package outbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// inBubble runs a test in fake time. The store is opened inside, and closed before the bubble ends.
func inBubble(t *testing.T, f func(t *testing.T, s *store.Store)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inferdx.db")
	synctest.Test(t, func(t *testing.T) {
		s := open(t, path)
		f(t, s)
		must(t, s.Close())
	})
}

func to(name string, n outbox.Notifier) outbox.Receiver {
	return outbox.Receiver{Name: name, Integration: "test", Notifier: n}
}

func TestMessagesArriveInOrderAndInTheirThread(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{}
		b, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}})
		for i, r := range []plan.Reason{plan.First, plan.Worse, plan.Resolved} {
			enqueue(t, s, message("r", "k", i+1, r))
			b.Wake()
			time.Sleep(time.Second)
		}
		drain()
		if diff := cmp.Diff([]string{"r/k/1 first state1", "r/k/2 worse state2", "r/k/3 resolved state3"}, in.said()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"", `"tsr/k/1"`, `"tsr/k/2"`}, in.thread); diff != "" {
			t.Error("threads", diff)
		}
	})
}

func TestFault59AThousandRateLimitsInARowLoseNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{fail: func(call int, _ plan.Message) error {
			if call <= 1000 {
				return refused(notifiers.RateLimited, 30*time.Second)
			}
			return nil
		}}
		m := message("r", "k", 1, plan.First)
		m.Deadline = time.Now().Add(24 * time.Hour)
		enqueue(t, s, m)
		began := time.Now()
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}, Poll: time.Hour})
		time.Sleep(23 * time.Hour)
		drain()
		if in.tries() != 1001 || in.arrived() != 1 {
			t.Errorf("%d calls, %d arrived", in.tries(), in.arrived())
		}
		ms, err := s.Notifications(t.Context(), store.NotificationQuery{})
		must(t, err)
		if took := ms[0].Settled.Sub(began); took < 1000*30*time.Second {
			t.Errorf("the receiver was not left alone for as long as it asked: 1000 refusals took %v", took)
		}
	})
}

func TestARateLimitPausesTheReceiverAndNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		limited := &inbox{fail: func(call int, _ plan.Message) error {
			if call == 1 {
				return refused(notifiers.RateLimited, 10*time.Minute)
			}
			return nil
		}}
		free := &inbox{}
		b, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("limited", limited), to("free", free)}})
		enqueue(t, s, message("limited", "a", 1, plan.First))
		b.Wake()
		synctest.Wait()
		enqueue(t, s, message("limited", "b", 1, plan.First), message("free", "b", 1, plan.First))
		b.Wake()
		time.Sleep(9 * time.Minute)
		if limited.tries() != 1 || free.arrived() != 1 {
			t.Errorf("after 9 minutes: %d calls, %d free", limited.tries(), free.arrived())
		}
		time.Sleep(2 * time.Minute)
		if limited.arrived() != 2 {
			t.Errorf("after the pause %v arrived", limited.said())
		}
		drain()
	})
}

func TestFault64AReceiverThatHangsDelaysNoOther(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		hangs := notify(func(ctx context.Context, _ plan.Message, _ json.RawMessage) (json.RawMessage, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		in := &inbox{}
		for i := range 20 {
			enqueue(t, s, message("hangs", fmt.Sprint(i), 1, plan.First), message("r", fmt.Sprint(i), 1, plan.First))
		}
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("hangs", hangs), to("r", in)}, Parallel: 2})
		time.Sleep(time.Second)
		if in.arrived() != 20 {
			t.Errorf("%d arrived beside the one that hangs", in.arrived())
		}
		drain()
	})
}

func TestKeysAreDeliveredAtOnceUpToTheBound(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var now, most atomic.Int32
		slow := notify(func(context.Context, plan.Message, json.RawMessage) (json.RawMessage, error) {
			most.Store(max(most.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			return nil, nil
		})
		for i := range 12 {
			enqueue(t, s, message("r", fmt.Sprint(i), 1, plan.First))
		}
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", slow)}, Parallel: 3})
		time.Sleep(4*time.Second + 500*time.Millisecond)
		if most.Load() != 3 || states(t, s)[store.Delivered] != 12 {
			t.Errorf("%d at once, %v", most.Load(), states(t, s))
		}
		drain()
	})
}

func TestWhatWaitedIsFoldedIntoTheTruth(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want []string
	}{
		{"refused", refused(notifiers.ServerError, 0), []string{"r/k/1 first state3", "r/k/4 resolved state4"}},
		{
			"no connection", &notifiers.Error{Reason: notifiers.Other, Err: &net.OpError{Op: "dial", Err: errors.New("refused")}},
			[]string{"r/k/1 first state3", "r/k/4 resolved state4"},
		},
		// The first may have arrived: its id must not stand for something else now.
		{"timed out", context.DeadlineExceeded, []string{"r/k/1 first state1", "r/k/2 worse state3", "r/k/4 resolved state4"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *store.Store) {
				down := true
				in := &inbox{fail: func(int, plan.Message) error {
					if down {
						return c.err
					}
					return nil
				}}
				_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}})
				for i, r := range []plan.Reason{plan.First, plan.Worse, plan.Reminder, plan.Resolved} {
					enqueue(t, s, message("r", "k", i+1, r))
					time.Sleep(2 * time.Minute)
				}
				in.mu.Lock()
				down = false
				in.mu.Unlock()
				time.Sleep(10 * time.Minute)
				drain()
				if diff := cmp.Diff(c.want, in.said()); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestAPanicIsAFailedAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		calls := 0
		panics := notify(func(context.Context, plan.Message, json.RawMessage) (json.RawMessage, error) {
			if calls++; calls == 1 {
				panic("nil map")
			}
			return nil, nil
		})
		var reasons []notifiers.Reason
		enqueue(t, s, message("r", "k", 1, plan.First))
		_, drain := start(t, outbox.Options{
			Queue: s, Receivers: []outbox.Receiver{to("r", panics)},
			Hooks: outbox.Hooks{Attempted: func(a outbox.Attempt) { reasons = append(reasons, a.Reason) }},
		})
		time.Sleep(time.Minute)
		drain()
		if diff := cmp.Diff([]notifiers.Reason{notifiers.Other, ""}, reasons); diff != "" {
			t.Error(diff)
		}
	})
}

func TestFault45DrainWaitsForWhatIsInFlightAndKeepsTheRest(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		slow := notify(func(ctx context.Context, m plan.Message, _ json.RawMessage) (json.RawMessage, error) {
			d := 5 * time.Second
			if m.Key == "slow" {
				d = time.Hour
			}
			select {
			case <-time.After(d):
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		enqueue(t, s, message("r", "quick", 1, plan.First), message("r", "slow", 1, plan.First), message("r", "third", 1, plan.First))
		b, err := outbox.New(outbox.Options{
			Queue: s, Receivers: []outbox.Receiver{to("r", slow)}, Parallel: 2, Timeout: 50 * time.Minute, Lease: time.Hour,
		})
		must(t, err)
		ended := make(chan error, 1)
		go func() { ended <- b.Run(context.Background()) }()
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := b.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("drain: %v", err)
		}
		must(t, <-ended)
		if diff := cmp.Diff(map[store.MessageState]int{store.Delivered: 1, store.Waiting: 2}, states(t, s)); diff != "" {
			t.Error(diff)
		}
		// What was cancelled is not held by a lease: the next process takes it up at once.
		in := &inbox{}
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}})
		time.Sleep(time.Second)
		drain()
		if in.arrived() != 2 {
			t.Errorf("the next process delivered %v", in.said())
		}
	})
}

func TestAQueueThatFailsRepeatsNoDelivery(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{}
		q := &flaky{Queue: s, fails: 5}
		enqueue(t, s, message("r", "k", 1, plan.First), message("r", "k", 2, plan.Resolved))
		failed := 0
		_, drain := start(t, outbox.Options{
			Queue: q, Receivers: []outbox.Receiver{to("r", in)}, Hooks: outbox.Hooks{QueueFailed: func(error) { failed++ }},
		})
		time.Sleep(10 * time.Minute)
		drain()
		if diff := cmp.Diff([]string{"r/k/1 first state1", "r/k/2 resolved state2"}, in.said()); diff != "" || failed != 5 {
			t.Error(failed, diff)
		}
	})
}

// flaky is a queue on a disk that is full for a while after a delivery.
type flaky struct {
	outbox.Queue
	fails int
}

func (q *flaky) Settle(ctx context.Context, o store.Settlement) error {
	if q.fails > 0 {
		q.fails--
		return &store.Unwritable{What: "settle", Fault: store.DiskFull, Err: errors.New("no space")}
	}
	return q.Queue.Settle(ctx, o)
}

func TestAnOutboxThatIsSupersededSaysSoAndEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inferdx.db")
	first := open(t, path)
	enqueue(t, first, message("r", "k", 1, plan.First))
	open(t, path)
	b, err := outbox.New(outbox.Options{Queue: first, Receivers: []outbox.Receiver{to("r", &inbox{})}})
	must(t, err)
	if err := b.Run(t.Context()); !errors.Is(err, store.ErrSuperseded) {
		t.Errorf("got %v", err)
	}
}

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	q, n := fresh(t), &inbox{}
	for want, o := range map[string]outbox.Options{
		"no queue":             {},
		"two receivers":        {Queue: q, Receivers: []outbox.Receiver{to("r", n), to("r", n)}},
		"needs a name":         {Queue: q, Receivers: []outbox.Receiver{to("", n)}},
		"which does not exist": {Queue: q, Receivers: []outbox.Receiver{to("r", n)}, Fallback: "x"},
		"does not outlast":     {Queue: q, Timeout: time.Minute, Lease: time.Second},
	} {
		if _, err := outbox.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

package outbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

func TestFault60ADeadLetterGoesToTheFallbackUntilItIsResolvedThere(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		down := true
		in := &inbox{fail: func(int, plan.Message) error {
			if down {
				return refused(notifiers.ServerError, 0)
			}
			return nil
		}}
		second := &inbox{}
		var dead []string
		_, drain := start(t, outbox.Options{
			Queue: s, Receivers: []outbox.Receiver{to("r", in), to("second", second)}, Fallback: "second",
			Hooks: outbox.Hooks{DeadLetter: func(r outbox.Receiver, m plan.Message, _ string) { dead = append(dead, r.Name+" "+m.ID) }},
		})
		enqueue(t, s, message("r", "k", 1, plan.First))
		time.Sleep(61 * time.Minute)
		if diff := cmp.Diff([]string{"r/k/1~second first state1"}, second.said()); diff != "" {
			t.Fatal(diff)
		}
		if note := second.got[0].Note; !strings.Contains(note, "for receiver r, which could not be reached: ") {
			t.Errorf("the note is %q", note)
		}
		in.mu.Lock()
		down = false
		in.mu.Unlock()
		enqueue(t, s, message("r", "k", 2, plan.Resolved))
		time.Sleep(time.Minute)
		drain()
		if diff := cmp.Diff([]string{"r/k/2 resolved state2"}, in.said()); diff != "" {
			t.Error(diff)
		}
		if note := in.got[0].Note; !strings.Contains(note, "that it began could not be delivered") {
			t.Errorf("the end says %q of the beginning", note)
		}
		if diff := cmp.Diff([]string{"r/k/1~second first state1", "r/k/2~second resolved state2"}, second.said()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"r r/k/1"}, dead); diff != "" {
			t.Error(diff)
		}
	})
}

func TestTheLastWordBeforeTheDeadlineIsAnAttempt(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		var last time.Time
		in := &inbox{fail: func(int, plan.Message) error {
			last = time.Now()
			return refused(notifiers.ServerError, 0)
		}}
		m := message("r", "k", 1, plan.First)
		m.Deadline = time.Now().Add(4 * time.Minute)
		enqueue(t, s, m)
		_, drain := start(t, outbox.Options{
			Queue: s, Receivers: []outbox.Receiver{to("r", in)}, Rand: func() float64 { return 0.999 },
			Backoff: outbox.Backoff{First: 2 * time.Second, Most: time.Hour},
		})
		time.Sleep(5 * time.Minute)
		drain()
		if left := m.Deadline.Sub(last); left < time.Second || left > 3*time.Second || in.tries() > 10 {
			t.Errorf("the last of %d attempts was made %v before the deadline", in.tries(), left)
		}
		if got := states(t, s); got[store.Dead] != 1 {
			t.Errorf("got %v", got)
		}
	})
}

func TestFault62AFinalErrorEndsAtOnceAndOnlyForThatMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{fail: func(_ int, m plan.Message) error {
			if m.Number == 1 {
				return &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: errors.New("invalid_blocks")}
			}
			return nil
		}}
		enqueue(t, s, message("r", "k", 1, plan.First))
		b, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}})
		time.Sleep(time.Second)
		enqueue(t, s, message("r", "k", 2, plan.Worse))
		b.Wake()
		time.Sleep(time.Second)
		drain()
		if diff := cmp.Diff([]string{"r/k/2 worse state2"}, in.said()); diff != "" || in.tries() != 2 {
			t.Error(in.tries(), diff)
		}
	})
}

func TestARetryAfterPastTheDeadlineIsNotWaitedFor(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{fail: func(int, plan.Message) error { return refused(notifiers.RateLimited, 2*time.Hour) }}
		second := &inbox{}
		enqueue(t, s, message("r", "k", 1, plan.First))
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in), to("second", second)}, Fallback: "second"})
		time.Sleep(2 * time.Second)
		if second.arrived() != 1 {
			t.Error("the fallback heard nothing")
		}
		drain()
	})
}

func TestFault63AReceiverThatIsGoneIsDisabledUntilItIsEnabled(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{fail: func(call int, _ plan.Message) error {
			if call == 1 {
				return &notifiers.Error{Reason: notifiers.ClientError, Disable: true, Err: errors.New("410 Gone")}
			}
			return nil
		}}
		second := &inbox{}
		disabled := ""
		b, drain := start(t, outbox.Options{
			Queue: s, Receivers: []outbox.Receiver{to("r", in), to("second", second)}, Fallback: "second",
			Hooks: outbox.Hooks{Disabled: func(r outbox.Receiver, why string) { disabled = r.Name + ": " + why }},
		})
		enqueue(t, s, message("r", "a", 1, plan.First), message("r", "a", 2, plan.Resolved))
		b.Wake()
		time.Sleep(3 * time.Second)
		if in.tries() != 1 || second.arrived() != 2 || disabled != "r: clientError: 410 Gone" {
			t.Errorf("%d calls, the fallback got %v, disabled %q", in.tries(), second.said(), disabled)
		}
		why, err := s.Disabled(t.Context())
		must(t, err)
		if diff := cmp.Diff(map[string]string{"r": "clientError: 410 Gone"}, why); diff != "" {
			t.Error(diff)
		}
		must(t, s.Enable(t.Context(), "r"))
		enqueue(t, s, message("r", "b", 1, plan.First))
		time.Sleep(3 * time.Second)
		if in.arrived() != 1 {
			t.Error("an enabled receiver got nothing")
		}
		drain()
	})
}

func TestAMessageForNobodyEndsAtItsDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T, s *store.Store) {
		in := &inbox{}
		enqueue(t, s, message("removed", "k", 1, plan.First))
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{to("r", in)}, Fallback: "r"})
		time.Sleep(59 * time.Minute)
		if got := states(t, s); got[store.Waiting] != 1 {
			t.Errorf("before its deadline: %v", got)
		}
		time.Sleep(2 * time.Minute)
		drain()
		if diff := cmp.Diff([]string{"removed/k/1~r first state1"}, in.said()); diff != "" {
			t.Error(diff)
		}
	})
}

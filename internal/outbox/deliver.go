package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"time"

	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// deliver makes one attempt and writes what came of it, before anything else of the same key begins.
func (l *lane) deliver(ctx context.Context, c store.Claim, disabled string) {
	now := l.b.o.Now()
	switch {
	case disabled != "":
		l.settle(ctx, l.dead(c, notifiers.ClientError, "the receiver is disabled: "+disabled))
		return
	case !now.Before(c.Message.Deadline):
		l.settle(ctx, l.dead(c, notifiers.DeadlineReached, l.late(c)))
		return
	}
	thread, err := l.attempt(ctx, c)
	if err == nil {
		l.settle(ctx, store.Settlement{
			Claim: c, At: l.b.o.Now(), State: store.Delivered, Thread: thread,
			Fallback: l.fallback(c), Deadline: l.b.o.Now().Add(l.b.o.FallbackFor),
		})
		return
	}
	failed := l.judge(ctx, c, err)
	failed.Thread = thread // what has arrived of it is not sent again
	l.settle(ctx, failed)
}

// attempt calls the notifier once. A panic in it is a failure like any other.
func (l *lane) attempt(ctx context.Context, c store.Claim) (thread json.RawMessage, err error) {
	begin := l.b.o.Now()
	ctx, cancel := context.WithTimeout(ctx, min(l.b.o.Timeout, c.Message.Deadline.Sub(begin)))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			thread, err = nil, fmt.Errorf("the notifier panicked: %v", p)
			l.b.o.Log.Error("a notifier panicked", "receiver", l.r.Name, "panic", p, "stack", string(debug.Stack()))
		}
		end := l.b.o.Now()
		l.b.o.Hooks.Attempted(Attempt{
			Receiver: l.r, Message: c.Message, Number: c.Attempt, Reason: reason(err),
			Took: end.Sub(begin), Waited: end.Sub(c.Enqueued),
		})
	}()
	return l.r.Notifier.Notify(ctx, c.Message, c.Thread)
}

// judge says what a failed attempt means for the message.
func (l *lane) judge(ctx context.Context, c store.Claim, err error) store.Settlement {
	var e *notifiers.Error
	after := time.Duration(0)
	if errors.As(err, &e) {
		after = e.RetryAfter
	}
	now, why := l.b.o.Now(), reason(err)
	out := store.Settlement{
		Claim: c, At: now, State: store.Waiting, Due: now, Reason: why, Error: err.Error(), Arrived: mayHaveArrived(err, why),
	}
	if ctx.Err() != nil { // the service ends: the message is for whoever comes next
		return out
	}
	if notifiers.Final(err) {
		out = l.dead(c, why, err.Error())
		out.Disable = e != nil && e.Disable
		return out
	}
	deadline := c.Message.Deadline
	out.Due = now.Add(l.b.o.Backoff.pause(c.Attempt, after, l.b.o.Rand()))
	if why == notifiers.RateLimited && after > 0 {
		l.pause(now.Add(after)) // the limit is the receiver's, not the message's
	}
	switch {
	case !now.Before(deadline):
		return l.dead(c, why, l.late(c)+": "+err.Error())
	case !now.Add(after).Before(deadline): // so that the fallback hears of it sooner
		return l.dead(c, why, fmt.Sprintf("the receiver wants to be left alone for %v, past the message's deadline: %v", after, err))
	case !out.Due.Before(deadline):
		out.Due = now.Add(max(after, l.b.o.Backoff.last(deadline.Sub(now))))
	}
	return out
}

func (l *lane) late(c store.Claim) string {
	return fmt.Sprintf("not delivered by its deadline, after %d attempts", c.Attempt-1)
}

func (l *lane) dead(c store.Claim, why notifiers.Reason, text string) store.Settlement {
	now := l.b.o.Now()
	return store.Settlement{
		Claim: c, At: now, State: store.Dead, Due: now, Reason: why, Error: text,
		Fallback: l.fallback(c), Deadline: now.Add(l.b.o.FallbackFor),
	}
}

// fallback is who gets what could not be delivered: nobody, where the message is a fallback's already.
func (l *lane) fallback(c store.Claim) string {
	if c.Via != "" || l.r.Fallback == c.Message.Receiver {
		return ""
	}
	return l.r.Fallback
}

// settle writes an outcome however often it takes: a delivery that is not written would be repeated.
func (l *lane) settle(ctx context.Context, o store.Settlement) {
	for try := 1; ; try++ {
		// The outcome is written even while the service ends.
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		err := l.b.o.Queue.Settle(write, o)
		cancel()
		switch {
		case err == nil:
			l.settled(o)
			return
		case errors.Is(err, store.ErrClaimLost):
			l.b.o.Log.Warn("a claim ran out before its outcome was known", "receiver", l.r.Name, "message", o.Claim.Message.ID)
			return
		}
		l.queueFailed(err)
		if errors.Is(err, store.ErrSuperseded) {
			return
		}
		timer := time.NewTimer(l.b.o.Backoff.pause(try, 0, 1))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (l *lane) settled(o store.Settlement) {
	m := o.Claim.Message
	if o.Disable {
		l.b.o.Hooks.Disabled(l.r, o.Error)
		l.b.o.Log.Error("a receiver asked never to be called again; it is disabled until it is enabled by hand or its endpoint changes",
			"receiver", l.r.Name, "error", o.Error)
	}
	if o.State == store.Dead {
		l.b.o.Hooks.DeadLetter(l.r, m, o.Error)
		l.b.o.Log.Error("a message was given up", "receiver", m.Receiver, "message", m.ID, "error", o.Error, "fallback", o.Fallback)
	}
	if o.Fallback != "" {
		l.b.Wake()
	}
}

// reason classes an error for metrics; "" for none.
func reason(err error) notifiers.Reason {
	var e *notifiers.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Reason
	case errors.Is(err, context.DeadlineExceeded):
		return notifiers.DeadlineReached
	case errors.Is(err, context.Canceled):
		return notifiers.Canceled
	}
	return notifiers.Other
}

// mayHaveArrived says that a failed attempt could have reached the reader all the same. An answer that
// refuses did not, and neither did a connection that never came about.
func mayHaveArrived(err error, why notifiers.Reason) bool {
	switch why {
	case notifiers.ClientError, notifiers.ServerError, notifiers.AuthError, notifiers.RateLimited:
		return false
	}
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return false
	}
	var dns *net.DNSError
	return !errors.As(err, &dns)
}

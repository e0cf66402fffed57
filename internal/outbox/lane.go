package outbox

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/store"
)

// lane delivers to one receiver. Lanes share nothing but the queue, so one that hangs holds up no other.
type lane struct {
	b      *Outbox
	r      Receiver
	except []string // set for the lane of receivers that do not exist
	wake   chan struct{}
	done   chan int64

	busy map[int64]bool // claimed here and not settled

	mu     sync.Mutex
	paused time.Time // the receiver wants to be left alone until then
}

func (b *Outbox) lane(r Receiver) *lane {
	l := &lane{b: b, r: r, wake: make(chan struct{}, 1), done: make(chan int64), busy: map[int64]bool{}}
	if r.Name == "" {
		for name := range b.known {
			l.except = append(l.except, name)
		}
	}
	return l
}

// run claims and delivers until it is told to stop, then waits for what it began.
func (l *lane) run(ctx context.Context) {
	failures := 0
	for !l.stopped(ctx) {
		next, err := l.claim(ctx)
		wait := l.b.o.Poll
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			l.queueFailed(err)
			failures++
			wait = max(wait, l.b.o.Backoff.pause(failures, 0, 1))
		} else {
			failures = 0
			if !next.IsZero() {
				wait = min(wait, max(next.Sub(l.b.o.Now()), time.Millisecond))
			}
		}
		l.wait(ctx, wait)
	}
	for len(l.busy) > 0 {
		delete(l.busy, <-l.done)
	}
}

func (l *lane) stopped(ctx context.Context) bool {
	select {
	case <-l.b.stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// claim starts as many deliveries as there is room for, and says when to look again.
func (l *lane) claim(ctx context.Context) (time.Time, error) {
	room := l.r.Parallel - len(l.busy)
	if room <= 0 {
		return time.Time{}, nil
	}
	now, paused := l.b.o.Now(), l.pausedUntil()
	got, err := l.b.o.Queue.Claim(ctx, store.ClaimQuery{
		Receiver: l.r.Name, Except: l.except, Now: now, Limit: room, Owner: l.b.owner, Lease: l.b.o.Lease,
		Busy: l.busy, Expired: paused.After(now),
	})
	if err != nil {
		return time.Time{}, err
	}
	if l.r.Name != "" {
		l.b.o.Hooks.Waiting(l.r, got.Waiting)
	}
	for _, c := range got.Ready {
		l.busy[c.Seq] = true
		go func() {
			l.deliver(ctx, c, got.Disabled)
			l.done <- c.Seq
		}()
	}
	next := got.Next
	if paused.After(now) && (next.IsZero() || paused.Before(next)) {
		next = paused
	}
	return next, nil
}

// wait returns when there may be something to claim.
func (l *lane) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.wake:
	case seq := <-l.done:
		delete(l.busy, seq)
	case <-l.b.stop:
	case <-ctx.Done():
	}
}

func (l *lane) pausedUntil() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.paused
}

func (l *lane) pause(until time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until.After(l.paused) {
		l.paused = until
	}
}

func (l *lane) queueFailed(err error) {
	l.b.o.Hooks.QueueFailed(err)
	l.b.o.Log.Error("the queue of messages failed; it is tried again", "receiver", l.r.Name, "error", err)
	if errors.Is(err, store.ErrSuperseded) {
		l.b.abort(err)
	}
}

// Package outbox delivers the messages that the store keeps: at least once, in order for each receiver
// and key, and for no receiver slower because another one hangs.
package outbox

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

// Notifier delivers one message. It gets the receipt of the message before about the same problem, and
// gives the one to keep; nil keeps the last. Its errors are *notifiers.Error where it knows more.
type Notifier interface {
	Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error)
}

// Queue is where messages wait.
type Queue interface {
	Claim(context.Context, store.ClaimQuery) (store.Claims, error)
	Settle(context.Context, store.Settlement) error
}

// Receiver is somebody to deliver to.
type Receiver struct {
	Name        string
	Integration string // slack, webhook, ...: for metrics
	Notifier    Notifier
	// Fallback is the receiver that gets what this one could not; "" takes Options.Fallback.
	Fallback string
	// Parallel is how many keys are delivered at once; Options.Parallel if 0.
	Parallel int
}

// Options are an outbox's parts and settings. Queue and Receivers must be set.
type Options struct {
	Queue     Queue
	Receivers []Receiver
	// Fallback is the receiver of what could not be delivered, for receivers without one of their own.
	Fallback string
	// FallbackFor is how long the fallback is tried; an hour if 0.
	FallbackFor time.Duration

	Parallel int           // 4 if 0
	Timeout  time.Duration // of one attempt; 30 s if 0
	// Lease is how long a claim outlives its process; Timeout plus 15 s if 0. It must exceed Timeout.
	Lease   time.Duration
	Backoff Backoff
	// Poll is how often the queue is looked at when nobody calls Wake; 1 s if 0.
	Poll time.Duration

	Now   func() time.Time // time.Now if nil
	Rand  func() float64   // in [0, 1), called from several goroutines; math/rand if nil
	Hooks Hooks
	Log   *slog.Logger // silent if nil
}

// Outbox delivers until it is drained.
type Outbox struct {
	o     Options
	owner string
	known map[string]Receiver
	lanes []*lane

	stop  chan struct{} // closed: claim no more
	stops sync.Once
	ended chan struct{} // closed: Run has returned, or never ran
	mu    sync.Mutex
	ran   bool
	abort context.CancelCauseFunc // ends what is in flight
}

// New checks the options.
func New(o Options) (*Outbox, error) {
	if o.Queue == nil {
		return nil, errors.New("outbox: no queue")
	}
	o = o.withDefaults()
	if o.Lease <= o.Timeout {
		return nil, fmt.Errorf("outbox: a lease of %v does not outlast an attempt of %v", o.Lease, o.Timeout)
	}
	b := &Outbox{o: o, owner: rand.Text(), known: map[string]Receiver{}, stop: make(chan struct{}), ended: make(chan struct{})}
	for _, r := range o.Receivers {
		if r.Name == "" || r.Notifier == nil {
			return nil, fmt.Errorf("outbox: receiver %q needs a name and a notifier", r.Name)
		}
		if _, ok := b.known[r.Name]; ok {
			return nil, fmt.Errorf("outbox: two receivers are named %s", r.Name)
		}
		if r.Fallback == "" {
			r.Fallback = o.Fallback
		}
		if r.Parallel <= 0 {
			r.Parallel = o.Parallel
		}
		b.known[r.Name] = r
		b.lanes = append(b.lanes, b.lane(r))
	}
	for _, r := range b.known {
		if _, ok := b.known[r.Fallback]; !ok && r.Fallback != "" {
			return nil, fmt.Errorf("outbox: receiver %s falls back to %s, which does not exist", r.Name, r.Fallback)
		}
	}
	// What waits for a receiver that is gone from the configuration ends at its deadline.
	b.lanes = append(b.lanes, b.lane(Receiver{Fallback: o.Fallback, Parallel: 1}))
	return b, nil
}

func (o Options) withDefaults() Options {
	def := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	def(&o.FallbackFor, time.Hour)
	def(&o.Timeout, 30*time.Second)
	def(&o.Lease, o.Timeout+15*time.Second)
	def(&o.Poll, time.Second)
	o.Backoff = o.Backoff.withDefaults()
	if o.Parallel <= 0 {
		o.Parallel = 4
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = mathrand.Float64
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Hooks = o.Hooks.withDefaults()
	return o
}

// Run delivers until Drain is called, ctx ends, or another process has taken the queue over, which is
// the one error. It may be called once.
func (b *Outbox) Run(ctx context.Context) error {
	b.mu.Lock()
	if b.ran {
		b.mu.Unlock()
		return errors.New("outbox: it has run already")
	}
	b.ran = true
	ctx, b.abort = context.WithCancelCause(ctx)
	b.mu.Unlock()
	defer b.abort(nil)
	defer close(b.ended)
	var all sync.WaitGroup
	for _, l := range b.lanes {
		all.Go(func() { l.run(ctx) })
	}
	all.Wait()
	if err := context.Cause(ctx); errors.Is(err, store.ErrSuperseded) {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// Wake says that messages have been enqueued, so that they need not wait for the next look.
func (b *Outbox) Wake() {
	for _, l := range b.lanes {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Drain claims nothing more, and waits for what is in flight. When ctx ends first, that is cancelled,
// and stays in the queue with all the rest.
func (b *Outbox) Drain(ctx context.Context) error {
	b.stops.Do(func() { close(b.stop) })
	b.mu.Lock()
	ran, abort := b.ran, b.abort
	b.mu.Unlock()
	if !ran {
		return nil
	}
	select {
	case <-b.ended:
		return nil
	case <-ctx.Done():
	}
	abort(errDrained)
	<-b.ended
	return fmt.Errorf("drain the outbox: %w", ctx.Err())
}

var errDrained = errors.New("the service is shutting down")

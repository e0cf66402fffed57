package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/store"
)

// post delivers what is queued on disk and, while that can't be written, in memory. A reload changes
// the receivers: what is in flight is finished, what waits is delivered by the new ones.
type post struct {
	queues []*store.Store
	hooks  outbox.Hooks
	now    func() time.Time
	failed func(error) // another process has taken the queue over

	mu    sync.Mutex
	boxes []*outbox.Outbox
	ended sync.WaitGroup
}

// drainFor is how long a delivery in flight may take when receivers are changed. One that is cut off is
// repeated under the same id.
const drainFor = 10 * time.Second

// deliver goes on with other receivers.
func (p *post) deliver(ctx context.Context, rs []outbox.Receiver) error {
	var next []*outbox.Outbox
	for _, q := range p.queues {
		b, err := outbox.New(outbox.Options{Queue: q, Receivers: rs, Now: p.now, Hooks: p.hooks})
		if err != nil {
			return err
		}
		next = append(next, b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.drain(ctx, drainFor); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	p.boxes = next
	for _, b := range next {
		p.ended.Go(func() {
			// What is queued outlives ctx: Drain decides what is finished.
			if err := b.Run(context.WithoutCancel(ctx)); err != nil {
				p.failed(err)
			}
		})
	}
	return nil
}

// wake says that something has been queued.
func (p *post) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.boxes {
		b.Wake()
	}
}

// shift lets no message wait for the clock to be again where it was before it was set back.
func (p *post) shift(ctx context.Context, by time.Duration, log *slog.Logger) {
	for _, q := range p.queues {
		if err := q.Shift(ctx, by); err != nil && ctx.Err() == nil {
			log.Error("messages that wait cannot be told that the clock was set", "err", err)
		}
	}
	p.wake()
}

// close finishes what is in flight, for a while; the rest stays queued.
func (p *post) close(ctx context.Context) error {
	p.mu.Lock()
	err := p.drain(ctx, drainFor)
	p.mu.Unlock()
	p.ended.Wait()
	return err
}

func (p *post) drain(ctx context.Context, limit time.Duration) error {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer stop()
	var all sync.WaitGroup
	errs := make([]error, len(p.boxes))
	for i, b := range p.boxes {
		all.Go(func() { errs[i] = b.Drain(ctx) })
	}
	all.Wait()
	p.boxes = nil
	return errors.Join(errs...)
}

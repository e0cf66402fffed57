package slack

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/inferdx/inferdx/notifiers"
)

// patience is how long a delivery waits for its turn; beyond it the caller is told to come again.
const patience = 5 * time.Second

// Pacer spaces out the messages of each channel, since Slack takes one a second. It is safe for
// concurrent use.
type Pacer struct {
	every time.Duration
	mu    sync.Mutex
	next  map[string]time.Time // the turn after the last one given away
	left  map[string]time.Time // when the last message really went
}

// NewPacer lets one message through per channel and interval.
func NewPacer(every time.Duration) *Pacer {
	return &Pacer{every: every, next: map[string]time.Time{}, left: map[string]time.Time{}}
}

// wait takes the next turn in a channel.
func (p *Pacer) wait(ctx context.Context, channel string) error {
	p.mu.Lock()
	now := time.Now()
	turn := p.next[channel]
	if turn.Before(now) {
		turn = now
	}
	d := turn.Sub(now)
	if d > patience {
		p.mu.Unlock()
		return &notifiers.Error{Reason: notifiers.RateLimited, RetryAfter: d, Err: fmt.Errorf("slack: the channel takes no message for %s", d.Round(time.Second))}
	}
	p.next[channel] = turn.Add(p.every)
	p.mu.Unlock()
	for {
		if err := sleep(ctx, d); err != nil {
			return err
		}
		if d = p.leave(channel); d <= 0 {
			return nil
		}
	}
}

// leave lets a message go, or says how long it has to wait still: on a busy machine the one before may have woken late.
func (p *Pacer) leave(channel string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if d := p.left[channel].Add(p.every).Sub(now); d > 0 {
		return d
	}
	p.left[channel] = now
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hold keeps a channel quiet for as long as Slack asked.
func (p *Pacer) hold(channel string, d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(d); until.After(p.next[channel]) {
		p.next[channel] = until
	}
}

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
	next  map[string]time.Time
}

// NewPacer lets one message through per channel and interval.
func NewPacer(every time.Duration) *Pacer { return &Pacer{every: every, next: map[string]time.Time{}} }

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
	if d == 0 {
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

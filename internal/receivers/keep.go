package receivers

import (
	"context"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
)

// Keeper is somebody who has to be told again and again what fires.
type Keeper struct {
	// Lane is its name in the outbox, Receiver the receiver's in the routes.
	Lane, Receiver string
	notifier       *alertmanager.Notifier
}

// Every is how often Keep is to be called.
func (k Keeper) Every() time.Duration { return alertmanager.DefaultResend }

// Keep tells what fires now of what the receiver was sent; everything else has ended.
func (k Keeper) Keep(ctx context.Context, firing []model.Diagnosis, now time.Time) error {
	return k.notifier.Keep(ctx, firing, now)
}

// Keepers are the lanes to Alertmanagers, whose alerts end by themselves when they are not kept up.
func (s *Set) Keepers() []Keeper {
	var out []Keeper
	for _, l := range s.lanes {
		if n, ok := l.notifier.(*alertmanager.Notifier); ok {
			out = append(out, Keeper{l.name, l.receiver, n})
		}
	}
	return out
}

package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/store"
)

// mostTransitions bounds what is kept in memory of the transitions that could not be written yet.
const mostTransitions = 10_000

// ticks takes what an evaluation leaves.
type ticks interface {
	Tick(context.Context, store.Tick) error
}

// keeper writes what evaluations leave. While the disk takes nothing, messages go out from memory, and
// all else is written once it can be.
type keeper struct {
	disk  ticks
	spare *store.Store // in memory
	log   *slog.Logger

	mu    sync.Mutex
	since time.Time // when the disk began to fail
	fault error
	owed  []store.Transition
}

// tick writes one evaluation. It fails only where going on makes no sense: when another process has
// taken the store over.
func (k *keeper) tick(ctx context.Context, t store.Tick) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	fresh := t.Transitions
	t.Transitions = append(k.owed[:len(k.owed):len(k.owed)], fresh...)
	err := k.disk.Tick(ctx, t)
	switch {
	case err == nil:
		if k.fault != nil {
			k.log.Info("the store can be written again", "since", k.since)
		}
		k.fault, k.since, k.owed = nil, time.Time{}, nil
		return nil
	case errors.Is(err, store.ErrSuperseded), ctx.Err() != nil:
		return err
	}
	if k.fault == nil {
		k.since = t.At
		k.log.Error("the store cannot be written: messages are sent from memory, and what is remembered would not survive a restart", "err", err)
	}
	k.fault = err
	k.owed = t.Transitions[max(len(t.Transitions)-mostTransitions, 0):]
	return k.spare.Enqueue(ctx, t.At, t.Messages...)
}

// writable says why the store cannot be written, nil when it can.
func (k *keeper) writable() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fault
}

// Package refresh keeps what is known of many things that change seldom, such as the settings of
// servers: each thing is asked for at first sight, again when it may have changed, and now and then.
// What fails is asked ever more seldom, so that a sick server is left alone.
package refresh

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Options say whom to ask and how often. T is what is asked, V the answer.
type Options[T comparable, V any] struct {
	// Ask gets one answer. Its context ends after Timeout. What it gives beside an error is part of an answer.
	Ask func(ctx context.Context, of T) (V, error)
	// Every is how often an answer is renewed; 0 means an hour. A quarter of it is added at random, so
	// that what was first seen together is not renewed together.
	Every time.Duration
	// Timeout of one question; 0 means 5 s.
	Timeout time.Duration
	// AtOnce bounds the questions under way; 0 means 8.
	AtOnce int
	// First is the pause after a failure, doubled by each further one up to Most; 0 means 10 s and 5 min.
	First, Most time.Duration
}

// Keeper holds the answers. It is safe for concurrent use.
type Keeper[T comparable, V any] struct {
	o    Options[T, V]
	wake chan struct{}

	mu    sync.Mutex
	items map[T]*item[V]
	busy  int
}

type item[V any] struct {
	value   V
	known   bool
	err     error // of the last question
	next    time.Time
	asking  bool
	changed bool // while it was asked for
	failed  int  // in a row
}

// New makes a keeper of nothing.
func New[T comparable, V any](o Options[T, V]) *Keeper[T, V] {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&o.Every, time.Hour)
	def(&o.Timeout, 5*time.Second)
	def(&o.First, 10*time.Second)
	def(&o.Most, 5*time.Minute)
	if o.AtOnce <= 0 {
		o.AtOnce = 8
	}
	return &Keeper[T, V]{o: o, wake: make(chan struct{}, 1), items: map[T]*item[V]{}}
}

// Keep says what there is: what is new will be asked for, what is gone is forgotten.
func (k *Keeper[T, V]) Keep(all []T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	items := make(map[T]*item[V], len(all))
	for _, of := range all {
		if items[of] = k.items[of]; items[of] == nil {
			items[of] = &item[V]{}
		}
	}
	k.items = items
	k.poke()
}

// Again drops the answer about something that may have changed and asks anew.
func (k *Keeper[T, V]) Again(of T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.items[of]
	if x == nil {
		return
	}
	*x = item[V]{asking: x.asking, changed: x.asking}
	k.poke()
}

// Get returns the last answer; false where there is none, or part of one. The error is that of the
// last question, and may stand beside an older answer.
func (k *Keeper[T, V]) Get(of T) (V, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.items[of]
	if x == nil {
		var none V
		return none, false, nil
	}
	return x.value, x.known, x.err
}

// Run asks until ctx ends. It returns when the last question is over.
func (k *Keeper[T, V]) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for ctx.Err() == nil {
		of, x, wait := k.due(time.Now())
		if x != nil {
			all.Go(func() { k.ask(ctx, of, x) })
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-k.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// due takes what is overdue for longest, or says how long nothing is.
func (k *Keeper[T, V]) due(now time.Time) (T, *item[V], time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var of T
	var x *item[V]
	for key, y := range k.items {
		if !y.asking && (x == nil || y.next.Before(x.next)) {
			of, x = key, y
		}
	}
	switch {
	case x == nil || k.busy >= k.o.AtOnce:
		return of, nil, k.o.Every // woken before
	case x.next.After(now):
		return of, nil, x.next.Sub(now)
	}
	x.asking = true
	k.busy++
	return of, x, 0
}

func (k *Keeper[T, V]) ask(ctx context.Context, of T, x *item[V]) {
	limited, stop := context.WithTimeout(ctx, k.o.Timeout)
	defer stop()
	v, err := k.o.Ask(limited, of)
	k.mu.Lock()
	defer k.mu.Unlock()
	defer k.poke()
	k.busy--
	x.asking = false
	switch {
	case x.changed: // while it was asked: nobody knows what the answer is about
		x.changed = false
	case ctx.Err() != nil: // that says nothing about the thing
	case err != nil:
		pause := min(k.o.First<<min(x.failed, 20), k.o.Most)
		x.err, x.failed, x.next = err, x.failed+1, time.Now().Add(pause)
		if !x.known {
			x.value = v
		}
	default:
		*x = item[V]{value: v, known: true, next: time.Now().Add(k.o.Every + rand.N(k.o.Every/4+1))} //nolint:gosec // spreads load, guards nothing
	}
}

// poke wakes Run. The lock is held or not, it never blocks.
func (k *Keeper[T, V]) poke() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

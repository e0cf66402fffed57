// Package service is `inferdx serve`: it watches sources, judges what they show at an interval, keeps
// what must not be forgotten and tells people. It owns the goroutines; what it decides is decided by the
// pure packages that it plugs together.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/internal/selfmetrics"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/tail"
	"github.com/inferdx/inferdx/internal/store"
)

// GCPercent is what the garbage collector of a process that serves should be set to: samples live long, and
// at Go's 100 as much memory again would lie waste. At 1,000 servers it costs some hundredths of a core.
const GCPercent = 5

// Options are what a service is started with.
type Options struct {
	Setup *setup.Setup
	// Recordings counts, by cause, the recordings behind it.
	Recordings map[string]int
	Log        *slog.Logger
	// Metrics count what the service does; nil counts for nobody.
	Metrics *selfmetrics.Metrics
	Now     func() time.Time // the wall clock; time.Now if nil
	// ExternalURL is where people reach the service; empty links nowhere.
	ExternalURL string
	// WebConfigFile holds TLS and passwords for the endpoints of traces, Connections bounds those of each; 512 if 0.
	WebConfigFile string
	Connections   int
	// DiscoverEvery is how long changes of targets are gathered; 5 s if 0.
	DiscoverEvery time.Duration
}

// Service watches until it is stopped.
type Service struct {
	o     Options
	log   *slog.Logger
	began time.Time
	clock *clock
	world *world
	disk  *store.Store
	spare *store.Store // in memory
	keep  *keeper
	post  *post

	sources  sources
	scraping scraping
	logs     *tail.Tail
	archive  *archive // of what is scraped; nil where it cannot be kept
	reloads  reloads
	desk     desk
	trials   trials
	journal  journal
	ask      chan struct{} // for a look before the next one is due
	parts    atomic.Pointer[parts]
	view     atomic.Pointer[view]
	ears     atomic.Pointer[receivers.Interactions]
	spans    *spans

	mind       mind           // of the evaluating goroutine
	last       seen           // likewise
	started    starts         // likewise
	suppressed map[string]int // likewise
	said       struct {
		silences []plan.Silence
		acks     map[string]plan.Taken
	}
	over chan error
}

// mind is what an evaluation leaves for the next one. All of it survives a restart.
type mind struct {
	at    time.Time // of the last evaluation, zero before the first one
	state engine.State
	sent  plan.Sent
	looks int // since the start; this alone begins anew
}

// New opens the store and takes up what it remembers. A store that cannot be opened does not keep the
// service from watching: it goes on from memory, and says so.
func New(ctx context.Context, o Options) (*Service, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Metrics == nil {
		o.Metrics = selfmetrics.New("")
	}
	s := &Service{
		o: o, began: o.Now().UTC(), log: o.Log, clock: newClock(o.Now), world: newWorld(texts(o.Setup.Config.Targets.Identity)),
		over: make(chan error, 1), ask: make(chan struct{}, 1), started: starts{},
	}
	s.logs = tail.New(tail.Options{Now: o.Now})
	disk, err := openStore(ctx, o)
	if err != nil {
		return nil, err
	}
	spare, err := store.Open(ctx, store.InMemory, store.Options{Now: o.Now})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open a store in memory: %w", err), disk.Close())
	}
	s.disk, s.spare = disk, spare
	s.keep = &keeper{disk: disk, spare: spare, log: o.Log}
	s.post = &post{queues: []*store.Store{disk, spare}, now: o.Now, hooks: o.Metrics.OutboxHooks(), failed: s.fail}
	var kept store.Sent
	s.mind.state, kept = disk.Load()
	if s.mind.sent, err = plan.Load(kept); err != nil {
		o.Log.Error("what was told of a problem cannot be read: it will be told anew", "err", err)
	}
	s.loadAlerts()
	s.loadTrials()
	s.archive = openArchive(o)
	s.spans = s.newSpans(o)
	p, err := s.newParts(o, o.Setup)
	if err != nil {
		return nil, errors.Join(err, disk.Close(), spare.Close())
	}
	s.parts.Store(p)
	s.adopted(p)
	return s, nil
}

func openStore(ctx context.Context, o Options) (*store.Store, error) {
	path := filepath.Join(o.Setup.Config.Storage.Path, "inferdx.db")
	disk, err := store.Open(ctx, path, store.Options{Now: o.Now})
	var unwritable *store.Unwritable
	if errors.As(err, &unwritable) {
		o.Log.Error("the store cannot be opened: going on from memory, nothing will survive a restart", "path", path, "err", err)
		return store.Open(ctx, store.InMemory, store.Options{Now: o.Now})
	}
	if err != nil {
		return nil, err
	}
	for _, w := range disk.Warnings() {
		o.Log.Warn(w)
	}
	return disk, nil
}

// Run watches until ctx ends, then finishes what is in flight. It fails when it cannot go on, as when
// another process has taken its store over.
func (s *Service) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	s.recallPresent(ctx, s.parts.Load())
	if err := s.start(ctx, &all); err != nil {
		if ctx.Err() != nil { // stopped before it had begun: what broke off for that is no fault
			err = nil
		}
		stop(err)
		all.Wait()
		return errors.Join(err, s.close(ctx))
	}
	s.begin(ctx, s.parts.Load())
	s.upkeep(ctx, &all)
	s.tidy(ctx, &all)
	all.Go(func() { s.logs.Run(ctx) })
	all.Go(func() { s.evaluations(ctx) })
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-s.over:
		stop(failed)
	}
	s.spans.close(ctx)
	s.end()
	all.Wait()
	s.trials.all.Wait() // which looks have started
	return errors.Join(failed, s.close(ctx))
}

// start opens what the service listens with and speaks through.
func (s *Service) start(ctx context.Context, all *sync.WaitGroup) error {
	if err := s.startScraping(ctx, s.parts.Load(), all); err != nil {
		return err
	}
	if err := s.speak(ctx, s.parts.Load().receivers); err != nil {
		return err
	}
	return s.adoptSpans(ctx, s.parts.Load())
}

// close finishes what is in flight and closes the stores.
func (s *Service) close(ctx context.Context) error {
	err := errors.Join(s.post.close(ctx), s.disk.Close(), s.spare.Close())
	if s.archive != nil {
		err = errors.Join(err, s.archive.db.Close())
	}
	return err
}

// evaluations looks at every interval, until ctx ends.
func (s *Service) evaluations(ctx context.Context) {
	plan := schedule{begin: s.clock.elapsed(), interval: s.parts.Load().interval}
	for {
		if now := s.parts.Load().interval; now != plan.interval { // by a reload
			plan = schedule{begin: s.clock.elapsed(), interval: now}
		}
		due, missed := plan.next(s.clock.elapsed())
		if missed > 0 {
			s.o.Metrics.Missed(missed)
			s.log.Warn("evaluations were missed", "missed", missed, "interval", plan.interval)
		}
		if !s.wait(ctx, due) {
			return
		}
		if err := s.evaluate(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("an evaluation failed", "err", err)
			if errors.Is(err, store.ErrSuperseded) {
				s.fail(err)
				return
			}
		}
	}
}

// wait returns when the next look is due, having looked in between when it was asked to; false when ctx
// has ended.
func (s *Service) wait(ctx context.Context, due time.Duration) bool {
	for {
		t := time.NewTimer(max(due-s.clock.elapsed(), 0))
		select {
		case <-ctx.Done():
			t.Stop()
			return false
		case <-t.C:
			return ctx.Err() == nil
		case <-s.ask:
			t.Stop()
			if err := s.evaluate(ctx); err != nil && ctx.Err() == nil {
				s.log.Error("an evaluation failed", "err", err)
			}
		}
	}
}

// sleep is false when ctx has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

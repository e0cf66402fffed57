package service

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/discovery"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// scraping is our own scraping: who is scraped follows discovery.
type scraping struct {
	pool atomic.Pointer[scrape.Pool] // nil until the service runs
	find *discovery.Discovery

	mu      sync.Mutex
	targets []scrape.Target // of now
}

// startScraping scrapes what the configuration names until ctx ends.
func (s *Service) startScraping(ctx context.Context, p *parts, all *sync.WaitGroup) error {
	o := scrape.PoolOptions{Store: s.world, Keep: wanted(p.setup.Content), Now: s.o.Now, Told: s.scraped}
	if s.archive != nil {
		o.Archive = s.archive
	}
	pool := scrape.NewPool(ctx, o)
	s.scraping.pool.Store(pool)
	find, err := discovery.New(ctx, s.log, s.o.DiscoverEvery, s.found)
	if err != nil {
		return err
	}
	if err := find.Apply(p.setup.Config); err != nil {
		return err
	}
	s.scraping.find = find
	all.Go(func() {
		if err := find.Run(ctx); err != nil {
			s.fail(err)
		}
	})
	all.Go(pool.Wait)
	return nil
}

// found takes the targets of now. Those that left are gone: nothing of them is looked at any more.
func (s *Service) found(targets []scrape.Target) {
	s.scraping.mu.Lock()
	s.scraping.targets = targets
	s.parts.Load().known.sync(targets)
	s.scraping.mu.Unlock()
	gone := s.scraping.pool.Load().Sync(targets)
	if len(gone) == 0 {
		return
	}
	left := map[*samples.Instance]bool{}
	s.world.Lock()
	defer s.world.Unlock()
	for _, t := range gone {
		in, _ := s.world.samples.Instance(t.Labels)
		left[in] = true
		s.log.Info("a target is gone", "job", t.Job, "target", t.Labels.Get("instance"))
	}
	s.world.samples.Drop(func(in *samples.Instance) bool { return left[in] })
}

// scraped is told of every scrape.
func (s *Service) scraped(x scrape.Scrape) {
	s.o.Metrics.Scraped(x.Err == nil)
	if x.Err != nil {
		s.log.Debug("a scrape failed", "url", httpclient.Display(x.Target.URL), "err", x.Err)
	}
}

// wanted tells the metrics that the catalogue reads from all others.
func wanted(c *content.Content) func(string) bool {
	names := map[string]bool{}
	for _, n := range c.Signals.Metrics() {
		names[n] = true
	}
	return func(metric string) bool { return names[metric] }
}

// fail ends the service: it cannot go on.
func (s *Service) fail(err error) {
	select {
	case s.over <- fmt.Errorf("inferdx cannot go on: %w", err):
	default: // it ends already
	}
}

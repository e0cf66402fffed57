package service

import (
	"context"
	"crypto/tls"
	"errors"
	"hash/fnv"
	"net"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/selfmetrics"
)

// every calls do at an interval until ctx ends: first after a part of the interval that depends on the
// name, so that what is done for many things is spread out. A call that takes longer leaves calls out.
func (s *Service) every(ctx context.Context, interval time.Duration, name string, do func(context.Context)) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	plan := schedule{begin: s.clock.elapsed() + time.Duration(h.Sum64()%uint64(interval)) - interval, interval: interval}
	for {
		due, missed := plan.next(s.clock.elapsed())
		if missed > 0 {
			s.log.Debug("calls were left out", "of", name, "missed", missed)
		}
		if !sleep(ctx, due-s.clock.elapsed()) {
			return
		}
		do(ctx)
	}
}

// watch starts what keeps the world up to date for some parts. It ends with ctx.
func (s *Service) watch(ctx context.Context, p *parts, all *sync.WaitGroup) {
	s.sources.only(p.sourceNames(), p.logNames()...)
	s.logs.Apply(p.logs)
	if len(p.logs) > 0 {
		all.Go(func() { s.every(ctx, p.interval, "log files", func(context.Context) { s.logsRead() }) })
	}
	s.scraping.mu.Lock()
	p.known.sync(s.scraping.targets)
	s.scraping.mu.Unlock()
	p.known.run(ctx, all)
	s.hear(ctx, p.receivers, all)
	for _, srv := range p.servers {
		all.Go(func() {
			s.poll(ctx, p, srv)
			s.every(ctx, p.interval, srv.name, func(ctx context.Context) { s.poll(ctx, p, srv) })
		})
	}
	if len(p.history.plan.Windows()) > 0 {
		all.Go(func() {
			s.recall(ctx, p)
			s.every(ctx, refresh, "earlier windows", func(ctx context.Context) { s.recall(ctx, p) })
		})
	}
}

// poll brings the world up to date with one server. It takes an interval at most, but for the first
// time, when it reads a whole window.
func (s *Service) poll(ctx context.Context, p *parts, srv *server) {
	limit := p.interval
	if srv.read.IsZero() {
		limit = max(limit, time.Minute)
	}
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	at := s.o.Now()
	faults, err := srv.update(limited, s.world, at)
	if ctx.Err() == nil {
		s.sources.told(srv.name, at, faults, err)
		if err != nil {
			s.o.Metrics.SourceFailed(srv.name, reason(err))
			s.log.Warn("a source cannot be read", "source", srv.name, "err", err)
		}
	}
}

// recall reads the windows that the present is compared with.
func (s *Service) recall(ctx context.Context, p *parts) {
	limited, stop := context.WithTimeout(ctx, refresh)
	defer stop()
	for _, f := range p.history.update(limited, s.o.Now()) {
		s.log.Debug("an earlier window could not be read", "source", f.Source, "err", f.Err)
	}
}

// pruneEvery is how often history beyond the retention is deleted.
const pruneEvery = time.Hour

// forgetEvery is how often samples that no window reaches are dropped. What is kept of it counts: a minute
// more of 300 series is 20 KB of each server.
const forgetEvery = 20 * time.Second

// tidy keeps memory and disk from growing.
func (s *Service) tidy(ctx context.Context, all *sync.WaitGroup) {
	all.Go(func() {
		s.every(ctx, forgetEvery, "forget samples", func(context.Context) {
			p := s.parts.Load()
			s.world.forget(s.o.Now(), p.window+p.offset+forgetEvery)
		})
	})
	all.Go(func() {
		s.every(ctx, pruneEvery, "delete history", func(ctx context.Context) {
			keep := time.Duration(s.parts.Load().setup.Config.Storage.Retention)
			if _, err := s.disk.Prune(ctx, s.o.Now().Add(-keep)); err != nil && ctx.Err() == nil {
				s.log.Error("old history could not be deleted", "err", err)
			}
		})
	})
}

// reason classes why a source could not be read.
func reason(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var cert *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &cert):
		return "tls"
	case errors.As(err, &dns), errors.As(err, &op):
		return "connection"
	}
	return selfmetrics.Other
}

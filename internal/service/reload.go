package service

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/setup"
)

// ErrNotRunning says that there is nothing to load a configuration into yet, or any more.
var ErrNotRunning = errors.New("the service is not running")

// reloads takes configurations while the service runs, one at a time.
type reloads struct {
	mu   sync.Mutex
	ctx  context.Context // of the run; nil when there is none
	stop context.CancelFunc
	all  *sync.WaitGroup // what watches for the parts of now
}

// begin watches for the first parts.
func (s *Service) begin(ctx context.Context, p *parts) {
	r := &s.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ctx = ctx
	s.rewatch(p)
}

// rewatch ends what watches and starts it for other parts. The lock is held.
func (s *Service) rewatch(p *parts) {
	r := &s.reloads
	if r.stop != nil {
		r.stop()
		r.all.Wait()
	}
	var ctx context.Context
	ctx, r.stop = context.WithCancel(r.ctx) //nolint:fatcontext // of the run, not of the last one
	r.all = &sync.WaitGroup{}
	s.watch(ctx, p, r.all)
}

// end waits for what watches, and takes no configuration any more.
func (s *Service) end() {
	r := &s.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stop != nil {
		r.stop()
		r.all.Wait()
	}
	r.ctx = nil
}

// Reload goes on with another configuration. What is remembered and what is queued stays; when it fails,
// all is as it was.
func (s *Service) Reload(next *setup.Setup) error {
	r := &s.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx == nil {
		return ErrNotRunning
	}
	old := s.parts.Load()
	p, err := s.newParts(s.o, next)
	if err != nil {
		return err
	}
	if err := s.scraping.find.Apply(next.Config); err != nil {
		p.receivers.Close()
		return err
	}
	if err := s.speak(r.ctx, p.receivers); err != nil {
		p.receivers.Close()
		return errors.Join(err, s.scraping.find.Apply(old.setup.Config))
	}
	if err := s.adoptSpans(r.ctx, p); err != nil {
		p.receivers.Close()
		return errors.Join(err, s.scraping.find.Apply(old.setup.Config), s.speak(r.ctx, old.receivers), s.adoptSpans(r.ctx, old))
	}
	s.world.Lock()
	if now := texts(next.Config.Targets.Identity); !reflect.DeepEqual(now, s.world.identity) {
		s.world.identity = now // targets have other names now
		s.world.clear()
	}
	s.world.Unlock()
	s.scraping.pool.Load().Keep(wanted(next.Content))
	s.parts.Store(p)
	s.adopted(p)
	s.rewatch(p)
	old.receivers.Close()
	if old.setup.Config.Storage.Path != next.Config.Storage.Path {
		s.log.Warn("another storage.path is used after a restart only", "path", next.Config.Storage.Path)
	}
	return nil
}

// Ready says why the service does not know enough yet: it has not looked, or a source has not been read
// since the start.
func (s *Service) Ready() error {
	v := s.view.Load()
	if v == nil {
		return errors.New("nothing has been looked at yet")
	}
	return nil
}

// Hash is that of the configuration that is used.
func (s *Service) Hash() string { return s.parts.Load().setup.Hash }

// LastLook is when everything was looked at last, zero before the first time.
func (s *Service) LastLook() time.Time {
	if v := s.view.Load(); v != nil {
		return v.at
	}
	return time.Time{}
}

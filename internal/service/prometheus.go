package service

import (
	"context"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
)

// server is a Prometheus-compatible server that the world is kept up to date from. It is asked for what
// is new only, and again for what it may have got late.
type server struct {
	name    string
	client  promapi.Options
	sel     promapi.Selection // without the time
	overlap time.Duration

	read   time.Time // until when everything was read
	resets int       // of the world that it was read into
}

func newServer(c *config.Prometheus, names, identity []string, window, interval time.Duration) *server {
	s := &server{
		name:   c.Name,
		client: promapi.Options{Options: c.Options(), URL: string(c.URL), Timeout: time.Duration(c.Timeout), Concurrency: c.Concurrency, BodyLimit: int64(c.BodySizeLimit)},
		sel:    promapi.Selection{Window: window, Names: names, Identity: identity},
		// Remote write and rule evaluation bring samples some scrapes late without being asked to.
		overlap: max(4*interval, time.Minute),
	}
	if len(c.Match) > 0 {
		for _, m := range c.Match {
			s.sel.Matchers = append(s.sel.Matchers, m.String())
		}
	}
	return s
}

// update reads what is new up to a time into the world. A read that brought only a part is done again
// by the next one.
func (s *server) update(ctx context.Context, w *world, at time.Time) ([]model.Fault, error) {
	w.Lock()
	resets := w.resets
	w.Unlock()
	sel := s.sel
	sel.At = at
	if s.resets == resets && s.read.Before(at) {
		sel.Window = min(at.Sub(s.read)+s.overlap, s.sel.Window)
	}
	got, faults, err := promapi.Fetch(ctx, s.client, sel)
	if err != nil {
		return faults, err
	}
	w.Lock()
	defer w.Unlock()
	if w.resets != resets {
		return faults, nil
	}
	w.samples.Absorb(got)
	if s.resets = resets; len(faults) == 0 {
		s.read = at
	}
	return faults, nil
}

// Read gives the samples of a window that ended at a time.
func (s *server) Read(ctx context.Context, w excerpt) (*samples.Store, []model.Fault, error) {
	sel := s.sel
	sel.At, sel.Window, sel.Sparse = w.at, w.window, w.sparse
	if w.names != nil {
		sel.Names = w.names
	}
	st, faults, err := promapi.Fetch(ctx, s.client, sel)
	if err == nil && w.only != nil {
		st.Drop(func(in *samples.Instance) bool { return !w.only(in.Labels) })
	}
	return st, faults, err
}

package service

import (
	"context"
	"time"

	"github.com/inferdx/inferdx/internal/store"
)

// evaluate looks once and keeps what came of it.
func (s *Service) evaluate(ctx context.Context) error {
	p := s.parts.Load()
	at, jump := s.clock.look()
	old, hold := s.mind.state, s.mind.at.IsZero() || at.Sub(s.mind.at).Abs() > gap || jump != 0
	if jump != 0 {
		s.log.Warn("the clock was set: nothing that was remembered ends by that", "by", jump)
	}
	if jump < 0 { // samples of the future would be taken for those of now
		s.world.Lock()
		s.world.clear()
		s.world.Unlock()
		old = old.Shift(jump)
	}
	got, err := s.look(p, at, old, hold)
	if err != nil {
		return err
	}
	return s.remember(ctx, at, got)
}

// remember writes what a look gave and tells what is to be told.
func (s *Service) remember(ctx context.Context, at time.Time, got seen) error {
	t := store.Tick{At: at, State: got.state, Transitions: got.changes, Diagnoses: observed(got)}
	for _, h := range s.sources.all() {
		if h.dead() {
			t.Diagnoses = append(t.Diagnoses, store.Observed{Diagnosis: blind(h, at)})
		}
	}
	if err := s.keep.tick(ctx, t); err != nil {
		return err
	}
	s.mind.at, s.mind.state, s.last = at, got.state, got
	s.post.wake()
	return nil
}

func observed(got seen) []store.Observed {
	out := make([]store.Observed, 0, len(got.diagnoses))
	for i, d := range got.diagnoses {
		out = append(out, store.Observed{Diagnosis: d, Signals: got.figures[i]})
	}
	return out
}

package service

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
)

// endpoints is the name under which the store keeps what the ways to receivers led to.
const endpoints = "endpoints"

// speak delivers through other receivers from now on. Where that fails, those of before go on.
func (s *Service) speak(ctx context.Context, rs *receivers.Set) error {
	if err := s.enable(ctx, rs.Fingerprints()); err != nil {
		return err
	}
	return s.post.deliver(ctx, rs.Receivers())
}

// enable lets ways be used again that asked never to be: those that lead somewhere else now.
func (s *Service) enable(ctx context.Context, now map[string]string) error {
	disabled, err := s.disk.Disabled(ctx)
	if err != nil || len(disabled) == 0 {
		return err
	}
	var before map[string]string
	if text := s.disk.Parts()[endpoints]; text != nil {
		if err := json.Unmarshal(text, &before); err != nil {
			return err
		}
	}
	for name := range disabled {
		if before[name] != now[name] {
			if err := s.disk.Enable(ctx, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// upkeep tells Alertmanagers again and again what they were told of, so that it does not end there by itself.
func (s *Service) upkeep(ctx context.Context, all *sync.WaitGroup) {
	all.Go(func() { s.every(ctx, alertmanager.DefaultResend, "keep alerts", s.keepUp) })
}

func (s *Service) keepUp(ctx context.Context) {
	v := s.view.Load()
	if v == nil {
		return // nobody knows yet what goes on
	}
	for _, k := range s.parts.Load().receivers.Keepers() {
		limited, stop := context.WithTimeout(ctx, k.Every()/2)
		if err := k.Keep(limited, v.sent.Lasting(k.Receiver, v.diagnoses), s.o.Now()); err != nil && ctx.Err() == nil {
			s.log.Warn("Alertmanagers could not be told what still fires", "receiver", k.Receiver, "err", err)
		}
		stop()
	}
}

// view is what others may see of the last look.
type view struct {
	at        time.Time
	report    *model.Report
	diagnoses []model.Diagnosis // those of sources included
	sent      plan.Sent         // after it
}

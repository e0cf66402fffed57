package service

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/alerts"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/store"
)

// alertsPart is the name under which the store keeps the alerts that are active.
const alertsPart = "alerts"

// desk keeps the alerts that others have raised.
type desk struct {
	mu     sync.Mutex
	active alerts.Active
}

// loadAlerts takes up the alerts that were active when the service was stopped.
func (s *Service) loadAlerts() {
	if text := s.disk.Parts()[alertsPart]; text != nil {
		if err := json.Unmarshal(text, &s.desk.active); err != nil {
			s.log.Error("the alerts that were active cannot be read: they will be said again", "err", err)
		}
	}
}

// take keeps alerts, on disk before the sender is told: Alertmanager says them again hours later only.
func (s *Service) take(all []alerts.Alert) error {
	now := s.o.Now()
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	was := s.desk.active
	next, ok := was.Expire(now).Apply(all, now)
	if !ok {
		return alerts.ErrFull
	}
	text, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := s.keep.tick(context.Background(), store.Tick{At: now, Parts: map[string]json.RawMessage{alertsPart: text}}); err != nil {
		return err
	}
	s.desk.active = next
	if !sameAlerts(was, next) {
		s.hurry()
	}
	return nil
}

// sameAlerts says that none came and none ended: senders say the same again and again.
func sameAlerts(a, b alerts.Active) bool {
	for id := range a {
		if _, ok := b[id]; !ok {
			return false
		}
	}
	return len(a) == len(b)
}

// tickWithAlerts writes an evaluation and the alerts that are active by then: none that was taken meanwhile may
// be written over.
func (s *Service) tickWithAlerts(ctx context.Context, t store.Tick) error {
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	t.Parts[alertsPart] = json.RawMessage("{}")
	if len(s.desk.active) > 0 {
		text, err := json.Marshal(s.desk.active)
		if err != nil {
			return fmt.Errorf("keep the alerts that are active: %w", err)
		}
		t.Parts[alertsPart] = text
	}
	return s.keep.tick(ctx, t)
}

// hurry asks for a look before the next one is due, as there is something new to tell. Several questions
// are one.
func (s *Service) hurry() {
	select {
	case s.ask <- struct{}{}:
	default:
	}
}

// AlertHandlers are the handlers of the receiver, by their pattern. token may be nil.
func (s *Service) AlertHandlers(token func() (string, error)) map[string]http.Handler {
	return alerts.Handler(alerts.Options{
		Take: s.take, Token: token, Now: s.o.Now,
		ResolveTimeout: func() time.Duration { return time.Duration(s.parts.Load().setup.Config.Global.ResolveTimeout) },
		Told: func(_ string, taken, dropped int, refused string) {
			m := s.o.Metrics
			m.Received("accepted", taken)
			m.Received("own", dropped)
			if result, ok := map[string]string{"unauthorized": "unauthorized", "too large": "too_large", "busy": "overloaded", "full": "overloaded", "malformed": "invalid"}[refused]; ok {
				m.Received(result, 1)
			}
		},
	})
}

// lookBack bounds the time that an evaluation may spend on reading what was when alerts began.
const lookBack = 5 * time.Second

// enrich adds the alerts that are active to what was seen.
func (s *Service) enrich(ctx context.Context, p *parts, at time.Time, ds []model.Diagnosis) []model.Diagnosis {
	s.lookAtNew(ctx, p, at, ds)
	s.desk.mu.Lock()
	active := s.desk.active // a change makes another one
	s.desk.mu.Unlock()
	if len(active) == 0 {
		return ds
	}
	return alerts.Enrich(ds, active.Sorted())
}

// lookAtNew finds out what was when the alerts began that have come since the last look. Meanwhile others
// are taken.
func (s *Service) lookAtNew(ctx context.Context, p *parts, at time.Time, ds []model.Diagnosis) {
	s.desk.mu.Lock()
	s.desk.active = s.desk.active.Expire(at)
	fresh := map[string]alerts.Alert{}
	for id, a := range s.desk.active {
		if !a.Looked {
			fresh[id] = a
		}
	}
	s.desk.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	targets := make([]map[string]string, len(ds))
	for i, d := range ds {
		targets[i] = d.Target
	}
	ctx, stop := context.WithTimeout(ctx, lookBack)
	defer stop()
	for id, a := range fresh {
		if a.Looked = true; at.Sub(a.StartsAt) > time.Minute {
			for _, i := range alerts.Match(a, targets) {
				if a.Then = s.then(ctx, p, a.StartsAt, ds[i]); a.Then != "" || ctx.Err() != nil {
					break
				}
			}
		}
		fresh[id] = a
	}
	s.desk.mu.Lock()
	defer s.desk.mu.Unlock()
	next := maps.Clone(s.desk.active)
	for id, a := range fresh {
		if now, ok := next[id]; ok {
			now.Looked, now.Then = a.Looked, a.Then
			next[id] = now
		}
	}
	s.desk.active = next
}

// then says what was found of a server at the time at which an alert about it began, where it is not
// seen any more.
func (s *Service) then(ctx context.Context, p *parts, began time.Time, now model.Diagnosis) string {
	if slices.ContainsFunc(now.Causes, func(c model.Cause) bool { return c.Primary }) {
		return ""
	}
	only := func(in model.Labels) bool {
		for _, l := range in {
			if now.Target[l.Name] != l.Value {
				return false
			}
		}
		return true
	}
	at := began.Add(time.Minute) // alerts begin before they are said, and their evidence grows
	st, _, err := p.past.Read(ctx, excerpt{at: at, window: p.window, only: only})
	if err != nil {
		return ""
	}
	r := p.request
	r.At, r.Window = at, p.window
	for _, d := range p.pipeline.Diagnose(st, r).Targets {
		for _, c := range d.Causes {
			if c.Primary {
				return fmt.Sprintf("when the alert began, at %s, it was: %s (%s, score %.2f)", began.UTC().Format(time.RFC3339), c.Title, c.ID, c.Score)
			}
		}
	}
	return ""
}

// Package receivers makes what messages are delivered to of a configuration.
package receivers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/template"
)

// Options are what receivers need beside their configuration.
type Options struct {
	// Templates are the users' templates by the path of their file.
	Templates map[string][]byte
	// ExternalURL is where people reach this inferdx; empty links nowhere.
	ExternalURL string
	Log         *slog.Logger
	Now         func() time.Time
}

// Set are the receivers of a configuration.
type Set struct {
	lanes        map[string][]lane // by the receiver's name
	order        []string
	fallbacks    map[string]string
	Keepers      []*alertmanager.Notifier
	Interactions []slack.InteractionOptions // without who is told of answers
	words        *template.Set
	o            Options
	close        []func()
}

// lane is one way to reach a receiver. Each is a queue of its own, so that none waits for another.
type lane struct {
	outbox.Receiver

	sendResolved bool
	endpoint     string
}

// Build makes the receivers. Secrets are read when they are used, not here.
func Build(c *config.Config, o Options) (*Set, error) {
	words, err := template.Load(template.Options{Texts: o.Templates, Link: link(o.ExternalURL)})
	if err != nil {
		return nil, err
	}
	s := &Set{lanes: map[string][]lane{}, fallbacks: map[string]string{}, words: words, o: o}
	b := &builder{Set: s, c: c, pacers: map[string]*slack.Pacer{}}
	for _, r := range c.Receivers {
		if err := b.receiver(r); err != nil {
			s.Close()
			return nil, fmt.Errorf("receiver %s: %w", r.Name, err)
		}
	}
	if c.Route != nil {
		s.fallback(c.Route)
	}
	return s, nil
}

// Outbox are the receivers as the outbox wants them.
func (s *Set) Outbox() []outbox.Receiver {
	var out []outbox.Receiver
	for _, name := range s.order {
		for _, l := range s.lanes[name] {
			r := l.Receiver
			if to := s.lanes[s.fallbacks[name]]; len(to) > 0 {
				r.Fallback = to[0].Name
			}
			out = append(out, r)
		}
	}
	return out
}

// Expand gives the messages for the ways to reach their receivers: the plan knows receivers only.
func (s *Set) Expand(ms []plan.Message) []plan.Message {
	var out []plan.Message
	for _, m := range ms {
		for _, l := range s.lanes[m.Receiver] {
			if m.Reason == plan.Resolved && !l.sendResolved {
				continue
			}
			x := m
			if x.Receiver = l.Name; l.Name != m.Receiver {
				x.ID = m.ID + "-" + l.Integration + l.Name[len(m.Receiver):]
			}
			out = append(out, x)
		}
	}
	return out
}

// Endpoints are, by the name of a way, what it leads to: when that changes, an endpoint that asked never
// to be called again is another one.
func (s *Set) Endpoints() map[string]string {
	out := map[string]string{}
	for _, ls := range s.lanes {
		for _, l := range ls {
			out[l.Name] = l.endpoint
		}
	}
	return out
}

// Names lists the receivers in their order.
func (s *Set) Names() []string { return s.order }

// Close drops idle connections.
func (s *Set) Close() {
	for _, f := range s.close {
		f()
	}
}

// fallback takes the fallback that a route names for its receiver; the outermost route wins.
func (s *Set) fallback(r *config.Route) {
	if _, known := s.fallbacks[r.Receiver]; !known && r.Fallback != "" {
		s.fallbacks[r.Receiver] = r.Fallback
	}
	for _, child := range r.Routes {
		s.fallback(child)
	}
}

// Send delivers a message to every way of its receiver at once, without the outbox, and says what came
// of each.
func (s *Set) Send(ctx context.Context, m plan.Message) []Sent {
	var out []Sent
	for _, x := range s.Expand([]plan.Message{m}) {
		for _, l := range s.lanes[m.Receiver] {
			if l.Name == x.Receiver {
				_, err := l.Notifier.Notify(ctx, x, nil)
				out = append(out, Sent{Name: l.Name, Integration: l.Integration, Err: err})
			}
		}
	}
	return out
}

// Sent is what came of a delivery.
type Sent struct {
	Name, Integration string
	Err               error
}

// Hear makes what hears answers: handlers for the buttons by HTTP, and what runs until ctx ends.
func (s *Set) Hear(answer func(context.Context, notifiers.Answer) error) ([]http.Handler, []func(context.Context) error, error) {
	var handlers []http.Handler
	var runs []func(context.Context) error
	var errs []error
	for _, o := range s.Interactions {
		o.Answer = answer
		i, err := slack.NewInteractions(o)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if o.SigningSecret != nil {
			handlers = append(handlers, i)
		}
		if o.AppToken != nil {
			runs = append(runs, i.Run)
		}
	}
	return handlers, runs, errors.Join(errs...)
}

func link(external string) func(plan.Message) string {
	if external == "" {
		return nil
	}
	return func(plan.Message) string { return external }
}

// Package receivers makes what the configuration says of receivers into lanes of the outbox: one for each
// way of a receiver to get messages.
package receivers

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/template"
)

// Options are what the configuration does not say.
type Options struct {
	// ExternalURL is where people find this server; messages link there. "" links nowhere.
	ExternalURL string
	// Link gives the page about a message; nil means ExternalURL.
	Link  func(plan.Message) string
	Now   func() time.Time // time.Now if nil
	Log   *slog.Logger     // silent if nil
	Hooks Hooks
}

// Hooks are told what no delivery fails of. They are called from several goroutines; any may be nil.
type Hooks struct {
	// Fault is told of what went wrong beside a delivery, such as a template that failed, and of whose lane.
	Fault func(lane string, err error)
}

// Set are the receivers of one configuration. It is safe for concurrent use.
type Set struct {
	o     Options
	words *template.Set
	lanes []*lane
	// extra are the lanes that tell all of a receiver's, for fallbacks.
	extra []outbox.Receiver
	by    map[string][]*lane // by the receiver's name
}

// Build makes every receiver. The error lists all that cannot work, such as a secret's file that is missing
// and faults of template files, which are named.
func Build(cfg *config.Config, templates map[string][]byte, o Options) (*Set, error) {
	o = o.withDefaults()
	words, err := template.Load(template.Options{Texts: templates, Link: o.Link})
	if err != nil {
		return nil, fmt.Errorf("message templates: %w", err)
	}
	s := &Set{o: o, words: words, by: map[string][]*lane{}}
	b := builder{set: s, labels: map[string]string{}, pacers: map[string]*slack.Pacer{}}
	for name, v := range cfg.Global.ExternalLabels {
		b.labels[string(name)] = v
	}
	var faults []error
	for _, r := range cfg.Receivers {
		for _, l := range integrations(r) {
			if err := b.build(l); err != nil {
				faults = append(faults, fmt.Errorf("receiver %s: %w", l.name, err))
				continue
			}
			s.lanes = append(s.lanes, l)
			s.by[r.Name] = append(s.by[r.Name], l)
		}
	}
	if len(faults) > 0 {
		s.Close()
		return nil, errors.Join(faults...)
	}
	s.fallBack(cfg)
	return s, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Hooks.Fault == nil {
		o.Hooks.Fault = func(string, error) {}
	}
	if o.Link == nil {
		o.Link = func(plan.Message) string { return o.ExternalURL }
	}
	return o
}

// Receivers are the lanes, for the outbox.
func (s *Set) Receivers() []outbox.Receiver {
	var out []outbox.Receiver
	for _, l := range s.lanes {
		out = append(out, outbox.Receiver{Name: l.name, Integration: l.kind, Notifier: l.notifier, Fallback: l.fallback})
	}
	return append(out, s.extra...)
}

// Lanes are the names of a receiver's lanes: its own where it has one way to get messages.
func (s *Set) Lanes(receiver string) []string {
	var out []string
	for _, l := range s.by[receiver] {
		out = append(out, l.name)
	}
	return out
}

// Owner is the receiver that a lane belongs to, as routes call it.
func (s *Set) Owner(lane string) string {
	for _, l := range s.lanes {
		if l.name == lane {
			return l.receiver
		}
	}
	return lane
}

// Fan makes of a planned message one for each lane of its receiver that wants it. Each has an id of its own,
// the same whenever it is made; keys and numbers stay, as they count within a lane.
func (s *Set) Fan(m plan.Message) []plan.Message {
	var out []plan.Message
	for _, l := range s.by[m.Receiver] {
		if m.Reason == plan.Resolved && !l.resolved {
			continue
		}
		one := m
		one.Receiver = l.name
		if l.suffix != "" {
			one.ID += "/" + l.suffix
		}
		out = append(out, one)
	}
	return out
}

// Close drops idle connections.
func (s *Set) Close() {
	for _, l := range s.lanes {
		l.close()
	}
}

// fault is told to the hook and to the log.
func (s *Set) fault(lane string, err error) {
	s.o.Hooks.Fault(lane, err)
	s.o.Log.Warn("a fault beside a delivery", "receiver", lane, "error", err)
}

package receivers

import (
	"cmp"
	"fmt"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/outbox"
)

// lane is one way of a receiver to get messages.
type lane struct {
	receiver string // as routes call it
	name     string // as the outbox calls it
	suffix   string // what tells it from the receiver's other lanes, "" where there is none
	kind     string // slack, webhook, ...
	config   any    // *config.Slack, *config.Webhook, ...
	resolved bool
	fallback string
	notifier outbox.Notifier
	closers  []interface{ Close() }
}

func (l *lane) close() {
	for _, c := range l.closers {
		c.Close()
	}
}

// integrations are a receiver's lanes, before they are built, in the order of the file's fields.
func integrations(r *config.Receiver) []*lane {
	var out []*lane
	out = gather(out, "slack", r.Slack, func(c *config.Slack) *bool { return c.SendResolved })
	out = gather(out, "webhook", r.Webhook, func(c *config.Webhook) *bool { return c.SendResolved })
	out = gather(out, "alertmanager", r.Alertmanager, func(c *config.Alertmanager) *bool { return c.SendResolved })
	out = gather(out, "pagerduty", r.PagerDuty, func(c *config.PagerDuty) *bool { return c.SendResolved })
	out = gather(out, "shoutrrr", r.Shoutrrr, func(c *config.Shoutrrr) *bool { return c.SendResolved })
	for _, l := range out {
		l.receiver, l.name = r.Name, r.Name
		if len(out) == 1 {
			l.suffix = ""
		} else {
			l.name += "/" + l.suffix
		}
	}
	return out
}

func gather[T any](to []*lane, kind string, list []*T, resolved func(*T) *bool) []*lane {
	for i, c := range list {
		wanted := resolved(c)
		to = append(to, &lane{suffix: fmt.Sprintf("%s[%d]", kind, i), kind: kind, config: c, resolved: wanted == nil || *wanted})
	}
	return to
}

// fallBack gives each lane the fallback of the first route that sends to its receiver and names one. A
// fallback of several lanes is reached by a lane of its own, under the receiver's name, that tells them all.
// What was enqueued for such a receiver while it had a single lane goes there, too.
func (s *Set) fallBack(cfg *config.Config) {
	to := map[string]string{}
	s.fallbacks(cfg.Route, to)
	for _, l := range s.lanes {
		if len(s.by[to[l.receiver]]) > 0 {
			l.fallback = to[l.receiver]
		}
	}
	for _, r := range cfg.Receivers {
		if all := s.by[r.Name]; len(all) > 1 {
			s.extra = append(s.extra, outbox.Receiver{Name: r.Name, Integration: "all", Notifier: &everyone{set: s, lanes: all}, Fallback: all[0].fallback})
		}
	}
}

func (s *Set) fallbacks(r *config.Route, to map[string]string) {
	if r == nil {
		return
	}
	switch before := to[r.Receiver]; {
	case r.Fallback == "" || r.Fallback == r.Receiver:
	case before != "" && before != r.Fallback:
		s.o.Log.Warn("two routes give a receiver different fallbacks: the first counts", "receiver", r.Receiver, "fallback", before, "ignored", r.Fallback)
	default:
		to[r.Receiver] = cmp.Or(before, r.Fallback)
	}
	for _, child := range r.Routes {
		s.fallbacks(child, to)
	}
}

package service

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

// How long delivery is tried. Where somebody else can be told, soon enough that this is of use at night;
// else as long as the news is worth something: a repeat_interval of Alertmanager's default, and what it
// holds back meanwhile is folded into one message.
const (
	deadlineWithFallback = 10 * time.Minute
	deadline             = 4 * time.Hour
)

// policyOf is the notification plan's policy of a configuration.
func policyOf(c *config.Config) *plan.Policy {
	p := &plan.Policy{External: map[string]string{}}
	for name, v := range c.Global.ExternalLabels {
		p.External[string(name)] = v
	}
	for _, i := range c.InhibitRules {
		p.Inhibit = append(p.Inhibit, plan.Inhibition{
			Source: matchers.Matchers(i.SourceMatchers), Target: matchers.Matchers(i.TargetMatchers), Equal: texts(i.Equal),
		})
	}
	if c.Route != nil {
		hours := map[string]plan.Hours{}
		for _, t := range c.TimeIntervals {
			hours[t.Name] = t
		}
		p.Root = routeOf(c.Route, hours)
	}
	return p
}

func routeOf(c *config.Route, hours map[string]plan.Hours) *plan.Route {
	r := &plan.Route{
		Receiver: c.Receiver, Matchers: c.Conditions(), Continue: c.Continue,
		Wait: time.Duration(*c.GroupWait), Interval: time.Duration(c.GroupInterval), Repeat: time.Duration(c.RepeatInterval),
		Deadline: deadline,
	}
	if c.Fallback != "" {
		r.Deadline = deadlineWithFallback
	}
	for _, name := range *c.GroupBy {
		if r.ByAll = name == "..."; !r.ByAll {
			r.GroupBy = append(r.GroupBy, name)
		}
	}
	for _, name := range c.MuteTimeIntervals {
		r.Muted = append(r.Muted, hours[name])
	}
	for _, name := range c.ActiveTimeIntervals {
		r.Active = append(r.Active, hours[name])
	}
	for _, child := range c.Routes {
		r.Routes = append(r.Routes, routeOf(child, hours))
	}
	return r
}

// said is what people said that the plan has to heed.
func said(ctx context.Context, s *store.Store, at time.Time) ([]plan.Silence, map[string]plan.Ack, error) {
	stored, err := s.Silences(ctx, at)
	if err != nil {
		return nil, nil, err
	}
	var silences []plan.Silence
	for _, x := range stored {
		ms, err := matchersOf(x.Matchers)
		if err != nil {
			return nil, nil, fmt.Errorf("silence %s: %w", x.ID, err)
		}
		silences = append(silences, plan.Silence{Matchers: ms, From: x.Starts, To: x.Ends})
	}
	taken, err := s.Acknowledgements(ctx)
	if err != nil {
		return nil, nil, err
	}
	acks := map[string]plan.Ack{}
	for key, a := range taken {
		acks[key] = plan.Ack{Acknowledgement: plan.Acknowledgement{By: a.By, At: a.At}, Severity: a.Severity}
	}
	return silences, acks, nil
}

// matchersOf reads the matchers of a stored silence: a list of texts.
func matchersOf(text json.RawMessage) (matchers.Matchers, error) {
	var texts []string
	if err := json.Unmarshal(text, &texts); err != nil {
		return nil, err
	}
	var out matchers.Matchers
	for _, t := range texts {
		ms, err := matchers.Parse(t)
		if err != nil {
			return nil, err
		}
		out = append(out, ms...)
	}
	return out, nil
}

// sentOf reads what the store kept of the plan. What cannot be read is left out: it would be told again.
func sentOf(kept store.Sent) (plan.Sent, []error) {
	out := plan.Sent{}
	var errs []error
	for k, text := range kept {
		g, err := plan.Decode(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", k.Receiver, k.Key, err))
			continue
		}
		out[plan.GroupID{Receiver: k.Receiver, Key: k.Key}] = g
	}
	return out, errs
}

func keptOf(sent plan.Sent) (store.Sent, error) {
	out := store.Sent{}
	for id, g := range sent {
		text, err := g.Encode()
		if err != nil {
			return nil, err
		}
		out[store.SentKey{Receiver: id.Receiver, Key: id.Key}] = text
	}
	return out, nil
}

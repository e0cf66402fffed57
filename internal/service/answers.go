package service

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

// Answer takes what a person said about a problem.
func (s *Service) Answer(ctx context.Context, a notifiers.Answer) error {
	m, err := s.message(ctx, a.Key, a.Receiver)
	if err != nil {
		return err
	}
	switch a.Kind {
	case notifiers.Acknowledge:
		return s.disk.Acknowledge(ctx, store.Acknowledgement{Key: a.Key, By: a.User, At: a.At, Severity: m.Severity})
	case notifiers.Silence:
		return s.silence(ctx, a, m)
	default:
		if a.Kind == notifiers.Applied {
			s.press(m, a.Cause, a.User, a.At)
		}
		err := s.disk.AddAnswer(ctx, store.Answer{Answer: a})
		s.trials.mu.Lock()
		s.trials.stale = true
		s.trials.mu.Unlock()
		return err
	}
}

// message is the last one about a problem that a receiver got, by whichever of its ways.
func (s *Service) message(ctx context.Context, key, receiver string) (plan.Message, error) {
	all, err := s.disk.Notifications(ctx, store.NotificationQuery{Key: key})
	if err != nil {
		return plan.Message{}, err
	}
	for _, n := range all {
		if owner := s.parts.Load().receivers.Owner(n.Message.Receiver); owner == receiver || receiver == "" {
			return n.Message, nil
		}
	}
	return plan.Message{}, fmt.Errorf("nothing is known of the problem %q: its history may have been deleted", key)
}

// silence keeps messages about the targets of a message back.
func (s *Service) silence(ctx context.Context, a notifiers.Answer, m plan.Message) error {
	ms, err := about(m)
	if err != nil {
		return err
	}
	texts := make([]string, len(ms))
	for i, x := range ms {
		texts[i] = x.String()
	}
	text, err := json.Marshal(texts)
	if err != nil {
		return err
	}
	return s.disk.SetSilence(ctx, store.Silence{
		ID: rand.Text(), Matchers: text, Starts: a.At, Ends: a.At.Add(a.For), CreatedBy: a.User, Comment: "by a button, about " + a.Key,
	})
}

// about are matchers for the targets of a message: of each label that all of them have, any of their
// values. A message without a target that can be told matches nothing, which is an error.
func about(m plan.Message) (matchers.Matchers, error) {
	values := map[string][]string{}
	for _, d := range m.Diagnoses {
		for name, v := range d.Target {
			if !slices.Contains(values[name], v) {
				values[name] = append(values[name], v)
			}
		}
	}
	var out matchers.Matchers
	for _, name := range []string{"namespace", "job", "instance", "pod", "model_name", "source"} {
		vs := values[name]
		if len(vs) == 0 || slices.ContainsFunc(m.Diagnoses, lacks(name)) {
			continue
		}
		x, err := one(name, vs)
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("the targets of this message have no label in common to silence them by")
	}
	return out, nil
}

func one(name string, values []string) (matchers.Matcher, error) {
	if len(values) == 1 {
		return matchers.New(name, matchers.Equal, values[0])
	}
	slices.Sort(values)
	for i, v := range values {
		values[i] = regexp.QuoteMeta(v)
	}
	return matchers.New(name, matchers.Like, strings.Join(values, "|"))
}

func lacks(name string) func(model.Diagnosis) bool {
	return func(d model.Diagnosis) bool { return d.Target[name] == "" }
}

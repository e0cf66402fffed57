// Package pagerduty turns messages into events of PagerDuty's Events API, version 2: a problem triggers
// an incident, what follows adds to it, recovery resolves it.
package pagerduty

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// DefaultURL is where PagerDuty takes events; its European region has another one.
const DefaultURL = "https://events.pagerduty.com/v2/enqueue"

// Texts says a message in words.
type Texts interface {
	// Title is one line.
	Title(plan.Message) string
}

// Options are a receiver's.
type Options struct {
	RoutingKey secret.Text
	URL        string // empty means DefaultURL
	Links      []Link
	HTTP       send.Options
	Texts      Texts
}

// Link is shown in the incident, such as to a dashboard.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Notifier sends events to one service. It is safe for concurrent use.
type Notifier struct {
	o    Options
	http *send.Client
}

// New checks the options.
func New(o Options) (*Notifier, error) {
	if o.Texts == nil {
		return nil, errors.New("pagerduty: nobody to write the summary")
	}
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if key, err := o.RoutingKey.Read(); err != nil || key == "" {
		return nil, fmt.Errorf("pagerduty: routing key: %w", or(err, errors.New("none is given")))
	}
	c, err := send.New(o.HTTP)
	if err != nil {
		return nil, fmt.Errorf("pagerduty: %w", err)
	}
	return &Notifier{o: o, http: c}, nil
}

func or(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// Close drops idle connections.
func (n *Notifier) Close() { n.http.Close() }

// thread remembers the incident: the group's onset may move while the incident must stay the same, or its
// resolution would miss it.
type thread struct {
	DedupKey string `json:"dedup_key"`
}

// Notify sends an event. The thread names the incident that it belongs to.
func (n *Notifier) Notify(ctx context.Context, m plan.Message, old json.RawMessage) (json.RawMessage, error) {
	key, err := n.o.RoutingKey.Read()
	if err != nil {
		return old, &notifiers.Error{Reason: notifiers.AuthError, Err: err}
	}
	incident := dedupKey(m)
	var before thread
	if m.Number > 1 && len(old) > 0 {
		if err := json.Unmarshal(old, &before); err == nil && before.DedupKey != "" {
			incident = before.DedupKey
		}
	}
	body, err := encode(m, incident, key, n.o.Texts.Title(m), n.o.Links)
	if err != nil {
		return old, &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: err}
	}
	resp, err := n.http.Post(ctx, send.Request{
		To: secret.Text{Value: n.o.URL}, Body: body, Header: http.Header{"Content-Type": {"application/json"}}, Hide: []string{key},
	})
	if err != nil {
		return old, err
	}
	if resp.Code != http.StatusAccepted { // PagerDuty says 202; anything else comes from something in between
		return old, &notifiers.Error{Reason: notifiers.Other, Err: fmt.Errorf("status %d instead of 202: the answer is not PagerDuty's", resp.Code)}
	}
	now, err := json.Marshal(thread{incident})
	if err != nil {
		return old, nil //nolint:nilerr // the event is sent; without a thread the key is computed again
	}
	return now, nil
}

// Preview is the event that would be sent, without its routing key.
func (n *Notifier) Preview(m plan.Message) ([]byte, error) {
	return encode(m, dedupKey(m), "<secret>", n.o.Texts.Title(m), n.o.Links)
}

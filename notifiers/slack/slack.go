// Package slack tells a channel what hurts, keeps that message true while things change, and hears
// what people answer by its buttons.
package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/template"
)

// Options say where messages go. Either Webhook or Token and Channel are set.
type Options struct {
	// Webhook gives the URL of an incoming webhook. It can neither edit, thread nor hear answers.
	Webhook Secret
	// Token gives a bot token with the scope chat:write. With channels:history as well (groups:history
	// in a private channel) and the channel's id, a message whose delivery was in doubt is looked for
	// before it is posted again.
	Token Secret
	// Channel is an id, better than a #name, which can change.
	Channel string
	// APIURL replaces https://slack.com/api/.
	APIURL string
	// Client makes the requests; nil uses one that waits 30 s. Redirects are never followed.
	Client *http.Client
	// Words turn messages into text; nil uses the built-in templates.
	Words *template.Set
	// Buttons show what people can answer. Set it where presses are listened to.
	Buttons bool
	// Pacer is shared by the notifiers of one channel; nil paces this one alone.
	Pacer *Pacer
	// Fault is told of what is not worth a failed delivery, such as a template that failed; it may be nil.
	Fault func(error)
	// Now gives the time; nil uses the clock.
	Now func() time.Time
}

// Notifier delivers to one channel. It is safe for concurrent use.
type Notifier struct {
	o    Options
	http *doer

	mu sync.Mutex
	id string // of the channel, once Slack has told it
}

// New checks the options.
func New(o Options) (*Notifier, error) {
	switch {
	case (o.Webhook == nil) == (o.Token == nil):
		return nil, errors.New("slack: want either a webhook or a bot token")
	case o.Token != nil && o.Channel == "":
		return nil, errors.New("slack: a bot token needs a channel")
	}
	if o.Words == nil {
		w, err := template.Load(template.Options{})
		if err != nil {
			return nil, fmt.Errorf("slack: %w", err)
		}
		o.Words = w
	}
	if o.Pacer == nil {
		o.Pacer = NewPacer(time.Second)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.APIURL = cmp.Or(o.APIURL, "https://slack.com/api/")
	return &Notifier{o: o, http: newDoer(o.Client)}, nil
}

// Notify delivers a message. thread is what Notify returned for the message before of the same key,
// or, when an earlier try of the same message failed, what that try returned beside its error: what
// had been posted by then is not posted again. Errors are *notifiers.Error.
func (n *Notifier) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	var done receipt
	if len(thread) > 0 {
		if err := json.Unmarshal(thread, &done); err != nil {
			n.fault(fmt.Errorf("slack: receipt of %s: %w", m.Key, err))
			done = receipt{}
		}
	}
	var err error
	if n.o.Webhook != nil {
		err = n.postWebhook(ctx, m)
		done = receipt{}
	} else {
		err = n.converse(ctx, m, &done)
	}
	if done == (receipt{}) {
		return nil, asError(err)
	}
	out, mErr := json.Marshal(done)
	return out, asError(errors.Join(err, mErr))
}

// Preview is the message that would be posted first: its text and blocks.
func (n *Notifier) Preview(m plan.Message) ([]byte, error) {
	w := n.root(m, n.o.Buttons)
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(slackgo.WebhookMessage{Text: w.short, Blocks: &slackgo.Blocks{BlockSet: w.blocks}})
	return out.Bytes(), err
}

// receipt is what has been delivered: which message stands in the channel, and how far the delivery
// of the newest one has come.
type receipt struct {
	Channel string `json:"channel,omitempty"`
	Root    string `json:"ts,omitempty"`
	// Message is the id of the message that the steps are of.
	Message  string `json:"message,omitempty"`
	RootDone bool   `json:"root_done,omitempty"`
	Replied  bool   `json:"replied,omitempty"`
}

func (n *Notifier) fault(err error) {
	if err != nil && n.o.Fault != nil {
		n.o.Fault(err)
	}
}

// asError leaves nothing but a *notifiers.Error or nil.
func asError(err error) error {
	if err == nil {
		return nil
	}
	var e *notifiers.Error
	if errors.As(err, &e) {
		return e
	}
	return &notifiers.Error{Reason: notifiers.Other, Err: err}
}

package receivers

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
	"github.com/inferdx/inferdx/notifiers/slack"
)

// Interactions hear what people press.
type Interactions struct {
	// Handlers take what Slack posts, by lane: all lanes of one app share theirs. Those without a signing
	// secret have none.
	Handlers map[string]http.Handler
	// Sockets are the connections of Socket Mode, one for each app. Run lasts as long as its context.
	Sockets []func(context.Context) error

	all   []*slack.Interactions
	close []func()
}

// Wait returns when the messages of all presses so far are updated.
func (i *Interactions) Wait() {
	for _, one := range i.all {
		one.Wait()
	}
}

// Close drops idle connections.
func (i *Interactions) Close() {
	for _, f := range i.close {
		f()
	}
}

// Interactions makes a listener for each app. answer is told the receiver as routes call it.
func (s *Set) Interactions(answer func(context.Context, notifiers.Answer) error) (*Interactions, error) {
	out := &Interactions{Handlers: map[string]http.Handler{}}
	apps := map[string]*slack.Interactions{}
	for _, l := range s.lanes {
		c, ok := l.config.(*config.Slack)
		if !ok || !answerable(c) {
			continue
		}
		signing, app := text(c.SigningSecretFile, c.SigningSecretEnv), text(c.AppTokenFile, c.AppTokenEnv)
		key := strings.Join([]string{signing.String(), app.String(), apiURL(c)}, "\x00")
		if apps[key] == nil {
			one, err := s.listen(l, c, answer, out)
			if err != nil {
				out.Close()
				return nil, fmt.Errorf("receiver %s: %w", l.name, err)
			}
			apps[key] = one
			out.all = append(out.all, one)
			if app.Set() {
				out.Sockets = append(out.Sockets, one.Run)
			}
		}
		if signing.Set() {
			out.Handlers[l.name] = apps[key]
		}
	}
	return out, nil
}

func (s *Set) listen(l *lane, c *config.Slack, answer func(context.Context, notifiers.Answer) error, to *Interactions) (*slack.Interactions, error) {
	client, err := send.New(sending(&c.HTTP, 0))
	if err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	to.close = append(to.close, client.Close)
	o := slack.InteractionOptions{
		APIURL: apiURL(c), Client: &http.Client{Transport: client, Timeout: 30 * time.Second}, Now: s.o.Now,
		Fault: func(err error) { s.fault(l.name, err) },
		Answer: func(ctx context.Context, a notifiers.Answer) error {
			a.Receiver = s.Owner(a.Receiver)
			return answer(ctx, a)
		},
	}
	if t := text(c.SigningSecretFile, c.SigningSecretEnv); t.Set() {
		o.SigningSecret = t.Read
	}
	if t := text(c.AppTokenFile, c.AppTokenEnv); t.Set() {
		o.AppToken = t.Read
	}
	return slack.NewInteractions(o)
}

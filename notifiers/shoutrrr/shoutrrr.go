// Package shoutrrr sends messages to the many services that the library of this name knows, by its URLs.
//
// Discord, Telegram and Teams' workflows are posted to without the library. It has Discord's retries of
// minutes that no context ends and that send twice, a Telegram that says yes when the network says no,
// and of Teams only the connectors that Microsoft has turned off.
package shoutrrr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/url"
	"strings"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// maxAbandoned is how many deliveries may hang in the library after their time is over. It takes no
// context, so they cannot be stopped; without a bound they would pile up.
const maxAbandoned = 4

// Texts says a message in words.
type Texts interface {
	// Title is one line.
	Title(plan.Message) string
	// Text is plain.
	Text(plan.Message) string
	// Markdown is what chats take for it.
	Markdown(plan.Message) string
}

// Options are a receiver's.
type Options struct {
	// URL names the service and holds its secrets: smtp://user:password@host:587/?from=…&to=…
	URL secret.Text
	// HTTP is for the services that are posted to without the library, which has its own clients: of it
	// the library's services only keep Network, checked before the connection instead of with it, and Timeout.
	HTTP send.Options
	// TelegramAPI is the address of a Bot API server of one's own; empty means Telegram's.
	TelegramAPI string
	// DiscordAPI is the address of Discord's API; empty means Discord's.
	DiscordAPI string
	Texts      Texts
}

// Notifier sends to one service. It is safe for concurrent use.
type Notifier struct {
	o     Options
	http  *send.Client
	slots chan struct{}
}

// New checks the options; nothing is sent.
func New(o Options) (*Notifier, error) {
	if o.Texts == nil {
		return nil, errors.New("shoutrrr: nobody to write the texts")
	}
	if o.HTTP.Timeout == 0 {
		o.HTTP.Timeout = send.DefaultTimeout
	}
	if o.TelegramAPI == "" {
		o.TelegramAPI = "https://api.telegram.org"
	}
	if o.DiscordAPI == "" {
		o.DiscordAPI = "https://discord.com/api"
	}
	u, err := read(o.URL)
	if err != nil {
		return nil, fmt.Errorf("shoutrrr: %w", err)
	}
	if _, err := new(router.ServiceRouter).NewService(scheme(u)); err != nil {
		return nil, fmt.Errorf("shoutrrr: URL (%s): no service is called %q", o.URL, scheme(u))
	}
	c, err := send.New(o.HTTP)
	if err != nil {
		return nil, fmt.Errorf("shoutrrr: %w", err)
	}
	n := &Notifier{o: o, http: c, slots: make(chan struct{}, maxAbandoned)}
	o.Texts = silent{}
	if d, ok := (&Notifier{o: o}).direct(u); ok { // a URL that cannot work is to be reported before the first message
		if _, err := d(plan.Message{}, u); err != nil {
			c.Close()
			return nil, fmt.Errorf("shoutrrr: URL (%s): %w", o.URL, err)
		}
	}
	return n, nil
}

// silent has nothing to say.
type silent struct{}

func (silent) Title(plan.Message) string    { return "" }
func (silent) Text(plan.Message) string     { return "" }
func (silent) Markdown(plan.Message) string { return "" }

// Close drops idle connections.
func (n *Notifier) Close() { n.http.Close() }

func read(text secret.Text) (*url.URL, error) {
	s, err := text.Read()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return nil, fmt.Errorf("URL (%s): not a URL", text) // the parser's words quote it
	}
	return u, nil
}

// scheme names the service: generic+https:// is generic.
func scheme(u *url.URL) string {
	name, _, _ := strings.Cut(strings.ToLower(u.Scheme), "+")
	return name
}

// Notify sends a message. These services have no threads: what comes in is given back.
func (n *Notifier) Notify(ctx context.Context, m plan.Message, thread json.RawMessage) (json.RawMessage, error) {
	u, err := read(n.o.URL)
	if err != nil {
		return thread, &notifiers.Error{Reason: notifiers.AuthError, Err: err} // the file may come back
	}
	if d, ok := n.direct(u); ok {
		return thread, n.post(ctx, d, m, u)
	}
	ctx, stop := context.WithTimeout(ctx, n.o.HTTP.Timeout)
	defer stop()
	if hosted(scheme(u)) {
		if err := n.o.HTTP.Network.CheckHost(ctx, u.Hostname()); err != nil {
			return thread, send.Failure(ctx, u.Hostname(), err, hidden(u)...)
		}
	}
	return thread, n.library(ctx, m, u)
}

// library lets the library send, and leaves it behind when the context ends.
func (n *Notifier) library(ctx context.Context, m plan.Message, u *url.URL) error {
	select {
	case n.slots <- struct{}{}:
	default:
		return &notifiers.Error{Reason: notifiers.DeadlineReached, Err: fmt.Errorf("%d deliveries to %s still hang", maxAbandoned, scheme(u))}
	}
	text, params := n.words(m, scheme(u))
	done := make(chan error, 1)
	go func() {
		defer func() { <-n.slots }()
		done <- deliver(u, text, params)
	}()
	select {
	case err := <-done:
		return classify(ctx, u, err)
	case <-ctx.Done():
		return send.Failure(ctx, u.Hostname(), ctx.Err())
	}
}

// panicked is a fault of the library.
type panicked struct{ said any }

func (p *panicked) Error() string { return fmt.Sprintf("the library panicked: %v", p.said) }

// deliver calls the service itself, not by the router, whose goroutines neither end nor catch a panic.
func deliver(u *url.URL, text string, params types.Params) error {
	return caught(func() error {
		r, err := router.New(log.New(io.Discard, "", 0))
		if err != nil {
			return err
		}
		service, err := r.Locate(plainMail(u).String())
		if err != nil {
			return err
		}
		return service.Send(text, &params)
	})
}

// plainMail keeps the library from sending the text, which is none, as HTML. As a parameter of the message
// it would only change half of the mail.
func plainMail(u *url.URL) *url.URL {
	if scheme(u) != "smtp" {
		return u
	}
	query := u.Query()
	for key := range query {
		if strings.EqualFold(key, "usehtml") {
			query.Del(key)
		}
	}
	out := *u
	out.RawQuery = query.Encode()
	return &out
}

// caught makes an error of a panic.
func caught(do func() error) (err error) {
	defer func() {
		if said := recover(); said != nil {
			err = &panicked{said}
		}
	}()
	return do()
}

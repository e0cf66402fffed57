package receivers

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
	"github.com/inferdx/inferdx/notifiers/pagerduty"
	"github.com/inferdx/inferdx/notifiers/send"
	"github.com/inferdx/inferdx/notifiers/shoutrrr"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

// builder holds what lanes share.
type builder struct {
	set    *Set
	labels map[string]string
	pacers map[string]*slack.Pacer // by workspace
}

func (b *builder) build(l *lane) error {
	switch c := l.config.(type) {
	case *config.Slack:
		return b.slack(l, c)
	case *config.Webhook:
		return b.webhook(l, c)
	case *config.Alertmanager:
		return b.alertmanager(l, c)
	case *config.PagerDuty:
		n, err := pagerduty.New(pagerduty.Options{
			RoutingKey: text(c.RoutingKeyFile, c.RoutingKeyEnv), URL: string(c.URL), Links: b.links(), HTTP: sending(&c.HTTP, 0), Texts: b.texts(l),
		})
		return l.is(n, err)
	case *config.Shoutrrr:
		n, err := shoutrrr.New(shoutrrr.Options{URL: text(c.URLFile, c.URLEnv), Texts: b.texts(l)})
		return l.is(n, err)
	}
	return fmt.Errorf("no notifier for %T", l.config)
}

// is takes what a constructor gave.
func (l *lane) is(n interface {
	outbox.Notifier
	Close()
}, err error,
) error {
	if err != nil {
		return err
	}
	l.notifier, l.closers = n, append(l.closers, n)
	return nil
}

func (b *builder) slack(l *lane, c *config.Slack) error {
	client, err := send.New(sending(&c.HTTP, 0))
	if err != nil {
		return fmt.Errorf("slack: %w", err)
	}
	o := slack.Options{
		Channel: c.Channel, APIURL: apiURL(c), Client: &http.Client{Transport: client, Timeout: 30 * time.Second},
		Words: b.set.words, Buttons: answerable(c), Pacer: b.pacer(c), Now: b.set.o.Now,
		Fault: func(err error) { b.set.fault(l.name, err) },
	}
	if token := text(c.BotTokenFile, c.BotTokenEnv); token.Set() {
		o.Token = token.Read
	} else {
		o.Channel, o.Webhook = "", text(c.WebhookURLFile, c.WebhookURLEnv).Read
	}
	for _, s := range []secret.Text{
		text(c.BotTokenFile, c.BotTokenEnv), text(c.WebhookURLFile, c.WebhookURLEnv),
		text(c.SigningSecretFile, c.SigningSecretEnv), text(c.AppTokenFile, c.AppTokenEnv),
	} {
		if _, err := s.Read(); err != nil { // to be reported before the first message
			client.Close()
			return fmt.Errorf("slack: %w", err)
		}
	}
	n, err := slack.New(o)
	if err != nil {
		client.Close()
		return err
	}
	l.notifier, l.closers = n, append(l.closers, client)
	return nil
}

// answerable says whether somebody listens to the buttons.
func answerable(c *config.Slack) bool {
	return text(c.SigningSecretFile, c.SigningSecretEnv).Set() || text(c.AppTokenFile, c.AppTokenEnv).Set()
}

// pacer is one for a workspace: it keeps its channels apart, and two receivers of one channel together.
func (b *builder) pacer(c *config.Slack) *slack.Pacer {
	key := apiURL(c) + " " + text(c.BotTokenFile, c.BotTokenEnv).String()
	if b.pacers[key] == nil {
		b.pacers[key] = slack.NewPacer(time.Second)
	}
	return b.pacers[key]
}

// apiURL ends in a slash, as methods are put behind it.
func apiURL(c *config.Slack) string {
	if c.APIURL == "" {
		return ""
	}
	return strings.TrimRight(string(c.APIURL), "/") + "/"
}

func (b *builder) webhook(l *lane, c *config.Webhook) error {
	to := text(c.URLFile, c.URLEnv)
	to.Value = c.URL.Reveal()
	var secrets []secret.Text
	for _, f := range c.SecretFiles {
		secrets = append(secrets, secret.Text{File: string(f)})
	}
	if c.SecretEnv != "" {
		secrets = append(secrets, secret.Text{Env: string(c.SecretEnv)})
	}
	h := sending(&c.HTTP, time.Duration(c.Timeout))
	for _, n := range c.AllowedNetworks {
		h.Network.Allowed = append(h.Network.Allowed, n.Prefix)
	}
	n, err := webhook.New(webhook.Options{URL: to, Secrets: secrets, HTTP: h, Texts: b.texts(l), Now: b.set.o.Now})
	return l.is(n, err)
}

func (b *builder) alertmanager(l *lane, c *config.Alertmanager) error {
	var urls []secret.Text
	for _, u := range c.URLs {
		urls = append(urls, secret.Text{Value: string(u)})
	}
	n, err := alertmanager.New(alertmanager.Options{
		URLs: urls, Labels: b.labels, ExternalURL: b.set.o.ExternalURL, HTTP: sending(&c.HTTP, time.Duration(c.Timeout)), Now: b.set.o.Now,
		Failed: func(who string, err error) { b.set.fault(l.name, fmt.Errorf("alertmanager %s: %w", who, err)) },
	})
	return l.is(n, err)
}

func (b *builder) links() []pagerduty.Link {
	if b.set.o.ExternalURL == "" {
		return nil
	}
	return []pagerduty.Link{{Href: b.set.o.ExternalURL, Text: "inferdx"}}
}

// sending is how to reach a receiver.
func sending(h *config.HTTP, timeout time.Duration) send.Options {
	c := h.Options()
	o := send.Options{
		TLS: c.TLS, Proxy: secret.Text{Value: string(h.ProxyURL)}, ProxyFromEnvironment: h.ProxyFromEnvironment, NoProxy: h.NoProxy,
		DisableHTTP2: c.DisableHTTP2, Headers: map[string]secret.Text{}, Timeout: timeout,
		Basic:         send.Basic{User: secret.Text{Value: c.BasicUser}, Password: secret.Text{File: c.BasicPasswordFile, Env: c.BasicPasswordEnv}},
		Authorization: send.Authorization{Type: c.AuthorizationType, Credentials: secret.Text{File: c.BearerTokenFile, Env: c.BearerTokenEnv}},
	}
	for name, v := range c.Headers {
		o.Headers[name] = secret.Text{Value: v}
	}
	for name, f := range c.HeaderFiles {
		o.Headers[name] = secret.Text{File: f}
	}
	return o
}

func text(f config.SecretFile, e config.SecretEnv) secret.Text {
	return secret.Text{File: string(f), Env: string(e)}
}

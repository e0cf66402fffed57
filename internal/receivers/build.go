package receivers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
	"github.com/inferdx/inferdx/notifiers/pagerduty"
	"github.com/inferdx/inferdx/notifiers/send"
	"github.com/inferdx/inferdx/notifiers/shoutrrr"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/template"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

// builder makes the lanes of one receiver after the other.
type builder struct {
	*Set

	c      *config.Config
	pacers map[string]*slack.Pacer // by channel, which Slack paces whoever writes
	lane   []lane
}

func (b *builder) receiver(r *config.Receiver) error {
	b.lane = nil
	for i, x := range r.Slack {
		n, err := b.slack(x)
		if err := b.add("slack", i, n, x.SendResolved, x, err); err != nil {
			return err
		}
	}
	for i, x := range r.Webhook {
		n, err := b.webhook(x)
		if err := b.add("webhook", i, n, x.SendResolved, x, err); err != nil {
			return err
		}
	}
	for i, x := range r.Alertmanager {
		n, err := b.alertmanager(x)
		if err := b.add("alertmanager", i, n, x.SendResolved, x, err); err != nil {
			return err
		}
	}
	for i, x := range r.PagerDuty {
		n, err := b.pagerduty(x)
		if err := b.add("pagerduty", i, n, x.SendResolved, x, err); err != nil {
			return err
		}
	}
	for i, x := range r.Shoutrrr {
		n, err := shoutrrr.New(shoutrrr.Options{URL: text("", x.URLFile, x.URLEnv), Texts: words{b.words, b.o}})
		if err := b.add("shoutrrr", i, n, x.SendResolved, x, err); err != nil {
			return err
		}
	}
	b.name(r.Name)
	return nil
}

// name gives the ways their names: the receiver's where there is one way only.
func (b *builder) name(receiver string) {
	for i := range b.lane {
		if len(b.lane) == 1 {
			b.lane[i].Name = receiver
		} else {
			b.lane[i].Name = receiver + "/" + b.lane[i].Name
		}
	}
	b.order, b.lanes[receiver] = append(b.order, receiver), b.lane
}

func (b *builder) add(kind string, i int, n outbox.Notifier, sendResolved *bool, settings any, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if c, ok := n.(interface{ Close() }); ok {
		b.close = append(b.close, c.Close)
	}
	name := kind
	if i > 0 {
		name = fmt.Sprintf("%s-%d", kind, i+1)
	}
	b.lane = append(b.lane, lane{
		Receiver:     outbox.Receiver{Name: name, Integration: kind, Notifier: n},
		sendResolved: sendResolved == nil || *sendResolved, endpoint: fingerprint(settings),
	})
	return nil
}

// fingerprint is another text for other settings; no secret is a part of it.
func fingerprint(settings any) string {
	text, err := yaml.Marshal(settings)
	if err != nil {
		text = fmt.Append(nil, err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

func (b *builder) slack(x *config.Slack) (outbox.Notifier, error) {
	client, err := web(&x.HTTP)
	if err != nil {
		return nil, err
	}
	o := slack.Options{APIURL: string(x.APIURL), Channel: x.Channel, Client: client, Words: b.words, Now: b.o.Now, Fault: b.fault("slack")}
	if x.BotTokenFile == "" && x.BotTokenEnv == "" {
		o.Webhook = text("", x.WebhookURLFile, x.WebhookURLEnv).Read
		return slack.New(o)
	}
	o.Token = text("", x.BotTokenFile, x.BotTokenEnv).Read
	if b.pacers[x.Channel] == nil {
		b.pacers[x.Channel] = slack.NewPacer(time.Second)
	}
	o.Pacer = b.pacers[x.Channel]
	hear := slack.InteractionOptions{APIURL: string(x.APIURL), Client: client, Now: b.o.Now, Fault: b.fault("slack")}
	if t := text("", x.SigningSecretFile, x.SigningSecretEnv); t.Set() {
		hear.SigningSecret, o.Buttons = t.Read, true
	}
	if t := text("", x.AppTokenFile, x.AppTokenEnv); t.Set() {
		hear.AppToken, o.Buttons = t.Read, true
	}
	if o.Buttons {
		b.Interactions = append(b.Interactions, hear)
	}
	return slack.New(o)
}

func (b *builder) webhook(x *config.Webhook) (outbox.Notifier, error) {
	o := webhook.Options{URL: text(string(x.URL.Reveal()), x.URLFile, x.URLEnv), HTTP: delivery(&x.HTTP), Texts: words{b.words, b.o}, Now: b.o.Now}
	o.HTTP.Timeout = time.Duration(x.Timeout)
	for _, n := range x.AllowedNetworks {
		o.HTTP.Network.Allowed = append(o.HTTP.Network.Allowed, n.Prefix)
	}
	for _, f := range x.SecretFiles {
		o.Secrets = append(o.Secrets, secret.Text{File: string(f)})
	}
	if x.SecretEnv != "" {
		o.Secrets = append(o.Secrets, secret.Text{Env: string(x.SecretEnv)})
	}
	return webhook.New(o)
}

func (b *builder) alertmanager(x *config.Alertmanager) (outbox.Notifier, error) {
	o := alertmanager.Options{HTTP: delivery(&x.HTTP), ExternalURL: b.o.ExternalURL, Now: b.o.Now, Labels: map[string]string{}}
	o.HTTP.Timeout = time.Duration(x.Timeout)
	for _, u := range x.URLs {
		o.URLs = append(o.URLs, secret.Text{Value: string(u)})
	}
	for name, v := range b.c.Global.ExternalLabels {
		o.Labels[string(name)] = v
	}
	o.Failed = func(who string, err error) { b.fault("alertmanager")(fmt.Errorf("%s: %w", who, err)) }
	n, err := alertmanager.New(o)
	if err == nil {
		b.Keepers = append(b.Keepers, n)
	}
	return n, err
}

func (b *builder) pagerduty(x *config.PagerDuty) (outbox.Notifier, error) {
	return pagerduty.New(pagerduty.Options{
		RoutingKey: text("", x.RoutingKeyFile, x.RoutingKeyEnv), URL: string(x.URL), HTTP: delivery(&x.HTTP), Texts: words{b.words, b.o},
	})
}

func (b *builder) fault(of string) func(error) {
	return func(err error) {
		b.o.Log.Warn("a delivery was not all that it should be", "integration", of, "err", err)
	}
}

// text is a secret by the one of its forms that is given.
func text(value string, file config.SecretFile, env config.SecretEnv) secret.Text {
	return secret.Text{Value: value, File: string(file), Env: string(env)}
}

// delivery is an http_config for those who send.
func delivery(h *config.HTTP) send.Options {
	o := h.Options()
	out := send.Options{TLS: o.TLS, Headers: map[string]secret.Text{}, Proxy: secret.Text{Value: string(h.ProxyURL)}, ProxyFromEnvironment: h.ProxyFromEnvironment}
	for name, v := range o.Headers {
		out.Headers[name] = secret.Text{Value: v}
	}
	for name, f := range o.HeaderFiles {
		out.Headers[name] = secret.Text{File: f}
	}
	if b := h.BasicAuth; b != nil {
		out.Basic = send.Basic{User: secret.Text{Value: b.Username}, Password: text("", b.PasswordFile, b.PasswordEnv)}
	}
	if t := (secret.Text{File: o.BearerTokenFile, Env: o.BearerTokenEnv}); t.Set() {
		out.Authorization = send.Authorization{Type: o.AuthorizationType, Credentials: t}
	}
	return out
}

// web is an http_config for Slack's library, which brings its own credentials.
func web(h *config.HTTP) (*http.Client, error) {
	o := h.Options()
	tls, err := o.TLS.Config()
	if err != nil {
		return nil, err
	}
	t := http.DefaultTransport.(*http.Transport).Clone() //nolint:forcetypeassert // documented
	t.TLSClientConfig, t.Proxy = tls, o.Proxy
	return &http.Client{Transport: t, Timeout: 30 * time.Second}, nil
}

// words says messages by the templates.
type words struct {
	set *template.Set
	o   Options
}

// fullDiagnoses is how many diagnoses a plain text tells in full: a page of a phone.
const fullDiagnoses = 3

// Title is one line.
func (w words) Title(m plan.Message) string { return w.say(template.Title, m) }

// Text is plain.
func (w words) Text(m plan.Message) string { return w.say(template.Text, m) }

// Markdown is what chats take for it.
func (w words) Markdown(m plan.Message) string { return w.say(template.Markdown, m) }

func (w words) say(name string, m plan.Message) string {
	out, err := w.set.Render(name, w.set.Data(m, fullDiagnoses))
	if err != nil {
		w.o.Log.Warn("a template failed, the built-in one speaks", "template", name, "err", err)
	}
	return out
}

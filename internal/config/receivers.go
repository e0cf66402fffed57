package config

import "iter"

// Receiver is who gets messages. It may have several ways to get them, each a mapping or a list of them.
type Receiver struct {
	// What routes call it. Required, and given once.
	Name string `yaml:"name,omitempty"`
	// Slack channels.
	Slack Some[*Slack] `yaml:"slack,omitempty"`
	// URLs that get JSON.
	Webhook Some[*Webhook] `yaml:"webhook,omitempty"`
	// Alertmanagers that get alerts.
	Alertmanager Some[*Alertmanager] `yaml:"alertmanager,omitempty"`
	// PagerDuty services.
	PagerDuty Some[*PagerDuty] `yaml:"pagerduty,omitempty"`
	// Everything else that Shoutrrr knows.
	Shoutrrr Some[*Shoutrrr] `yaml:"shoutrrr,omitempty"`
}

func (r *Receiver) check(c *check, at place) {
	c.require(at, "name", r.Name != "")
	if len(r.Slack)+len(r.Webhook)+len(r.Alertmanager)+len(r.PagerDuty)+len(r.Shoutrrr) == 0 && !c.mistyped(at) {
		c.warn(at.field("name"), "the receiver has neither slack, webhook, alertmanager, pagerduty nor shoutrrr: what it gets goes nowhere")
	}
}

// Slack is a channel, reached by an app with a bot token (threads, edits, buttons) or by an incoming webhook.
type Slack struct {
	// Refused: use webhook_url_file.
	WebhookURL Inline `yaml:"webhook_url,omitempty"`
	// A file with the URL of an incoming webhook.
	WebhookURLFile SecretFile `yaml:"webhook_url_file,omitempty"`
	// An environment variable with it.
	WebhookURLEnv SecretEnv `yaml:"webhook_url_env,omitempty"`
	// Refused: use bot_token_file.
	BotToken Inline `yaml:"bot_token,omitempty"`
	// A file with the bot token.
	BotTokenFile SecretFile `yaml:"bot_token_file,omitempty"`
	// An environment variable with it.
	BotTokenEnv SecretEnv `yaml:"bot_token_env,omitempty"`
	// The channel, such as #llm, or its id. Required with a bot token.
	Channel string `yaml:"channel,omitempty"`
	// Refused: use signing_secret_file.
	SigningSecret Inline `yaml:"signing_secret,omitempty"`
	// A file with the secret by which Slack signs what people answer.
	SigningSecretFile SecretFile `yaml:"signing_secret_file,omitempty"`
	// An environment variable with it.
	SigningSecretEnv SecretEnv `yaml:"signing_secret_env,omitempty"`
	// Refused: use app_token_file.
	AppToken Inline `yaml:"app_token,omitempty"`
	// A file with the app token, by which answers come without a public URL.
	AppTokenFile SecretFile `yaml:"app_token_file,omitempty"`
	// An environment variable with it.
	AppTokenEnv SecretEnv `yaml:"app_token_env,omitempty"`
	// Slack's API, where it is not https://slack.com/api/.
	APIURL URL `yaml:"api_url,omitempty"`
	// Also say when a problem is over. Default true.
	SendResolved *bool `yaml:"send_resolved,omitempty"`
	// How to reach Slack.
	HTTP HTTP `yaml:"http_config,omitempty"`
}

func (s *Slack) check(c *check, at place) {
	bot, hook := s.BotTokenFile != "" || s.BotTokenEnv != "", s.WebhookURLFile != "" || s.WebhookURLEnv != ""
	switch {
	case bot && hook:
		c.fault(at, "", "want a bot token or an incoming webhook, not both")
	case !bot && !hook:
		c.missing(at, "bot_token_file or webhook_url_file")
	case bot:
		c.require(at, "channel", s.Channel != "")
	default:
		if s.Channel != "" {
			c.warn(at.field("channel"), "an incoming webhook has its own channel: this one has no effect")
		}
		for _, f := range []string{"signing_secret_file", "signing_secret_env", "app_token_file", "app_token_env", "api_url"} {
			if p := at.field(f); p.key != nil {
				c.fault(p, "", "%s needs a bot token: an incoming webhook takes no answers", f)
			}
		}
	}
}

// Webhook is a URL that gets JSON, signed as Standard Webhooks say where there is a secret.
type Webhook struct {
	// Where to post to. What stands behind the host is hidden where the configuration is shown.
	URL SecretURL `yaml:"url,omitempty"`
	// A file with the URL.
	URLFile SecretFile `yaml:"url_file,omitempty"`
	// An environment variable with the URL.
	URLEnv SecretEnv `yaml:"url_env,omitempty"`
	// Refused: use secret_files.
	Secret Inline `yaml:"secret,omitempty"`
	// Files with the secrets to sign with, the newest first: while one is rotated there are two.
	SecretFiles Some[SecretFile] `yaml:"secret_files,omitempty"`
	// An environment variable with the secret to sign with.
	SecretEnv SecretEnv `yaml:"secret_env,omitempty"`
	// The networks that may be posted to. Default all.
	AllowedNetworks Some[Network] `yaml:"allowed_networks,omitempty"`
	// How long a delivery may take. Default 15s.
	Timeout Duration `yaml:"timeout,omitempty"`
	// Also say when a problem is over. Default true.
	SendResolved *bool `yaml:"send_resolved,omitempty"`
	// How to reach it.
	HTTP HTTP `yaml:"http_config,omitempty"`
}

func (w *Webhook) check(c *check, at place) {
	n := 0
	for _, given := range []bool{w.URL != "", w.URLFile != "", w.URLEnv != ""} {
		if given {
			n++
		}
	}
	switch {
	case n == 0:
		c.missing(at, "url, url_file or url_env")
	case n > 1 && (w.URLFile == "" || w.URLEnv == "" || w.URL != ""): // those two are told of by the general check
		c.fault(at, "", "want one of url, url_file and url_env")
	}
	if w.SecretEnv != "" && len(w.SecretFiles) > 0 {
		c.fault(at.field("secret_env"), "", "secret_files are given, too: want one of them")
	}
}

// Alertmanager gets what is found as alerts.
type Alertmanager struct {
	// Its URLs, all members of a cluster. Required.
	URLs Some[URL] `yaml:"urls,omitempty"`
	// How long a delivery may take. Default 15s.
	Timeout Duration `yaml:"timeout,omitempty"`
	// Also say when a problem is over. Default true.
	SendResolved *bool `yaml:"send_resolved,omitempty"`
	// How to reach it.
	HTTP HTTP `yaml:"http_config,omitempty"`
}

func (a *Alertmanager) check(c *check, at place) { c.require(at, "urls", len(a.URLs) > 0) }

// PagerDuty is a service with an integration of the Events API v2.
type PagerDuty struct {
	// Refused: use routing_key_file.
	RoutingKey Inline `yaml:"routing_key,omitempty"`
	// A file with the integration key.
	RoutingKeyFile SecretFile `yaml:"routing_key_file,omitempty"`
	// An environment variable with it.
	RoutingKeyEnv SecretEnv `yaml:"routing_key_env,omitempty"`
	// The Events API. Default https://events.pagerduty.com/v2/enqueue.
	URL URL `yaml:"url,omitempty"`
	// Also say when a problem is over. Default true.
	SendResolved *bool `yaml:"send_resolved,omitempty"`
	// How to reach it.
	HTTP HTTP `yaml:"http_config,omitempty"`
}

func (p *PagerDuty) check(c *check, at place) {
	if p.RoutingKeyFile == "" && p.RoutingKeyEnv == "" {
		c.missing(at, "routing_key_file or routing_key_env")
	}
}

// Shoutrrr is a service that Shoutrrr knows.
type Shoutrrr struct {
	// Refused: use url_file.
	URL Inline `yaml:"url,omitempty"`
	// A file with the service's URL.
	URLFile SecretFile `yaml:"url_file,omitempty"`
	// An environment variable with it.
	URLEnv SecretEnv `yaml:"url_env,omitempty"`
	// Also say when a problem is over. Default true.
	SendResolved *bool `yaml:"send_resolved,omitempty"`
}

func (s *Shoutrrr) check(c *check, at place) {
	if s.URLFile == "" && s.URLEnv == "" {
		c.missing(at, "url_file or url_env")
	}
}

func (r *Receiver) defaults() {
	yes := true
	for s := range written(r.Slack) {
		fill(&s.SendResolved, &yes)
	}
	for w := range written(r.Webhook) {
		fill(&w.SendResolved, &yes)
		fill(&w.Timeout, defaultPost)
	}
	for a := range written(r.Alertmanager) {
		fill(&a.SendResolved, &yes)
		fill(&a.Timeout, defaultPost)
	}
	for p := range written(r.PagerDuty) {
		fill(&p.SendResolved, &yes)
		fill(&p.URL, "https://events.pagerduty.com/v2/enqueue")
	}
	for s := range written(r.Shoutrrr) {
		fill(&s.SendResolved, &yes)
	}
}

// written leaves out empty entries, which are faults of their own.
func written[T any](list []*T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for _, v := range list {
			if v != nil && !yield(v) {
				return
			}
		}
	}
}

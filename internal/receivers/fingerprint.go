package receivers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/secret"
)

// Fingerprints are hashes of where each lane leads and how it identifies, by the lane's name. One that asked
// never to be called again may be called when its fingerprint has changed. They show no secret, but change
// with what is in its file, which is read when this is called; a file that cannot be read counts as empty.
func (s *Set) Fingerprints() map[string]string {
	out := map[string]string{}
	for _, l := range s.lanes {
		h := sha256.New()
		l.endpoint(func(t secret.Text) {
			v, err := t.Read()
			if err != nil {
				v = ""
			}
			put(h, t.File, t.Env, v)
		}, func(parts ...string) { put(h, parts...) })
		out[l.name] = hex.EncodeToString(h.Sum(nil))
	}
	return out
}

// put writes parts with their lengths, so that no two lists look the same.
func put(h hash.Hash, parts ...string) {
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
}

// endpoint walks over what decides where a lane's messages go.
func (l *lane) endpoint(hidden func(secret.Text), open func(...string)) {
	open(l.kind)
	switch c := l.config.(type) {
	case *config.Slack:
		hidden(text(c.WebhookURLFile, c.WebhookURLEnv))
		hidden(text(c.BotTokenFile, c.BotTokenEnv))
		open(c.Channel, string(c.APIURL))
		credentials(&c.HTTP, hidden, open)
	case *config.Webhook:
		to := text(c.URLFile, c.URLEnv)
		to.Value = c.URL.Reveal()
		hidden(to)
		credentials(&c.HTTP, hidden, open)
	case *config.Alertmanager:
		for _, u := range c.URLs {
			open(string(u))
		}
		credentials(&c.HTTP, hidden, open)
	case *config.PagerDuty:
		hidden(text(c.RoutingKeyFile, c.RoutingKeyEnv))
		open(string(c.URL))
		credentials(&c.HTTP, hidden, open)
	case *config.Shoutrrr:
		hidden(text(c.URLFile, c.URLEnv))
	}
}

func credentials(h *config.HTTP, hidden func(secret.Text), open func(...string)) {
	o := sending(h, 0)
	hidden(o.Basic.User)
	hidden(o.Basic.Password)
	hidden(o.Authorization.Credentials)
	hidden(o.Proxy)
	open(o.Authorization.Type, o.TLS.CAFile, o.TLS.CertFile, o.TLS.ServerName)
}

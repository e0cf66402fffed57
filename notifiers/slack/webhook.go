package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// postWebhook sends everything in one message: a webhook can do no more.
func (n *Notifier) postWebhook(ctx context.Context, m plan.Message) error {
	to, err := n.o.Webhook()
	if err != nil {
		return &notifiers.Error{Reason: notifiers.AuthError, Err: fmt.Errorf("slack: webhook: %w", err)}
	}
	w := n.root(m, false)
	no := false
	msg := slackgo.WebhookMessage{Text: w.short, Blocks: &slackgo.Blocks{BlockSet: w.blocks}, UnfurlLinks: &no, UnfurlMedia: &no}
	said, err := n.hook(ctx, to, msg)
	if plainer(said) {
		n.fault(err)
		msg.Text, msg.Blocks = w.plain, nil
		_, err = n.hook(ctx, to, msg)
	}
	return err
}

// hook posts once. said is Slack's word where it refused.
func (n *Notifier) hook(ctx context.Context, to string, msg slackgo.WebhookMessage) (said string, err error) {
	body, err := json.Marshal(msg)
	if err != nil {
		return "", fmt.Errorf("slack: webhook: %w", err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return "", &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: fmt.Errorf("slack: the webhook is not a web address")}
	}
	channel := "webhook " + u.Path // one per channel
	if err := n.o.Pacer.wait(ctx, channel); err != nil {
		return "", classify("webhook", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("slack: webhook: %w", bare(err))
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := n.http.Do(r)
	if err != nil {
		return "", classify("webhook", hide(err, to, u.Path))
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 500))
	if res.StatusCode/100 == 2 {
		return "", nil // it was taken, whatever became of the answer
	}
	if err != nil {
		answer = nil
	}
	said = strings.TrimSpace(string(answer))
	e := refused(res, said)
	if e.RetryAfter > 0 {
		n.o.Pacer.hold(channel, e.RetryAfter)
	}
	e.Err = hide(e.Err, to, u.Path)
	return said, e
}

// refused says what a webhook's no means. One that was taken away is never to be called again.
func refused(res *http.Response, said string) *notifiers.Error {
	e := &notifiers.Error{Err: fmt.Errorf("slack: webhook answered %s: %.200q", res.Status, said)}
	e.Reason, e.Final = byStatus(res.StatusCode)
	switch {
	case res.StatusCode == http.StatusGone, res.StatusCode == http.StatusNotFound && (said == "no_service" || said == "no_team" || said == "no_active_hooks"):
		e.Disable, e.Final = true, true
	case e.Reason == notifiers.RateLimited:
		e.RetryAfter = time.Second
		if s, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && s > 0 {
			e.RetryAfter = time.Duration(s) * time.Second
		}
	}
	return e
}

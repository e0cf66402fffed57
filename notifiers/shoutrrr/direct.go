package shoutrrr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/send"
)

// builder makes the requests of a message for a service that is posted to without the library.
type builder func(m plan.Message, u *url.URL) ([]request, error)

type request struct {
	to   string
	body any
}

// direct says whether a URL is of such a service.
func (n *Notifier) direct(u *url.URL) (builder, bool) {
	switch {
	case scheme(u) == "discord":
		return n.discord, true
	case scheme(u) == "telegram":
		return n.telegram, true
	case strings.EqualFold(u.Scheme, "teams+https"), strings.EqualFold(u.Scheme, "teams+http"):
		return n.workflow, true
	}
	return nil, false
}

// post sends all requests even when one fails, so that one chat that is gone does not silence the others.
func (n *Notifier) post(ctx context.Context, b builder, m plan.Message, u *url.URL) error {
	rs, err := b(m, u)
	if err != nil {
		return &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: errors.New(scrub(u, err.Error()))}
	}
	var first error
	for _, r := range rs {
		body, err := json.Marshal(r.body)
		if err != nil {
			return &notifiers.Error{Reason: notifiers.ClientError, Final: true, Err: fmt.Errorf("write message: %w", err)}
		}
		_, err = n.http.Post(ctx, send.Request{
			To: secret.Text{Value: r.to}, Body: body, Header: http.Header{"Content-Type": {"application/json"}}, Hide: hidden(u),
		})
		if first == nil {
			first = wait(err)
		}
	}
	return first
}

var retryAfter = regexp.MustCompile(`retry after (\d{1,5})\b`)

// wait reads how long Telegram wants to be left alone, which it says in words alone.
func wait(err error) error {
	var e *notifiers.Error
	if errors.As(err, &e) && e.Reason == notifiers.RateLimited && e.RetryAfter == 0 {
		if found := retryAfter.FindStringSubmatch(e.Err.Error()); found != nil {
			if seconds, err := strconv.Atoi(found[1]); err == nil {
				e.RetryAfter = min(time.Duration(seconds)*time.Second, time.Hour)
			}
		}
	}
	return err
}

// discord: discord://token@webhookid?thread_id=…&username=…&avatar=…
func (n *Notifier) discord(m plan.Message, u *url.URL) ([]request, error) {
	if u.Host == "" || u.User == nil || u.User.Username() == "" {
		return nil, errors.New("want discord://token@webhookid")
	}
	to, err := url.JoinPath(n.o.DiscordAPI, "webhooks", u.Host, u.User.Username())
	if err != nil {
		return nil, fmt.Errorf("address of Discord: %w", err)
	}
	if id := u.Query().Get("thread_id"); id != "" {
		to += "?" + url.Values{"thread_id": {id}}.Encode()
	}
	text, params := n.words(m, "discord")
	body := map[string]any{
		"embeds":           []any{map[string]any{"title": params["title"], "description": text, "color": colour(m)}},
		"allowed_mentions": map[string]any{"parse": []string{}},
	}
	for field, keys := range map[string][]string{"username": {"username"}, "avatar_url": {"avatar", "avatarurl"}} {
		for _, key := range keys {
			if v := u.Query().Get(key); v != "" {
				body[field] = v
			}
		}
	}
	return []request{{to, body}}, nil
}

func colour(m plan.Message) int {
	switch {
	case !m.Firing():
		return 0x2eb886
	case m.Severity == model.Critical:
		return 0xd60510
	case m.Severity == model.Warning:
		return 0xffc441
	}
	return 0x2488ff
}

// telegram: telegram://token@telegram?chats=@channel,-100123:5&notification=no
func (n *Notifier) telegram(m plan.Message, u *url.URL) ([]request, error) {
	if u.User == nil {
		return nil, errors.New("want telegram://token@telegram?chats=…")
	}
	token := u.User.Username()
	if rest, ok := u.User.Password(); ok {
		token += ":" + rest
	}
	chats := u.Query().Get("chats")
	if chats == "" {
		chats = u.Query().Get("channels")
	}
	if !strings.Contains(token, ":") || chats == "" {
		return nil, errors.New("want telegram://token@telegram?chats=…")
	}
	to, err := url.JoinPath(n.o.TelegramAPI, "bot"+token, "sendMessage")
	if err != nil {
		return nil, errors.New("the address of the Bot API is no URL")
	}
	text, _ := n.words(m, "telegram")
	var out []request
	for chat := range strings.SplitSeq(chats, ",") {
		chat, thread, _ := strings.Cut(strings.TrimSpace(chat), ":")
		body := map[string]any{"chat_id": chat, "text": text, "link_preview_options": map[string]any{"is_disabled": true}}
		if id, err := strconv.Atoi(thread); err == nil {
			body["message_thread_id"] = id
		}
		switch strings.ToLower(u.Query().Get("notification")) {
		case "no", "false", "0":
			body["disable_notification"] = true
		}
		out = append(out, request{to, body})
	}
	return out, nil
}

// workflow: teams+https://…, the address that a workflow of Teams ("when a webhook request is received") shows.
func (n *Notifier) workflow(m plan.Message, u *url.URL) ([]request, error) {
	to := *u
	to.Scheme = strings.TrimPrefix(strings.ToLower(u.Scheme), "teams+")
	if to.Host == "" {
		return nil, errors.New("want teams+https:// and the workflow's address")
	}
	text, params := n.words(m, "teams")
	block := func(text, weight string) map[string]any {
		return map[string]any{"type": "TextBlock", "text": text, "weight": weight, "wrap": true}
	}
	card := map[string]any{
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
		"msteams": map[string]any{"width": "full"},
		"body":    []any{block(params["title"], "bolder"), block(text, "default")},
	}
	return []request{{to.String(), map[string]any{
		"type":        "message",
		"attachments": []any{map[string]any{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}},
	}}}, nil
}

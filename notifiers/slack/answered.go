package slack

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/template"
)

// show updates the message for all who look at it, or tells the one person that nothing was recorded.
func (i *Interactions) show(ctx context.Context, c slackgo.InteractionCallback, a notifiers.Answer, failed error) error {
	if failed != nil {
		return i.respond(ctx, c.ResponseURL, slackgo.WebhookMessage{
			ResponseType: "ephemeral", Text: "inferdx could not record that just now. Please press again in a minute.",
		})
	}
	blocks := answered(c.Message.Blocks.BlockSet, a)
	if len(blocks) == 0 { // posted as plain text: there is nothing to add a line to
		return nil
	}
	return i.respond(ctx, c.ResponseURL, slackgo.WebhookMessage{
		ReplaceOriginal: true, Text: c.Message.Text, Blocks: &slackgo.Blocks{BlockSet: blocks},
	})
}

// answered puts a line about the answer above the buttons, in place of an older one of the same kind,
// and takes an Acknowledge away that has been pressed.
func answered(blocks []slackgo.Block, a notifiers.Answer) []slackgo.Block {
	id := "inferdx_said_" + string(a.Kind)
	if a.Kind == notifiers.DidNotHelp {
		id = "inferdx_said_" + string(notifiers.Helped) // the two replace each other
	}
	line := slackgo.NewContextBlock(id, mrkdwn(sentence(a)))
	var out []slackgo.Block
	at := -1
	for _, b := range blocks {
		switch b := b.(type) {
		case *slackgo.ContextBlock:
			if b.BlockID == id {
				continue
			}
		case *slackgo.ActionBlock:
			if b.BlockID == actionsID {
				at = len(out)
				if b = without(b, a); b == nil {
					continue
				}
				out = append(out, b)
				continue
			}
		}
		out = append(out, b)
	}
	switch {
	case len(out) == 0:
		return nil
	case len(out) >= maxBlocks:
		return out
	case at < 0:
		at = len(out)
	}
	return slices.Insert(out, at, slackgo.Block(line))
}

func without(b *slackgo.ActionBlock, a notifiers.Answer) *slackgo.ActionBlock {
	if a.Kind != notifiers.Acknowledge || b.Elements == nil {
		return b
	}
	var left []slackgo.BlockElement
	for _, e := range b.Elements.ElementSet {
		if x, ok := e.(*slackgo.ButtonBlockElement); !ok || x.ActionID != actionPre+string(a.Kind) {
			left = append(left, e)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return slackgo.NewActionBlock(b.BlockID, left...)
}

func sentence(a notifiers.Answer) string {
	who, at := template.EscapeMrkdwn(a.User), a.At.UTC().Format("15:04 UTC")
	switch a.Kind {
	case notifiers.Acknowledge:
		return "👀 " + who + " looks after it since " + at
	case notifiers.Silence:
		return "🔕 " + who + " silenced it until " + a.At.Add(a.For).UTC().Format("15:04 UTC")
	case notifiers.Applied:
		return "🔧 " + who + " applied the change at " + at + "; inferdx watches whether it helps"
	case notifiers.Helped:
		return "👍 " + who + " says that it helped"
	default:
		return "👎 " + who + " says that it did not help"
	}
}

// respond uses the address that came with a press. It must be Slack's: the payload is signed, but an
// address is followed only where it can lead.
func (i *Interactions) respond(ctx context.Context, to string, m slackgo.WebhookMessage) error {
	u, err := url.Parse(to)
	if err != nil || !i.trusted(u) {
		return fmt.Errorf("slack: the press came with no address of Slack's to answer at")
	}
	body, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("slack: answer a press: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("slack: answer a press: %w", bare(err))
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := i.http.Do(r)
	if err != nil {
		return fmt.Errorf("slack: update a message after a press: %w", hide(err, to))
	}
	defer res.Body.Close()
	said, err := io.ReadAll(io.LimitReader(res.Body, 500))
	if err == nil && (res.StatusCode/100 != 2 || strings.Contains(string(said), `"ok":false`)) {
		return fmt.Errorf("slack: update a message after a press: %s: %.200q", res.Status, said)
	}
	return nil
}

func (i *Interactions) trusted(u *url.URL) bool {
	if api, err := url.Parse(i.o.APIURL); err == nil && u.Scheme == api.Scheme && strings.EqualFold(u.Host, api.Host) {
		return true
	}
	host := strings.ToLower(u.Hostname())
	return u.Scheme == "https" && (strings.HasSuffix(host, ".slack.com") || strings.HasSuffix(host, ".slack-gov.com"))
}

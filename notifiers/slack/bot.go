package slack

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

// call is one request in the name of the bot.
type call func(context.Context, *slackgo.Client) error

// converse brings a channel up to date. Editing can be repeated, so it comes first; the reply, which
// cannot, comes last: a crash between a post and its receipt repeats that one post at most.
func (n *Notifier) converse(ctx context.Context, m plan.Message, done *receipt) error {
	if done.Message != m.ID {
		if m.Reason == plan.First || m.Reason == plan.Test {
			*done = receipt{} // a new problem gets a message of its own
		}
		done.Message, done.RootDone, done.Replied = m.ID, false, false
	}
	posted, err := n.bringRoot(ctx, m, done)
	if err != nil || done.Replied {
		return err
	}
	say := n.reply(m)
	if m.Reason == plan.First {
		say = n.evidence(m)
	}
	if posted && m.Reason != plan.First || m.Reason == plan.Test || len(say.blocks) == 0 {
		done.Replied = true // the new root says it all
		return nil
	}
	_, err = n.post(ctx, m, say, done.Channel, done.Root, broadcast(m))
	if gone(code(err)) {
		if err = n.postRoot(ctx, m, done); err != nil {
			return err
		}
	}
	done.Replied = err == nil
	return classify("reply in a thread", err)
}

// broadcast says whether the whole channel must notice: an edit rings for nobody, and a thread only
// for those who are in it.
func broadcast(m plan.Message) bool {
	switch m.Reason {
	case plan.Worse, plan.CauseChanged:
		return true
	case plan.Reminder:
		return m.Acknowledged == nil
	}
	return false
}

// bringRoot posts the message or edits the one that stands; posted says that it is new.
func (n *Notifier) bringRoot(ctx context.Context, m plan.Message, done *receipt) (posted bool, err error) {
	switch {
	case done.RootDone:
		return false, nil
	case done.Root == "":
		return true, n.postRoot(ctx, m, done)
	case m.Reason == plan.Verified:
		done.RootDone = true
		return false, nil
	}
	err = n.edit(ctx, n.root(m, n.o.Buttons), done)
	if gone(code(err)) {
		return true, n.postRoot(ctx, m, done)
	}
	done.RootDone = err == nil
	return false, classify("edit a message", err)
}

func (n *Notifier) postRoot(ctx context.Context, m plan.Message, done *receipt) error {
	done.Root = ""
	at, err := n.post(ctx, m, n.root(m, n.o.Buttons), n.o.Channel, "", false)
	if err != nil {
		return classify("post a message", err)
	}
	done.Channel, done.Root, done.RootDone = at.channel, at.ts, true
	return nil
}

type place struct{ channel, ts string }

// post sends a message unless an earlier try already has.
func (n *Notifier) post(ctx context.Context, m plan.Message, w words, channel, thread string, all bool) (place, error) {
	if at, ok := n.already(ctx, m, channel, thread); ok {
		return at, nil
	}
	send := func(body ...slackgo.MsgOption) (at place, err error) {
		o := append([]slackgo.MsgOption{
			slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(),
			slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: eventType, EventPayload: map[string]any{"id": m.ID, "reason": string(m.Reason)}}),
		}, body...)
		if thread != "" {
			o = append(o, slackgo.MsgOptionTS(thread))
			if all {
				o = append(o, slackgo.MsgOptionBroadcast())
			}
		}
		err = n.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
			at.channel, at.ts, err = c.PostMessageContext(ctx, channel, o...)
			return err
		})
		return at, err
	}
	at, err := send(slackgo.MsgOptionText(w.short, false), slackgo.MsgOptionBlocks(w.blocks...))
	if plainer(code(err)) {
		n.fault(classify("post a message with blocks", err))
		at, err = send(slackgo.MsgOptionText(w.plain, false))
	}
	if err == nil {
		n.remember(at.channel)
	}
	return at, err
}

func (n *Notifier) edit(ctx context.Context, w words, done *receipt) error {
	send := func(body ...slackgo.MsgOption) error {
		return n.do(ctx, func(ctx context.Context, c *slackgo.Client) error {
			_, _, _, err := c.UpdateMessageContext(ctx, done.Channel, done.Root, body...)
			return err
		})
	}
	err := send(slackgo.MsgOptionText(w.short, false), slackgo.MsgOptionBlocks(w.blocks...))
	if plainer(code(err)) {
		n.fault(classify("edit a message with blocks", err))
		err = send(slackgo.MsgOptionText(w.plain, false), slackgo.MsgOptionBlocks())
	}
	return err
}

// do waits for the channel's turn and makes one call. A token that was rotated meanwhile is tried once.
func (n *Notifier) do(ctx context.Context, f call) error {
	if err := n.o.Pacer.wait(ctx, n.o.Channel); err != nil {
		return err
	}
	return n.ask(ctx, f)
}

func (n *Notifier) ask(ctx context.Context, f call) error {
	token, err := n.o.Token()
	if err != nil {
		return &notifiers.Error{Reason: notifiers.AuthError, Err: fmt.Errorf("slack: bot token: %w", err)}
	}
	err = f(ctx, n.client(token))
	if reason, _ := byCode(code(err)); code(err) != "" && reason == notifiers.AuthError {
		if again, readErr := n.o.Token(); readErr == nil && again != token {
			token = again
			err = f(ctx, n.client(token))
		}
	}
	var limited *slackgo.RateLimitedError
	if errors.As(err, &limited) {
		n.o.Pacer.hold(n.o.Channel, limited.RetryAfter)
	}
	return hide(err, token)
}

func (n *Notifier) client(token string) *slackgo.Client {
	return slackgo.New(token, slackgo.OptionHTTPClient(n.http), slackgo.OptionAPIURL(n.o.APIURL))
}

// eventType marks our messages in Slack's metadata, where the id of each is kept.
const eventType = "inferdx_message"

// doubt is how old a message must be before an earlier try of it is looked for: a fresh one has none.
const doubt = 2 * time.Second

// already looks for a message that an earlier try posted without hearing so. It needs a scope that
// the bot may not have; then a post may be repeated.
func (n *Notifier) already(ctx context.Context, m plan.Message, channel, thread string) (place, bool) {
	if n.o.Now().Sub(m.At) < doubt {
		return place{}, false
	}
	channel = n.idOf(channel)
	oldest := strconv.FormatInt(m.At.Unix()-1, 10) + ".000000"
	var found []slackgo.Message
	err := n.ask(ctx, func(ctx context.Context, c *slackgo.Client) error {
		if thread != "" {
			ms, _, _, err := c.GetConversationRepliesContext(ctx, &slackgo.GetConversationRepliesParameters{
				ChannelID: channel, Timestamp: thread, Oldest: oldest, Limit: 200, IncludeAllMetadata: true,
			})
			found = ms
			return err
		}
		h, err := c.GetConversationHistoryContext(ctx, &slackgo.GetConversationHistoryParameters{
			ChannelID: channel, Oldest: oldest, Limit: 200, IncludeAllMetadata: true,
		})
		if h != nil {
			found = h.Messages
		}
		return err
	})
	if err != nil {
		return place{}, false
	}
	for _, x := range found {
		if x.Metadata.EventType == eventType && x.Metadata.EventPayload["id"] == m.ID && (x.ThreadTimestamp == thread || thread == "" && x.ThreadTimestamp == x.Timestamp) {
			return place{channel, x.Timestamp}, true
		}
	}
	return place{}, false
}

// remember keeps the id of the channel, which the history asks for even where a name was configured.
func (n *Notifier) remember(id string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.id = id
}

func (n *Notifier) idOf(channel string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if channel == n.o.Channel && n.id != "" {
		return n.id
	}
	return channel
}

package slack

import (
	"encoding/json"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
)

const (
	actionsID = "inferdx_actions"
	actionPre = "inferdx_"
	maxValue  = 2000
)

// value is what a button carries: all that is needed to know what an answer is about.
type value struct {
	Key      string `json:"k"`
	Receiver string `json:"r"`
	Cause    string `json:"c,omitempty"`
}

// actions offers what can be answered now: nothing about a test, only the outcome once it is over.
func (p *page) actions(m plan.Message) {
	if m.Reason == plan.Test || m.Reason == plan.Verified || m.Gone {
		return
	}
	v := value{Key: m.Key, Receiver: m.Receiver, Cause: causeOf(m)}
	raw, err := json.Marshal(v)
	if err != nil {
		p.n.fault(err)
		return
	}
	if utf8.RuneCount(raw) > maxValue {
		p.context("No buttons: the name of this group is too long for Slack.")
		return
	}
	var bs []slackgo.BlockElement
	add := func(k notifiers.AnswerKind, text string, style slackgo.Style) {
		b := slackgo.NewButtonBlockElement(actionPre+string(k), string(raw), slackgo.NewTextBlockObject(slackgo.PlainTextType, text, false, false))
		b.Style = style
		bs = append(bs, b)
		p.total += len(text) + utf8.RuneCount(raw)
	}
	if m.Firing() {
		if m.Acknowledged == nil {
			add(notifiers.Acknowledge, "Acknowledge", slackgo.StylePrimary)
		}
		add(notifiers.Silence, "Silence 1 h", slackgo.StyleDefault)
	}
	if v.Cause != "" {
		if m.Firing() {
			add(notifiers.Applied, "Applied", slackgo.StyleDefault)
		}
		add(notifiers.Helped, "Helped", slackgo.StyleDefault)
		add(notifiers.DidNotHelp, "Did not help", slackgo.StyleDefault)
	}
	if len(bs) > 0 {
		p.blocks = append(p.blocks, slackgo.NewActionBlock(actionsID, bs...))
	}
}

// causeOf is the cause that the message names first. Where the worst has none, a button must not mean
// another server's.
func causeOf(m plan.Message) string {
	if len(m.Diagnoses) == 0 {
		return ""
	}
	for _, c := range m.Diagnoses[0].Causes {
		if c.Primary {
			return c.ID
		}
	}
	return ""
}

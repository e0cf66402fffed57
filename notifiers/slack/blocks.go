package slack

import (
	"fmt"
	"unicode/utf8"

	slackgo "github.com/slack-go/slack"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/template"
)

// What Slack takes. The total is what was seen to pass: it is not documented.
const (
	maxBlocks  = 50
	maxTotal   = 12_000
	maxHeader  = 150
	maxSection = 3000
	maxField   = 2000
	maxPlain   = 12_000
)

// full is how many targets are told in full at most; nobody reads a fourth at 3 a.m.
const full = 3

// words is one Slack message: the blocks, and the text where no block can be shown.
type words struct {
	blocks []slackgo.Block
	// short is for the phone's lock screen, plain what is posted when Slack refuses the blocks.
	short, plain string
}

// page collects blocks and counts what they spend.
type page struct {
	n      *Notifier
	blocks []slackgo.Block
	total  int
	// share cuts every piece to a part of its limit where the whole is too long.
	share int
}

// root is the message that stands in the channel and tells the present truth.
func (n *Notifier) root(m plan.Message, buttons bool) words {
	var p *page
	for _, try := range []struct{ full, share int }{{full, 1}, {2, 1}, {1, 1}, {1, 2}, {1, 4}} {
		p = &page{n: n, share: try.share}
		p.root(m, try.full, buttons)
		if p.fits() {
			return words{p.blocks, n.short(m), n.plain(m)}
		}
	}
	p = &page{n: n, share: 4}
	p.root(m, 1, false)
	return words{p.blocks, n.short(m), n.plain(m)}
}

func (p *page) fits() bool { return len(p.blocks) <= maxBlocks && p.total <= maxTotal }

func (p *page) root(m plan.Message, full int, buttons bool) {
	if !m.Firing() || m.Reason == plan.Verified || m.Reason == plan.Test {
		full = 0
	}
	d := p.n.o.Words.Data(m, full)
	p.header(p.n.say("slack.header", headline(d)))
	p.section(p.n.say("slack.lead", d), maxSection)
	if m.Reason == plan.Verified {
		p.section(p.n.say("slack.outcome", d), maxSection)
	}
	for i, t := range d.Targets {
		if i > 0 {
			p.blocks = append(p.blocks, slackgo.NewDividerBlock())
		}
		p.target(t)
	}
	if full > 0 {
		p.section(p.n.say("slack.rest", d), maxSection/2)
	}
	if d.AckBy != "" && m.Firing() {
		p.context("👀 " + template.EscapeMrkdwn(d.AckBy) + " looks after it since " + d.AckAt.UTC().Format("15:04 UTC"))
	}
	if buttons {
		p.actions(m)
	}
	if d.Link != "" {
		p.context(p.link(d.Link))
	}
}

// headline says how things stand: what changed last is said under it and in the thread.
func headline(d template.Data) template.Data {
	switch plan.Reason(d.Reason) {
	case plan.Worse, plan.CauseChanged, plan.Reminder:
		d.Reason = string(plan.First)
	}
	return d
}

// target tells one diagnosis, in the order in which it is needed.
func (p *page) target(t template.Target) {
	p.section(p.n.say("slack.target.who", t), maxSection/4)
	p.fields(p.n.say("slack.target.hurts", t), p.n.say("slack.target.likely", t))
	p.section(p.n.say("slack.target.because", t), maxSection/2)
	p.section(p.n.say("slack.target.turn", t), maxSection/2)
	p.context(p.n.say("slack.target.unseen", t))
}

func (p *page) header(s string) {
	if s = oneLine(s); s == "" {
		return
	}
	emoji := true
	p.add(slackgo.NewHeaderBlock(&slackgo.TextBlockObject{Type: slackgo.PlainTextType, Text: template.Cut(s, maxHeader), Emoji: &emoji}), s)
}

func (p *page) section(s string, most int) {
	if s = template.Cut(s, most/p.share); s != "" {
		p.add(slackgo.NewSectionBlock(mrkdwn(s), nil, nil), s)
	}
}

func (p *page) fields(in ...string) {
	var out []*slackgo.TextBlockObject
	all := ""
	for _, s := range in {
		if s = template.Cut(s, maxField/p.share); s != "" {
			out = append(out, mrkdwn(s))
			all += s
		}
	}
	if len(out) > 0 {
		p.add(slackgo.NewSectionBlock(nil, out, nil), all)
	}
}

func (p *page) context(s string) {
	if s = template.Cut(s, maxSection/4/p.share); s != "" {
		p.add(slackgo.NewContextBlock("", mrkdwn(s)), s)
	}
}

func (p *page) link(url string) string {
	s, err := template.Link(url, "details")
	p.n.fault(err)
	return s
}

func (p *page) add(b slackgo.Block, s string) {
	p.blocks = append(p.blocks, b)
	p.total += utf8.RuneCountInString(s)
}

// mrkdwn is verbatim, so that Slack makes no link and no mention out of what a label says.
func mrkdwn(s string) *slackgo.TextBlockObject {
	return &slackgo.TextBlockObject{Type: slackgo.MarkdownType, Text: s, Verbatim: true}
}

// say renders one piece; a template that fails is reported, and the built-in words stand in for it.
func (n *Notifier) say(name string, data any) string {
	s, err := n.o.Words.Render(name, data)
	if err != nil {
		n.fault(fmt.Errorf("slack: %w", err))
	}
	return s
}

// short is the notification's text.
func (n *Notifier) short(m plan.Message) string {
	return template.Cut(template.EscapePlain(oneLine(n.say(template.Title, n.o.Words.Data(m, 0)))), maxSection)
}

func (n *Notifier) plain(m plan.Message) string {
	return template.Cut(template.EscapePlain(n.say(template.Text, n.o.Words.Data(m, full))), maxPlain)
}

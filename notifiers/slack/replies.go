package slack

import (
	"strings"

	"github.com/inferdx/inferdx/internal/plan"
)

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// evidence is the reply under a first message: all that speaks for and against. It is empty where
// there is nothing to add.
func (n *Notifier) evidence(m plan.Message) words {
	p := &page{n: n, share: 1}
	d := n.o.Words.Data(m, full)
	for _, t := range d.Targets {
		before := *p
		p.section(n.say("slack.target.evidence", t), maxSection)
		if !p.fits() {
			*p = before
			break
		}
	}
	if len(p.blocks) == 0 {
		return words{}
	}
	return words{p.blocks, n.short(m), n.plain(m)}
}

// reply is what is said in the thread when something changed.
func (n *Notifier) reply(m plan.Message) words {
	p := &page{n: n, share: 1}
	d := n.o.Words.Data(m, 1)
	p.section(n.say("slack.reply", d), maxSection)
	if m.Reason == plan.CauseChanged { // the evidence is what is new
		for _, t := range d.Targets {
			p.section(n.say("slack.target.evidence", t), maxSection)
		}
	}
	return words{p.blocks, n.short(m), n.plain(m)}
}

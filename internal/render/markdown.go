package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Markdown writes the report for an issue or a chat: what Text says, with everything that came from
// a server escaped, so that no label becomes a link, a mention or markup.
func Markdown(w io.Writer, r *model.Report) error {
	var m sheet
	views := newViews(r)
	for i, v := range views {
		short := len(views) > 1 && quiet(v.status)
		if i > 0 && (!short || !quiet(views[i-1].status)) {
			m.line("")
		}
		if short {
			m.line("- " + code(v.name) + " **" + string(v.status) + "**: " + md(quietSummary(v)))
		} else {
			m.full(v)
		}
	}
	if len(views) != 1 {
		if len(views) > 0 {
			m.line("")
		}
		m.line(md(tally(r.Targets)))
	}
	for _, f := range faultsOf(r) {
		m.line("")
		m.line(md(f))
	}
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write report as Markdown: %w", err)
	}
	return nil
}

// sheet collects lines of Markdown.
type sheet struct{ b strings.Builder }

func (m *sheet) line(s string) { m.b.WriteString(s + "\n") }

func (m *sheet) full(v view) {
	m.line("### " + code(v.name) + ": " + strings.ToUpper(string(v.status)))
	if sub := joined(v.engine, v.seen); sub != "" {
		m.line("")
		m.line(md(sub))
	}
	m.line("")
	hurts := v.hurts
	label := "Hurts"
	if len(hurts) == 0 {
		hurts, label = []string{quietSummary(v)}, title(labelOf(v.status))
	}
	m.item(label, strings.Join(each(hurts, md), "; "))
	if len(v.trends) > 0 {
		m.item("Trend", strings.Join(each(v.trends, code), " "))
	}
	m.item("Impact", md(v.impact))
	m.item("Bound by", md(v.boundBy))
	ceiling := md(v.ceiling)
	if v.most != "" {
		ceiling += "; " + md(v.most)
	}
	m.item("Ceiling", ceiling)
	since := md(v.since)
	if v.changed != "" {
		since = strings.TrimPrefix(since+"; "+md(v.changed), "; ")
	}
	m.item("Since", since)
	m.cause(v)
	m.turns(v)
	for _, x := range v.examples {
		where := code(x.trace)
		if x.link != "" {
			where = x.link // escaped as a URL is
		}
		m.item("Trace", md(x.what)+" "+where)
	}
	m.item("Also", strings.Join(each(v.also, md), "; "))
	for _, n := range v.notes {
		m.item("Note", md(n))
	}
	for _, x := range v.missing {
		m.item("Missing", md(x))
	}
}

func (m *sheet) item(label, s string) {
	if s != "" {
		m.line("- **" + label + "**: " + s)
	}
}

func (m *sheet) sub(label string, ss []string) {
	for _, s := range ss {
		m.line("  - " + label + ": " + md(s))
	}
}

func (m *sheet) cause(v view) {
	if c := v.cause; c != nil {
		m.item("Cause", "**"+md(c.title)+"** ("+code(c.id)+", score "+md(c.score)+")")
		if c.thin != "" {
			m.line("  - " + md(c.thin))
		}
		m.sub("for", c.why)
		m.sub("against", c.against)
		m.sub("unseen", c.missing)
		m.sub("hence", c.hence)
	}
	if !v.abstained {
		return
	}
	if len(v.candidates) == 0 {
		m.item("Cause", noneKnown+" (score "+md(v.otherwise)+")")
		return
	}
	m.item("Cause", "not enough to name one cause")
	for _, c := range v.candidates {
		m.line("  - maybe " + md(c.title) + " (" + code(c.id) + ", score " + md(c.score) + ")")
		for _, part := range []struct {
			label string
			lines []string
		}{{"for", c.why}, {"against", c.against}, {"would tell", c.missing}} {
			for _, l := range part.lines {
				m.line("    - " + part.label + ": " + md(l))
			}
		}
	}
	if v.more != "" {
		m.line("  - or " + md(v.more))
	}
	if v.otherwise != "" {
		m.line("  - or " + noneKnown + " (score " + md(v.otherwise) + ")")
	}
}

func (m *sheet) turns(v view) {
	for i, t := range v.turns {
		label := "Turn"
		switch {
		case i > 0:
			label = "Or"
		case t.knob == "":
			label = "Do"
		}
		what := md(t.words)
		if t.knob != "" {
			what = code(t.knob)
		}
		if t.price != "" {
			what += " (" + md(t.price) + ")"
		}
		m.item(label, what)
		for _, l := range []string{t.why, t.then, t.undo} {
			if l != "" {
				m.line("  - " + md(l))
			}
		}
	}
	if v.expect != "" {
		m.item("Expect", md(v.expect)+"; "+checkHint)
	}
}

func title(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

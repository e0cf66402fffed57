package render

import (
	"fmt"
	"io"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/inferdx/inferdx/internal/model"
)

// TextOptions say how the text form looks.
type TextOptions struct {
	// Width is the terminal's, in columns; 0 means 100. Lines never grow beyond 120, since nobody
	// reads longer ones, nor shrink below 40.
	Width  int
	Colour bool
}

// Text writes the report for a terminal, the worst target first. Where there are several, those
// without a finding take one line each.
func Text(w io.Writer, r *model.Report, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	p := &page{width: min(max(o.Width, 40), 120), theme: newTheme(o.Colour)}
	views := newViews(r)
	for i, v := range views {
		short := len(views) > 1 && quiet(v.status)
		if i > 0 && (!short || !quiet(views[i-1].status)) {
			p.b.WriteByte('\n')
		}
		if short {
			p.short(v)
		} else {
			p.full(v)
		}
	}
	p.closing(r)
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("write report as text: %w", err)
	}
	return nil
}

func quiet(s model.Status) bool { return s == model.Healthy || s == model.Idle }

func (p *page) short(v view) {
	line := joined(v.name, v.engine, quietSummary(v))
	if lipgloss.Width(line)+2+len(v.status) > p.width {
		line = joined(v.name, quietSummary(v))
	}
	p.head(line, strings.ToUpper(string(v.status)), lipgloss.NewStyle(), p.theme.status[v.status])
}

func (p *page) full(v view) {
	p.head(joined(v.name, v.engine, v.seen), strings.ToUpper(string(v.status)), p.theme.name, p.theme.status[v.status])
	p.b.WriteByte('\n')
	p.harm(v)
	if v.since != "" {
		p.row(row{label: " since", text: v.since, aside: v.changed})
	} else if v.changed != "" {
		p.row(row{label: " changed", text: strings.TrimPrefix(v.changed, "changed ")})
	}
	if v.cause != nil {
		p.cause(*v.cause)
	}
	if v.abstained {
		p.candidates(v)
	}
	p.turns(v)
	p.examples(v.examples)
	p.list(" also", v.also, p.theme.faint)
	p.list(" note", v.notes, p.theme.faint)
	p.list(" missing", v.missing, p.theme.faint)
}

// harm says what hurts, or what was looked at where nothing does.
func (p *page) harm(v view) {
	trend := strings.Join(v.trends, "  ")
	if len(v.hurts) == 0 {
		p.row(row{label: " " + labelOf(v.status), text: quietSummary(v), right: trend})
	}
	for i, h := range v.hurts {
		switch i {
		case 0:
			p.row(row{label: " hurts", text: h, right: trend})
		default:
			p.row(row{text: h})
		}
	}
	if v.impact != "" {
		p.row(row{text: v.impact})
	}
	if v.boundBy != "" {
		p.row(row{label: " bound by", text: v.boundBy})
	}
	if v.ceiling != "" {
		p.row(row{label: " ceiling", text: v.ceiling})
	}
	if v.most != "" {
		p.row(row{text: v.most})
	}
}

func labelOf(s model.Status) string {
	switch s {
	case model.Down, model.Unknown, model.Idle:
		return string(s)
	case model.Degraded:
		return "hurts"
	default:
		return "seen"
	}
}

// quietSummary is the engine's sentence, or the plain truth where it has none.
func quietSummary(v view) string {
	if v.summary != "" {
		return v.summary
	}
	seen := v.seen
	if seen == "" {
		seen = "the window"
	}
	switch v.status {
	case model.Healthy:
		return "no rule found harm in " + seen
	case model.Idle:
		return "no traffic in " + seen
	case model.Down:
		return "it does not answer"
	case model.Degraded:
		return "harm was found but not described"
	default:
		return "not enough was seen to tell"
	}
}

func (p *page) cause(c causeView) {
	title := c.title
	if c.id != "" && c.id != c.title {
		title += " (" + c.id + ")"
	}
	p.row(row{label: " cause", text: title, right: c.score, style: p.theme.cause})
	if c.thin != "" {
		p.row(row{text: c.thin, style: p.theme.faint})
	}
	p.list("   for", orDash(c.why), lipgloss.NewStyle())
	p.list("   against", orDash(c.against), lipgloss.NewStyle())
	p.list("   unseen", orDash(c.missing), lipgloss.NewStyle())
	p.list("   hence", c.hence, lipgloss.NewStyle())
}

func (p *page) candidates(v view) {
	if len(v.candidates) == 0 {
		p.row(row{label: " cause", text: noneKnown, right: v.otherwise, style: p.theme.cause})
		return
	}
	p.row(row{label: " cause", text: "not enough to name one cause", style: p.theme.cause})
	for _, c := range v.candidates {
		title := c.title
		if c.id != c.title {
			title += " (" + c.id + ")"
		}
		p.row(row{label: "   maybe", text: title, right: c.score, style: p.theme.cause})
		p.bullets("for", c.why)
		p.bullets("against", c.against)
		p.bullets("would tell", c.missing)
	}
	if v.more != "" {
		p.row(row{label: "   or", text: v.more})
	}
	if v.otherwise != "" {
		p.row(row{label: "   or", text: noneKnown, right: v.otherwise})
	}
}

// bullets lists under a candidate what the labels' column would make too long.
func (p *page) bullets(what string, lines []string) {
	for _, l := range lines {
		p.row(row{text: what + ": " + l})
	}
}

func (p *page) turns(v view) {
	for i, t := range v.turns {
		label := " turn"
		switch {
		case i > 0:
			label = "   or"
		case t.knob == "":
			label = " do"
		}
		if t.knob != "" {
			p.row(row{label: label, text: t.knob, aside: t.price, style: p.theme.turn})
		} else {
			p.row(row{label: label, text: t.words, aside: t.price, style: p.theme.turn})
		}
		for _, l := range []string{t.why, t.then, t.undo} {
			if l != "" {
				p.row(row{text: l})
			}
		}
	}
	if v.expect != "" {
		p.row(row{label: " expect", text: v.expect, aside: checkHint})
	}
}

func (p *page) list(label string, lines []string, style lipgloss.Style) {
	for i, l := range lines {
		if i > 0 {
			label = ""
		}
		p.row(row{label: label, text: l, style: style})
	}
}

// examples are requests to look at.
func (p *page) examples(all []exampleView) {
	for i, x := range all {
		label := ""
		if i == 0 {
			label = " traces"
		}
		p.row(row{label: label, text: x.what})
		p.row(row{text: x.where(), style: p.theme.faint})
	}
}

// closing sums up and says what could not be read at all.
func (p *page) closing(r *model.Report) {
	if len(r.Targets) != 1 {
		if len(r.Targets) > 0 {
			p.b.WriteByte('\n')
		}
		for _, l := range wrap(tally(r.Targets), p.width) {
			p.b.WriteString(l + "\n")
		}
	}
	for _, f := range faultsOf(r) {
		for i, l := range wrap(f, p.width-2) {
			if i > 0 {
				l = "  " + l
			}
			p.b.WriteString(l + "\n")
		}
	}
}

func faultsOf(r *model.Report) []string {
	out := each(few(r.Faults, maxEvidence), func(s string) string { return "not read: " + text(s) })
	if r.Partial && len(out) == 0 {
		out = append(out, "not everything could be read: what is not listed may still hurt")
	}
	return out
}

func orDash(s []string) []string {
	if len(s) == 0 {
		return []string{"-"}
	}
	return s
}

func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " · ")
}

// tally is the last line: "3 targets: 1 degraded, 2 healthy".
func tally(ds []model.Diagnosis) string {
	if len(ds) == 0 {
		return "no target was read"
	}
	count, targets, groups := map[model.Status]int{}, 0, 0
	for _, d := range ds {
		count[d.Status]++
		if d.Scope == model.ScopeGroup {
			groups++
		} else {
			targets++
		}
	}
	var what, parts []string
	if groups > 0 {
		what = append(what, plural(groups, "group"))
	}
	if targets > 0 {
		what = append(what, plural(targets, "target"))
	}
	for _, s := range []model.Status{model.Down, model.Degraded, model.Unknown, model.Idle, model.Healthy} {
		if n := count[s]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(what, ", ") + ": " + strings.Join(parts, ", ")
}

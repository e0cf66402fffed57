package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// CompareJSON writes a comparison as its contract has it, with numbers of six significant digits.
func CompareJSON(w io.Writer, r compare.Result) error {
	r.Metrics = each(r.Metrics, func(m compare.Metric) compare.Metric {
		m.Before, m.After, m.Ratio = valuePtr(m.Before), valuePtr(m.After), valuePtr(m.Ratio)
		if m.Interval != nil {
			m.Interval = &[2]*float64{valuePtr(m.Interval[0]), valuePtr(m.Interval[1])}
		}
		return m
	})
	r.Lines, r.Notes = each(r.Lines, same), each(r.Notes, same)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write comparison as JSON: %w", err)
	}
	return nil
}

// CompareText writes a comparison for a terminal: the verdict and why, then the figures.
func CompareText(w io.Writer, r compare.Result, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	p := &page{width: min(max(o.Width, 40), 120), theme: newTheme(o.Colour)}
	p.head(compared(r), strings.ToUpper(string(r.Verdict)), p.theme.name, verdictStyle(p.theme, r.Verdict))
	p.b.WriteByte('\n')
	p.row(row{label: " why", text: text(r.Why), style: p.theme.cause})
	if r.Load.Note != "" {
		p.row(row{label: " load", text: text(r.Load.Note)})
	}
	p.row(row{label: " before", text: looked(r.Before)})
	p.row(row{label: " after", text: looked(r.After)})
	p.list(" note", each(r.Notes, text), p.theme.faint)
	if len(r.Metrics) > 0 {
		p.b.WriteByte('\n')
		p.table(r.Metrics)
	}
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("write comparison as text: %w", err)
	}
	return nil
}

// CompareMarkdown writes a comparison for an issue or a chat.
func CompareMarkdown(w io.Writer, r compare.Result) error {
	var m sheet
	m.line("### " + code(name(compared(r))) + ": " + strings.ToUpper(string(r.Verdict)))
	m.line("")
	m.item("Why", md(text(r.Why)))
	if r.Load.Note != "" {
		m.item("Load", md(text(r.Load.Note)))
	}
	m.item("Before", md(looked(r.Before)))
	m.item("After", md(looked(r.After)))
	for _, n := range r.Notes {
		m.item("Note", md(text(n)))
	}
	if len(r.Metrics) > 0 {
		m.line("")
		m.line("| " + strings.Join(tableHead(), " | ") + " |")
		m.line("|" + strings.Repeat("---|", len(tableHead())))
		for _, x := range r.Metrics {
			m.line("| " + strings.Join(each(cells(x), md), " | ") + " |")
		}
	}
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write comparison as Markdown: %w", err)
	}
	return nil
}

// compared names the server, or both where they are two.
func compared(r compare.Result) string {
	before, after := r.Before.Target["instance"], r.After.Target["instance"]
	if before != after {
		before = name(before) + " -> " + name(after)
	}
	return joined(text(before), text(r.After.Engine))
}

func verdictStyle(t theme, v compare.Verdict) lipgloss.Style {
	switch v {
	case compare.Improved:
		return t.status[model.Healthy]
	case compare.Worse:
		return t.status[model.Degraded]
	case compare.CannotTell:
		return t.status[model.Unknown]
	default:
		return t.name
	}
}

func looked(s compare.Seen) string {
	if s.Benchmark != "" {
		return text(s.Benchmark)
	}
	if s.From == nil || s.To == nil {
		return "nothing to compare was seen"
	}
	const clock = "15:04:05"
	from := s.From.Format("2006-01-02 " + clock)
	return fmt.Sprintf("%s to %s UTC, %s, %s scrapes, %s first tokens",
		from, s.To.Format(clock), units.Duration(s.To.Sub(*s.From)), strconv.Itoa(s.Scrapes), strconv.Itoa(s.FirstTokens))
}

func tableHead() []string { return []string{"", "before", "after", "after / before", ""} }

// cells are one figure's: what decides and moved is marked by its outcome alone.
func cells(m compare.Metric) []string {
	outcome := string(m.Outcome)
	if m.Decides {
		outcome += " *"
	}
	return []string{text(m.Name), quantity(m.Before, m.Unit, m.BeforeBound), quantity(m.After, m.Unit, m.AfterBound), ratioOf(m), outcome}
}

func quantity(v *float64, unit string, b model.Bound) string {
	if v == nil {
		return "-"
	}
	return units.Format(*v, unit, b)
}

func ratioOf(m compare.Metric) string {
	if m.Ratio == nil {
		return "-"
	}
	out := factor(*m.Ratio)
	switch m.RatioBound {
	case model.AtMost:
		out = "at most " + out
	case model.AtLeast:
		out = "at least " + out
	}
	if m.Interval == nil {
		return out
	}
	lo, hi := "0", "any"
	if m.Interval[0] != nil {
		lo = factor(*m.Interval[0])
	}
	if m.Interval[1] != nil {
		hi = factor(*m.Interval[1])
	}
	return out + " (" + lo + " to " + hi + ")"
}

// factor writes a ratio with two significant digits, whole numbers in full.
func factor(v float64) string {
	if v >= 99.5 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 2, 64)
}

// table writes the figures in columns; the last line says what the star means.
func (p *page) table(ms []compare.Metric) {
	rows := [][]string{tableHead()}
	for _, m := range ms {
		rows = append(rows, cells(m))
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], lipgloss.Width(c))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, c := range r {
			b.WriteString(c + strings.Repeat(" ", widths[i]-lipgloss.Width(c)+2))
		}
		p.b.WriteString(" " + strings.TrimRight(b.String(), " ") + "\n")
	}
	p.row(row{label: " *", text: "takes part in the verdict; in brackets the 95 % interval", style: p.theme.faint})
}

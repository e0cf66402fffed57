package render

import (
	"strings"

	"charm.land/lipgloss/v2"
)

// indent is the column where what a label introduces begins.
const indent = 11

// row is one labelled line of the text form. Text wraps with a hanging indent; right stands at the
// right margin, and aside some columns behind the text, where they fit, else on lines of their own.
type row struct {
	label string
	text  string
	right string
	aside string
	style lipgloss.Style
}

// page writes rows of a width; its styles are all plain when there is no colour.
type page struct {
	b     strings.Builder
	width int
	theme theme
}

func (p *page) row(r row) {
	room := p.width - indent
	rightWidth := lipgloss.Width(r.right)
	lines := wrap(r.text, room)
	right := ""
	if rightWidth > 0 {
		if narrow := wrap(r.text, room-rightWidth-2); len(narrow) == 1 || rightWidth <= 6 {
			lines, right = narrow, r.right
		}
	}
	aside := ""
	if r.aside != "" && len(lines) == 1 && right == "" && lipgloss.Width(lines[0])+4+lipgloss.Width(r.aside) <= room {
		aside = r.aside
	}
	for i, l := range lines {
		label := ""
		if i == 0 {
			label = r.label
		}
		p.b.WriteString(p.theme.label.Render(label + strings.Repeat(" ", indent-lipgloss.Width(label))))
		p.b.WriteString(r.style.Render(l))
		if i == 0 && right != "" {
			p.b.WriteString(strings.Repeat(" ", room-lipgloss.Width(l)-rightWidth) + p.theme.right.Render(right))
		}
		if i == 0 && aside != "" {
			p.b.WriteString("    " + p.theme.aside.Render(aside))
		}
		p.b.WriteByte('\n')
	}
	if right == "" && r.right != "" {
		p.row(row{text: r.right, style: p.theme.right})
	}
	if aside == "" && r.aside != "" {
		p.row(row{text: r.aside, style: p.theme.aside})
	}
}

// head writes a line with its end at the right margin. A left part that leaves no room is cut.
func (p *page) head(left, right string, style, rightStyle lipgloss.Style) {
	left = cutEnd(left, p.width-lipgloss.Width(right)-2)
	gap := max(2, p.width-lipgloss.Width(left)-lipgloss.Width(right))
	p.b.WriteString(style.Render(left) + strings.Repeat(" ", gap) + rightStyle.Render(right) + "\n")
}

// wrap breaks at spaces, never between a number and its unit, and inside a word only when the word
// alone is wider than a line.
func wrap(s string, width int) []string {
	width = max(width, 8)
	if lipgloss.Width(s) <= width {
		return []string{s}
	}
	var lines []string
	line := ""
	for _, w := range words(s) {
		if line != "" && lipgloss.Width(line)+1+lipgloss.Width(w) <= width {
			line += " " + w
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for lipgloss.Width(w) > width {
			head, rest := split(w, width)
			lines, w = append(lines, head), rest
		}
		line = w
	}
	return append(lines, line)
}

// words splits at spaces and keeps "8.4 s" and "8 -> 64" together.
func words(s string) []string {
	var out []string
	glue := false
	for _, w := range strings.Fields(s) {
		unit := isUnit(w) && len(out) > 0 && endsInDigit(out[len(out)-1])
		if len(out) > 0 && (glue || unit || w == "->") {
			out[len(out)-1] += " " + w
		} else {
			out = append(out, w)
		}
		glue = w == "->"
	}
	return out
}

func isUnit(w string) bool {
	switch strings.TrimRight(w, ".,;:)") {
	case "s", "ms", "µs", "min", "h", "d", "%", "°C", "W", "MHz", "MiB", "GiB", "KiB", "B", "tokens/s", "requests/s", "UTC":
		return true
	}
	return false
}

func endsInDigit(w string) bool {
	return w != "" && w[len(w)-1] >= '0' && w[len(w)-1] <= '9'
}

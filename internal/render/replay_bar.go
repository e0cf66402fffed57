package render

import (
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/inferdx/inferdx/internal/replay"
)

// glyph is how a state looks in a bar. A gap is blank: nothing was seen.
func glyph(s replay.State) rune {
	switch s {
	case replay.Down, replay.Firing:
		return '█'
	case replay.Pending:
		return '▒'
	case replay.Degraded:
		return '░'
	case replay.Unknown:
		return '?'
	case replay.Healthy:
		return '·'
	case replay.Idle:
		return '-'
	default:
		return ' '
	}
}

const barLegend = "█ fires  ▒ pending  ░ slight  · healthy  - idle  ? not enough to tell  (blank) nothing scraped"

// bar draws a target's time in cells; a cell shows the worst of its part, so that nothing is too short
// to be seen. A gap wins over everything that is not harm.
func bar(t replay.Target, from, to time.Time, cells int) string {
	order := []replay.State{replay.Down, replay.Firing, replay.Pending, replay.Degraded, replay.Gap, replay.Unknown, replay.Healthy, replay.Idle}
	worst := make([]int, cells)
	for i := range worst {
		worst[i] = len(order)
	}
	span := to.Sub(from)
	cell := func(at time.Time) float64 { return float64(at.Sub(from)) / float64(span) * float64(cells) }
	for _, s := range t.Segments {
		rank := slices.Index(order, s.State)
		first, last := int(cell(s.From)), cell(s.To)
		for i := max(first, 0); i < cells && float64(i) < last-1e-9; i++ {
			worst[i] = min(worst[i], rank)
		}
	}
	var b strings.Builder
	for _, w := range worst {
		if w < 0 || w >= len(order) {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(glyph(order[w]))
	}
	return b.String()
}

// barred are the targets that get a bar: where there are many, those that were not always well.
func barred(r *replay.Result) (shown []replay.Target, left int) {
	const most = 20
	quiet := func(t replay.Target) bool {
		return !slices.ContainsFunc(t.Segments, func(s replay.Segment) bool { return s.State != replay.Healthy && s.State != replay.Idle })
	}
	for _, t := range r.Targets {
		if len(r.Targets) > most && quiet(t) {
			left++
			continue
		}
		shown = append(shown, t)
	}
	if len(shown) > 5*most {
		left += len(shown) - 5*most
		shown = shown[:5*most]
	}
	return shown, left
}

// bars writes a bar for each target above the times of its ends.
func (p *page) bars(r *replay.Result) {
	shown, left := barred(r)
	label := 0
	for _, t := range shown {
		label = max(label, lipgloss.Width(targetName(t)))
	}
	label = min(label, p.width/3)
	cells := max(p.width-label-5, 10)
	for _, t := range shown {
		n := cutEnd(targetName(t), label)
		p.b.WriteString(" " + n + strings.Repeat(" ", label-lipgloss.Width(n)) + " |" + bar(t, r.From, r.To, cells) + "|\n")
	}
	first, last := axis(r)
	if gap := cells - len(first) - len(last); gap > 0 && len(shown) > 0 {
		p.b.WriteString(strings.Repeat(" ", label+3) + p.theme.faint.Render(first+strings.Repeat(" ", gap)+last) + "\n")
	}
	if left > 0 {
		p.row(row{text: plural(left, "other target") + " not shown" + elsewhere, style: p.theme.faint})
	}
	for _, l := range wrap(barLegend, p.width-2) {
		p.b.WriteString(" " + p.theme.faint.Render(l) + "\n")
	}
	p.b.WriteByte('\n')
}

func targetName(t replay.Target) string {
	n := name(t.Name)
	if t.Scope != "target" {
		n = string(t.Scope) + " " + n
	}
	return n
}

func axis(r *replay.Result) (first, last string) {
	return moment(r.From, isLong(r)), moment(r.To, isLong(r))
}

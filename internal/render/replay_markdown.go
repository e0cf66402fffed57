package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/inferdx/inferdx/internal/replay"
)

// ReplayMarkdown writes a replay for an issue or a chat.
func ReplayMarkdown(w io.Writer, r *replay.Result) error {
	var m sheet
	m.line("### Replay: " + firings(r))
	m.line("")
	m.line(md(stretchOf(r)))
	m.line("")
	m.line("```")
	shown, left := barred(r)
	for _, t := range shown {
		m.line("|" + bar(t, r.From, r.To, 60) + "| " + strings.ReplaceAll(targetName(t), "```", "'''"))
	}
	m.line(barLegend)
	m.line("```")
	if left > 0 {
		m.line("")
		m.line(plural(left, "other target") + " not shown.")
	}
	m.line("")
	if len(r.Episodes) == 0 {
		m.line("Nothing would have fired, and nothing was pending, in what was seen.")
	} else {
		m.table(timeline(r))
	}
	if len(r.Symptoms) > 0 {
		m.line("")
		m.line("With another `for` (" + forLegend + "):")
		m.line("")
		m.table(fors(r))
	}
	for _, l := range asides(r) {
		m.line("")
		m.line(md(l))
	}
	if _, err := io.WriteString(w, m.b.String()); err != nil {
		return fmt.Errorf("write replay as Markdown: %w", err)
	}
	return nil
}

func (m *sheet) table(rows [][]string) {
	for i, r := range rows {
		m.line("| " + strings.Join(each(r, md), " | ") + " |")
		if i == 0 {
			m.line("|" + strings.Repeat("---|", len(r)))
		}
	}
}

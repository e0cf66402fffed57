package render

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/units"
)

// How many episodes people are shown: those that fired, and those that did not, where there are few.
const (
	maxFired   = 200
	maxPending = 30
)

// ReplayJSON writes a replay as its contract has it.
func ReplayJSON(w io.Writer, r *replay.Result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write replay as JSON: %w", err)
	}
	return nil
}

// ReplayText writes a replay for a terminal: a bar for each target, a line for each episode, and what
// each `for` would have made of it.
func ReplayText(w io.Writer, r *replay.Result, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	p := &page{width: min(max(o.Width, 40), 120), theme: newTheme(o.Colour)}
	status := model.Healthy
	if fired(r) > 0 {
		status = model.Degraded
	}
	p.head(stretchOf(r), strings.ToUpper(firings(r)), p.theme.name, p.theme.status[status])
	p.b.WriteByte('\n')
	p.bars(r)
	p.columns(timeline(r))
	if len(r.Symptoms) > 0 {
		p.b.WriteByte('\n')
		p.columns(fors(r))
		p.b.WriteString(" " + p.theme.faint.Render(forLegend) + "\n")
	}
	for _, l := range asides(r) {
		for i, l := range wrap(l, p.width-2) {
			if i > 0 {
				l = "  " + l
			}
			p.b.WriteString(l + "\n")
		}
	}
	if _, err := io.WriteString(w, p.b.String()); err != nil {
		return fmt.Errorf("write replay as text: %w", err)
	}
	return nil
}

const forLegend = "times fired and how long, had the rule's for been that"

func firings(r *replay.Result) string {
	if n := fired(r); n > 0 {
		return plural(n, "firing")
	}
	return "nothing fired"
}

func fired(r *replay.Result) int {
	n := 0
	for _, e := range r.Episodes {
		if e.Fired {
			n++
		}
	}
	return n
}

func stretchOf(r *replay.Result) string {
	step, window := seconds(r.StepSeconds), seconds(r.WindowSeconds)
	return joined(r.From.UTC().Format(time.DateTime)+" to "+r.To.UTC().Format(time.DateTime)+" UTC", units.Duration(r.To.Sub(r.From)),
		"a look every "+units.Duration(step)+" at "+units.Duration(window))
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

// columns writes a table, its first line a head, cut at the width.
func (p *page) columns(rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], lipgloss.Width(c))
		}
	}
	for i, r := range rows {
		var b strings.Builder
		for k, c := range r {
			b.WriteString(" " + c + strings.Repeat(" ", widths[k]-lipgloss.Width(c)+1))
		}
		line := cutEnd(strings.TrimRight(b.String(), " "), p.width)
		if i == 0 {
			line = p.theme.label.Render(line)
		}
		p.b.WriteString(line + "\n")
	}
}

// isLong says that times of a day alone would not tell the day.
func isLong(r *replay.Result) bool { return r.To.Sub(r.From) > 20*time.Hour }

// timeline is a line for each episode.
func timeline(r *replay.Result) [][]string {
	long := isLong(r)
	if len(r.Episodes) == 0 {
		return [][]string{{"nothing would have fired, and nothing was pending, in what was seen"}}
	}
	rows := [][]string{{"onset", "end", "lasted", "", "target", "symptom", "primary cause"}}
	pending := len(r.Episodes) - fired(r)
	for _, e := range r.Episodes {
		if len(rows) > maxFired || !e.Fired && pending > maxPending {
			continue
		}
		rows = append(rows, []string{
			onsetOfEpisode(e, long), endOfEpisode(e, long), units.Duration(e.Length()), severityOfEpisode(e), name(e.Name), text(e.Symptom) + entityOfEpisode(e), causesOfEpisode(e),
		})
	}
	return rows
}

func onsetOfEpisode(e replay.Episode, long bool) string {
	if !e.Traced {
		return "by " + moment(e.Onset, long)
	}
	return moment(e.Onset, long)
}

// longUnknown is when a symptom that was not seen to end is no longer said to go on.
const longUnknown = 10 * time.Minute

func endOfEpisode(e replay.Episode, long bool) string {
	last := e.Onset.Add(e.Length())
	switch {
	case e.Ended == replay.Gone:
		return "seen until " + moment(*e.End, long)
	case e.End == nil && last.Sub(e.LastTrue) > longUnknown:
		return "unknown from " + moment(e.LastTrue, long)
	case e.End == nil:
		return "goes on"
	default:
		return moment(*e.End, long)
	}
}

// moment is a time of the replay; the year and, in a long one, the seconds are left to the head.
func moment(t time.Time, long bool) string {
	if long {
		return t.UTC().Format("01-02 15:04")
	}
	return t.UTC().Format("15:04:05")
}

func severityOfEpisode(e replay.Episode) string {
	if !e.Fired {
		return "pending"
	}
	return string(e.Severity)
}

func entityOfEpisode(e replay.Episode) string {
	if e.Entity == "" || e.Entity == e.Name {
		return ""
	}
	return " (" + name(e.Entity) + ")"
}

func causesOfEpisode(e replay.Episode) string {
	if len(e.Causes) == 0 {
		return "none named"
	}
	out := text(e.Causes[0].Title) + fmt.Sprintf(" %.2f", e.Causes[0].Score)
	if e.Causes[0].Share < 0.995 {
		out += fmt.Sprintf(", %.0f %% of the time", 100*e.Causes[0].Share)
	}
	if len(e.Causes) > 1 {
		out += ", then " + text(e.Causes[1].Title)
	}
	return out
}

// fors is a line for each symptom: what fired with the rule's own `for`, and with others.
func fors(r *replay.Result) [][]string {
	head := []string{"symptom", "its own for"}
	for _, c := range r.Symptoms[0].Choices {
		head = append(head, brief(seconds(c.ForSeconds)))
	}
	rows := [][]string{head}
	for _, s := range r.Symptoms {
		line := []string{text(s.ID), brief(seconds(s.ForSeconds)) + ": " + times(s.Firings, s.FiringSeconds)}
		for _, c := range s.Choices {
			line = append(line, times(c.Firings, c.FiringSeconds))
		}
		rows = append(rows, line)
	}
	return rows
}

func times(n int, s float64) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n) + "x " + brief(seconds(s))
}

// brief is a duration in one unit, as users write it.
func brief(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < 2*time.Minute && d%time.Minute != 0:
		return fmt.Sprintf("%.0fs", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0fm", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0fh", d.Hours())
	default:
		return fmt.Sprintf("%.0fd", d.Hours()/24)
	}
}

// asides say what was left out and what was not seen.
func asides(r *replay.Result) []string {
	var out []string
	pending := len(r.Episodes) - fired(r)
	if pending > maxPending {
		out = append(out, plural(pending, "more episode")+" were over before their rule's for"+elsewhere)
	}
	if n := fired(r); n > maxFired {
		out = append(out, fmt.Sprintf("only the first %d are listed", maxFired)+elsewhere)
	}
	if r.Blind > 0 {
		out = append(out, fmt.Sprintf("at %d of %d looks nothing had been scraped: what happened then is not known", r.Blind, r.Looks))
	}
	if n := len(r.Messages); n > 0 {
		out = append(out, plural(n, "message")+" would have gone out"+elsewhere)
	}
	for _, f := range few(r.Faults, maxEvidence) {
		out = append(out, "not read: "+text(f))
	}
	for _, n := range r.Notes {
		out = append(out, "note: "+text(n))
	}
	return out
}

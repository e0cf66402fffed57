package eval

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes the report as tables. verbose adds every look that came out wrong.
func (r *Report) Text(w io.Writer, verbose bool) error {
	t := &tables{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	for _, s := range r.Splits {
		t.split(s)
		if verbose {
			t.misses(s.Misses)
		}
	}
	if r.Incidents != nil {
		t.incidents(*r.Incidents)
	}
	t.basis(r.Basis)
	t.advice(r.Advice)
	if r.Fitted != nil {
		t.fitted(r.Fitted)
	}
	if r.Moved != nil {
		t.moved(*r.Moved)
		t.margins(r.Margins)
	}
	if err := t.w.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

type tables struct{ w *tabwriter.Writer }

func (t *tables) title(format string, args ...any) {
	_ = t.w.Flush() // a title must not widen the columns
	_, _ = fmt.Fprintf(t.w, format+"\n", args...)
	_ = t.w.Flush()
}

func (t *tables) row(cells ...any) {
	for i, c := range cells {
		if i > 0 {
			_, _ = io.WriteString(t.w, "\t")
		}
		_, _ = fmt.Fprint(t.w, c)
	}
	_, _ = io.WriteString(t.w, "\n")
}

// String is the share with its interval: "0.94 (16/17, 0.73-0.99)".
func (s Share) String() string {
	if s.N == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f (%.4g/%d, %.2f-%.2f)", s.P, s.Hits, s.N, s.Low, s.High)
}

// count is the share without its interval.
func (s Share) count() string { return fmt.Sprintf("%.4g/%d", s.Hits, s.N) }

func (t *tables) split(s Split) {
	t.title("%s: %d recordings, %d with a fault\n", s.Name, s.Recordings, s.Faulty)
	t.row("condition", "AC@1", "AC@1 named", "AC@3", "MRR", "abstained", "false alarms", "status", "ECE", "Brier")
	for _, c := range s.Conditions {
		t.row(c.Condition, c.First, c.Named.count(), c.Three, fmt.Sprintf("%.2f", c.MRR), c.Abstained.count(),
			c.FalseAlarms.count(), c.Status.count(), fmt.Sprintf("%.3f", c.ECE), fmt.Sprintf("%.3f", c.Brier))
	}
	t.title("")
	t.row("baseline", "AC@1", "AC@3", "MRR")
	for _, b := range s.Baselines {
		t.row(b.Name, b.First, b.Three, fmt.Sprintf("%.2f", b.MRR))
	}
	if len(s.Conditions) == 0 {
		return
	}
	first := s.Conditions[0]
	t.title("\nby cause, %s", first.Condition)
	t.row("cause", "n", "AC@1", "AC@3", "instead")
	for _, c := range first.Causes {
		t.row(c.ID, c.First.N, c.First, c.Three, strings.Join(c.Instead, ", "))
	}
	t.title("")
}

func (t *tables) misses(ms []Miss) {
	if len(ms) == 0 {
		return
	}
	t.row("condition", "recording", "what", "wanted", "got")
	for _, m := range ms {
		name := m.Recording
		if m.Of != "" {
			name += " (" + m.Of + ")"
		}
		t.row(m.Condition, name, m.What, strings.Join(m.Want, " or "), m.got())
	}
	t.title("")
}

func (o Outcome) got() string {
	out := string(o.Status)
	for i, c := range o.Causes {
		if i == 3 {
			break
		}
		mark := ""
		if c.Primary {
			mark = "*"
		}
		out += fmt.Sprintf(" %s%s %.2f", c.ID, mark, c.Score)
	}
	return out
}

func (t *tables) incidents(s IncidentSummary) {
	t.title("confirmed incidents, each one frame of the figures in its report\nnamed %s; of those whose cause has a playbook %s; another cause named %s\n", s.All, s.Covered, s.Wrong)
	t.row("incident", "cause", "playbook", "came out", "after the cure")
	for _, r := range s.Results {
		out := "no symptom"
		switch {
		case r.Named:
			out = "named"
		case r.Rank > 0:
			out = fmt.Sprintf("listed at %d", r.Rank)
		case r.Wrong():
			out = r.Causes[0].ID
		case len(r.Causes) > 0:
			out = "abstained"
		case len(r.Symptoms) > 0:
			out = "no cause: " + strings.Join(r.Symptoms, ", ")
		}
		fixed := r.Fixed
		switch fixed {
		case "":
			fixed = "silent"
		case "-":
			fixed = "not reported"
		}
		t.row(r.ID, r.Cause, map[bool]string{true: "yes", false: "none yet"}[r.Covered], out, fixed)
	}
	t.title("")
	t.incidentAdvice(s.Advice)
}

func (t *tables) incidentAdvice(all []IncidentAdvice) {
	if len(all) == 0 {
		return
	}
	n := map[string]int{}
	for _, a := range all {
		n[a.Verdict]++
	}
	t.title("what the confirmed cause's playbook suggests on the report's figures, against the setting that cured it: %d the same direction, %d the other one, %d another change\n",
		n["right"], n["wrong"], n["other"])
	t.row("incident", "cause", "cured by", "suggested", "verdict")
	for _, a := range all {
		t.row(a.ID, a.Cause, a.Knob+" "+a.Cure, a.Suggested, a.Verdict)
	}
	t.title("")
}

func (t *tables) fitted(rows []FitRow) {
	t.title("temperature and bias of unknown, by likelihood; every look once with its causes taken out of the catalogue\n")
	t.row("judged on", "temperature", "unknown", "looks", "NLL", "AC@1 named", "ECE", "Brier", "abstains without the cause")
	for _, r := range rows {
		lo, hi := r.Fits[0], r.Fits[0]
		for _, f := range r.Fits {
			lo.Temperature, hi.Temperature = min(lo.Temperature, f.Temperature), max(hi.Temperature, f.Temperature)
			lo.Unknown, hi.Unknown = min(lo.Unknown, f.Unknown), max(hi.Unknown, f.Unknown)
		}
		t.row(r.Name, span(lo.Temperature, hi.Temperature), span(lo.Unknown, hi.Unknown), r.N, fmt.Sprintf("%.3f", r.NLL),
			r.Named, fmt.Sprintf("%.3f", r.ECE), fmt.Sprintf("%.3f", r.Brier), r.Abstain)
	}
	t.title("")
}

func span(lo, hi float64) string {
	if lo == hi {
		return fmt.Sprintf("%g", lo)
	}
	return fmt.Sprintf("%g to %g", lo, hi)
}

func (t *tables) moved(m MovedReport) {
	t.title("%d thresholds and the default objectives, each moved down and up by a fifth: %d moves change which cause comes first or accuse a healthy server", m.Thresholds, len(m.Broken))
	for _, b := range m.Broken {
		t.row(b.Threshold.String(), fmt.Sprintf("-> %.4g", b.To), "lost "+list(b.Lost), "gained "+list(b.Gained), "accused "+list(b.Alarms))
	}
	t.title("")
}

func list(ids []string) string {
	if len(ids) == 0 {
		return "-"
	}
	return strings.Join(ids, ", ")
}

func (t *tables) margins(ms []Margin) {
	t.title("nearest corpus value of each threshold\n")
	t.row("distance", "threshold", "nearest", "recording", "where", "values")
	for _, m := range ms {
		if m.Values == 0 {
			t.row("-", fmt.Sprintf("%g", m.Value), "-", "-", m.where(), m.Values)
			continue
		}
		t.row(fmt.Sprintf("%.1f %%", 100*m.Distance), fmt.Sprintf("%g", m.Value), fmt.Sprintf("%.4g", m.Nearest), m.Recording, m.where(), m.Values)
	}
	t.title("")
}

func (t Threshold) where() string { return t.Owner + ", " + t.Field + ": " + t.Compares }

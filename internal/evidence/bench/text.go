package bench

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// WriteText writes each run of the file: what was found, then the load and the figures.
func (f *File) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	for i, r := range f.Runs {
		if i > 0 {
			_, _ = fmt.Fprintln(b)
		}
		r.text(b)
	}
	return b.Flush()
}

func (r *Run) text(w io.Writer) {
	fmt.Fprintln(w, r.title())
	fmt.Fprintf(w, "%s\n\n", shown(r.Finding()))
	row := func(name string, parts ...string) {
		if line := joined(parts); line != "" {
			fmt.Fprintf(w, " %-9s %s\n", name, shown(line))
		}
	}
	row("load", r.asked(), say("at most %s in flight", r.Cap, count), say("%s in flight on average"+r.by(), r.InFlight, count))
	row("requests", say("%s completed", r.Completed, count), say("%s failed", r.Failed, count), say("%s cut off", r.Incomplete, count), say("%s long", r.Seconds, seconds))
	row("tokens", say("%s in a prompt", r.Input.Mean, count), say("%s in an answer on average", r.Output.Mean, count))
	row("rate", say("%s", r.RequestsS, perSecond), say("%s of output", r.OutputS, tokensPerSecond), say("%s in all", r.TotalS, tokensPerSecond),
		say("%s within the objectives", r.GoodS, perSecond))
	r.table(w)
	for _, n := range r.notes() {
		fmt.Fprintf(w, " note      %s\n", shown(n))
	}
}

func (r *Run) title() string {
	out := r.Tool
	if r.Version != "" {
		out += " " + r.Version
	}
	if r.Name != "" {
		out += ", " + r.Name
	}
	for _, part := range []struct{ before, s string }{{" · ", r.Model}, {" · ", r.Workload}} {
		if part.s != "" {
			out += part.before + part.s
		}
	}
	if r.End != nil {
		out += " · " + r.End.Format("2006-01-02 15:04:05")
		if r.ZoneUnknown {
			out += " by the client's clock"
		} else {
			out += " UTC"
		}
	}
	return shown(out)
}

func (r *Run) asked() string {
	switch {
	case r.Rate != nil:
		return say("%s asked for", r.Rate, perSecond)
	case r.Unlimited && r.Cap != nil:
		return "as fast as answers come"
	case r.Unlimited:
		return "all at once"
	}
	return ""
}

func (r *Run) by() string {
	if r.InFlightBy == "" {
		return ""
	}
	return " (" + r.InFlightBy + ")"
}

func (r *Run) table(w io.Writer) {
	rows := []struct {
		name string
		t    *Times
	}{{"ttft", r.TTFT}, {"tpot", r.TPOT}, {"itl", r.ITL}, {"e2e", r.E2E}, {"held back", r.Held}}
	head := false
	for _, x := range rows {
		if x.t == nil {
			continue
		}
		if !head {
			fmt.Fprintf(w, "\n %-9s %9s %9s %9s %9s %9s\n", "", "mean", "P50", "P90", "P95", "P99")
			head = true
		}
		fmt.Fprintf(w, " %-9s %9s %9s %9s %9s %9s\n", x.name, cell(x.t.Mean), cell(x.t.P50), cell(x.t.P90), cell(x.t.P95), cell(x.t.P99))
	}
}

// notes are the file's own and what to beware of.
func (r *Run) notes() []string {
	out := append([]string{}, r.Notes...)
	if r.Requests != nil && r.Requests.Dropped > 0 {
		out = append(out, fmt.Sprintf("%d single requests beyond the first %d were left out of what is computed from them", r.Requests.Dropped, maxRequests))
	}
	if r.Kind == Serving && r.Completed != nil && *r.Completed > 0 && *r.Completed < 100 && r.TTFT != nil && r.TTFT.P99 != nil {
		out = append(out, fmt.Sprintf("the P99 of %s requests is the slowest one", count(*r.Completed)))
	}
	return out
}

func say(format string, v *float64, write func(float64) string) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf(format, write(*v))
}

func joined(parts []string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}

func cell(v *float64) string {
	if v == nil {
		return "-"
	}
	return seconds(*v)
}

// shown is what a file says without anything that a terminal would obey.
func shown(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

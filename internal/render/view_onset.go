package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// sinceOf says when the harm began, or that it was there when looking began.
func sinceOf(r *model.Report, d model.Diagnosis, end time.Time) string {
	on := d.Onset
	if on == nil || on.IsZero() {
		if d.Status == model.Down && d.Span.Scrapes > 0 {
			return "last answered at " + clock(d.Span.Last, r.GeneratedAt) + ", " + ago(r.GeneratedAt.Sub(d.Span.Last))
		}
		if d.Status == model.Down {
			return "it never answered while inferdx looked"
		}
		return ""
	}
	if atStart(d) {
		return "it was so at the first scrape, " + age(r, end, *on) + "; it may be older"
	}
	return clock(*on, end) + ", " + age(r, end, *on)
}

// atStart is true when nothing from before the onset was seen.
func atStart(d model.Diagnosis) bool {
	return d.Onset != nil && !d.Span.First.IsZero() && !d.Onset.After(d.Span.First)
}

// changedOf answers the first question at 3 a.m. It is empty where the onset is unknown or was not
// seen, because then nobody looked at a before.
func changedOf(d model.Diagnosis, end time.Time) string {
	if len(d.Changed) == 0 {
		if d.Onset == nil || d.Onset.IsZero() || atStart(d) || d.Status == model.Down {
			return ""
		}
		return "changed at onset: nothing that was seen"
	}
	var out []string
	for _, c := range d.Changed {
		s := "the server was restarted"
		if c.What != "restart" {
			s = whatChanged(c.What) + " " + endOf(c.What, c.From) + " -> " + endOf(c.What, c.To)
			if unitOf(c.What) == "tokens" { // of which a number says nothing by itself
				s += " tokens"
			}
		}
		if d.Onset != nil && !c.At.IsZero() {
			if dt := c.At.Sub(*d.Onset).Round(time.Second); dt != 0 {
				s += " (at " + clock(c.At, end) + ")"
			}
		}
		out = append(out, s)
	}
	return "changed at onset: " + strings.Join(few(out, maxEvidence), "; ")
}

// whatChanged is what an engineer calls what came in.
func whatChanged(what string) string {
	switch what {
	case "requests_arrived_per_s":
		return "arrivals"
	case "prompt_mean":
		return "mean prompt"
	case "output_mean":
		return "mean output"
	}
	return name(what)
}

// endOf writes one end of a change. A signal's name ends in its unit.
func endOf(what string, v any) string {
	var f float64
	switch x := v.(type) {
	case nil:
		return "?"
	case float64:
		f = x
	case float32:
		f = float64(x)
	case int:
		f = float64(x)
	case int64:
		f = float64(x)
	default:
		return name(fmt.Sprint(x))
	}
	return units.Format(f, unitOf(what), model.Exact)
}

// unitOf reads the unit off a signal's name: ttft_p99_s, kv_used_ratio, preemptions_per_s.
func unitOf(signal string) string {
	if of, isRate := strings.CutSuffix(signal, "_per_s"); isRate {
		return countedIn(of) + "/s"
	}
	if signal == "prompt_mean" || signal == "output_mean" {
		return "tokens"
	}
	for suffix, unit := range map[string]string{
		"_s": "s", "_ms": "ms", "_ratio": "ratio", "_mib": "MiB", "_gib": "GiB", "_bytes": "bytes",
		"_mhz": "MHz", "_w": "W", "_c": "C", "_watts": "W", "_celsius": "C",
	} {
		if strings.HasSuffix(signal, suffix) {
			return unit
		}
	}
	return "count"
}

// countedIn says what a rate counts: of requests_arrived and waiting requests, of gen_tokens tokens, of preemptions these.
func countedIn(rate string) string {
	for _, noun := range []string{"tokens", "requests"} {
		if strings.Contains(rate, noun) {
			return noun
		}
	}
	if strings.HasPrefix(rate, "waiting") || strings.HasPrefix(rate, "running") {
		return "requests"
	}
	return rate[strings.LastIndexByte(rate, '_')+1:]
}

// clock writes a time of day, with the date where the reader could take it for another day.
func clock(t, ref time.Time) string {
	t, ref = t.UTC(), ref.UTC()
	if t.YearDay() == ref.YearDay() && t.Year() == ref.Year() {
		return t.Format("15:04:05 UTC")
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}

// age counts from now when the last scrape is recent, else from the last scrape: a recording of
// last week did not begin '7 days ago' in the sense anybody needs.
func age(r *model.Report, end, t time.Time) string {
	if d := r.GeneratedAt.Sub(end); d < 2*time.Minute && d > -2*time.Minute {
		return ago(end.Sub(t))
	}
	return units.Duration(end.Sub(t)) + " before the last scrape"
}

func ago(d time.Duration) string { return units.Duration(max(d, 0)) + " ago" }

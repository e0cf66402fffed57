package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// How many items of a kind people are shown. The JSON has all of them.
const (
	maxEvidence   = 6
	maxCandidates = 4
	maxActions    = 4
)

// view is what is said of one entity, in words, in the order it is said. All strings are clean.
type view struct {
	status             model.Status
	name, engine, seen string
	summary            string
	hurts              []string
	trends             []string
	impact, boundBy    string
	ceiling, most      string
	since, changed     string
	cause              *causeView // nil when no cause is primary
	candidates         []causeView
	abstained          bool   // harm without a primary cause
	more               string // candidates beyond those listed
	otherwise          string // score of 'none of the known causes'
	turns              []turnView
	expect             string
	also               []string
	notes, missing     []string
	examples           []exampleView
}

type causeView struct {
	id, title, score      string
	thin                  string // how little stands behind the score
	why, against, missing []string
	hence                 []string // consequences
}

// newViews puts the worst first, and a group whose cause is named before its members: theirs may follow from it.
func newViews(r *model.Report) []view {
	ds := slices.Clone(r.Targets)
	slices.SortStableFunc(ds, func(a, b model.Diagnosis) int {
		return cmp.Or(
			cmp.Compare(statusRank(a.Status), statusRank(b.Status)),
			-cmp.Compare(namedGroup(a), namedGroup(b)),
			-cmp.Compare(worst(a.Symptoms), worst(b.Symptoms)),
			strings.Compare(nameOf(a), nameOf(b)),
		)
	})
	out := make([]view, 0, len(ds))
	for _, d := range ds {
		out = append(out, newView(r, d))
	}
	return out
}

// namedGroup is 1 for a group whose cause is named.
func namedGroup(d model.Diagnosis) int {
	if d.Scope == model.ScopeGroup && len(d.Causes) > 0 && d.Causes[0].Primary {
		return 1
	}
	return 0
}

func newView(r *model.Report, d model.Diagnosis) view {
	end := d.Span.Last
	if end.IsZero() || d.Status == model.Down {
		end = r.GeneratedAt
	}
	v := view{
		status: d.Status, name: name(nameOf(d)), engine: engineOf(d.Engine), seen: seenOf(r, d),
		summary: text(d.Summary), hurts: hurtsOf(d), trends: trendsOf(d),
		impact: impactOf(d.Impact), boundBy: boundByOf(d.BoundBy), ceiling: ceilingOf(d.Ceiling), most: ceilingMost(d.Ceiling),
		since: sinceOf(r, d, end), changed: changedOf(d, end),
		notes: texts(d.Notes, maxEvidence), missing: missingOf(d.Missing),
		examples: examplesOf(d.Examples),
	}
	if v.status == "" {
		v.status = model.Unknown
	}
	v.addCauses(d)
	return v
}

func statusRank(s model.Status) int {
	order := []model.Status{model.Down, model.Degraded, model.Unknown, model.Idle, model.Healthy}
	if i := slices.Index(order, s); i >= 0 {
		return i
	}
	return 2
}

func worst(ss []model.Symptom) int {
	rank := 0
	for _, s := range ss {
		rank = max(rank, s.Severity.Rank())
	}
	return rank
}

func nameOf(d model.Diagnosis) string {
	n := d.Name
	if n == "" {
		n = model.Entity{Labels: model.LabelsFrom(d.Target)}.Name()
	}
	if n == "" {
		n = "unnamed"
	}
	if d.Scope != "" && d.Scope != model.ScopeTarget {
		n = string(d.Scope) + " " + n
	}
	return n
}

func engineOf(e model.EngineInfo) string {
	n, v := name(e.Name), name(e.Version)
	switch {
	case n == "":
		return ""
	case v == "":
		return n + ", version unknown"
	case strings.HasPrefix(v, ">="):
		return n + " at least " + strings.TrimSpace(v[2:])
	default:
		return n + " " + v
	}
}

func seenOf(r *model.Report, d model.Diagnosis) string {
	s := d.Span
	var parts []string
	if d := s.Observed(); d > 0 {
		parts = append(parts, units.Duration(d))
	} else if r.WindowSeconds > 0 && s.Scrapes == 0 && s.Failed == 0 {
		parts = append(parts, "window "+units.Duration(time.Duration(r.WindowSeconds*float64(time.Second))))
	}
	if s.Scrapes > 0 {
		parts = append(parts, plural(s.Scrapes, "scrape"))
	}
	if s.Failed > 0 {
		failed := plural(s.Failed, "scrape") + " failed"
		if s.Scrapes > 0 {
			failed = units.Format(float64(s.Failed), "count", model.Exact) + " failed"
		}
		parts = append(parts, failed)
	}
	return strings.Join(parts, ", ")
}

// hurtsOf says what was seen, and the rule's title only where there is nothing better.
func hurtsOf(d model.Diagnosis) []string {
	ss := slices.Clone(d.Symptoms)
	slices.SortStableFunc(ss, func(a, b model.Symptom) int {
		return cmp.Or(-cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), a.Since.Compare(b.Since))
	})
	var out []string
	for _, s := range ss {
		var seen []string
		for _, e := range s.Evidence {
			if t := text(e.Text); t != "" && !slices.Contains(seen, t) {
				seen = append(seen, t)
			}
		}
		line := strings.Join(seen, "; ")
		if title := text(cmp.Or(s.Title, s.ID)); line == "" {
			line = title
		} else if title != "" {
			line = title + ": " + line
		}
		if len(s.Members) > 0 {
			line += " (on " + strings.Join(names(s.Members), ", ") + ")"
		}
		var tail []string
		if s.Severity == model.Critical {
			tail = append(tail, string(s.Severity))
		}
		if s.State == model.Pending {
			tail = append(tail, "pending, "+heldFor(s.HeldSeconds))
		}
		if len(tail) > 0 {
			line += " (" + strings.Join(tail, ", ") + ")"
		}
		out = append(out, line)
	}
	return few(out, maxEvidence)
}

func heldFor(seconds float64) string {
	if seconds < 1 {
		return "seen just now"
	}
	return "held for " + units.Duration(time.Duration(seconds*float64(time.Second)))
}

func trendsOf(d model.Diagnosis) []string {
	var out []string
	for _, k := range []string{"waiting", "running"} {
		if s := sparkline(d.Trends[k]); s != "" {
			out = append(out, k+" "+s)
		}
	}
	return out
}

func impactOf(i model.Impact) string {
	var parts []string
	if v := i.RequestsPerSecondHurt; v != nil && isNumber(*v) && *v > 0 {
		parts = append(parts, units.Format(*v, "requests/s", model.Exact)+" are hurt")
	}
	if v := i.TokensPerSecondLost; v != nil && isNumber(*v) && *v > 0 {
		parts = append(parts, units.Format(*v, "tokens/s", model.Exact)+" are lost")
	}
	return strings.Join(parts, "; ")
}

func boundByOf(b *string) string {
	if b == nil {
		return ""
	}
	switch *b {
	case "":
		return ""
	case "compute":
		return "the GPU's arithmetic"
	case "bandwidth":
		return "the GPU's memory bandwidth"
	case "latency":
		return "latency: launches and synchronisation, not work"
	case "host":
		return "the host: the GPU waits for the CPU"
	default:
		return text(*b)
	}
}

// missingOf says what each signal needs, and says a need that several share once.
func missingOf(ms []model.Missing) []string {
	var needs []string
	by := map[string][]string{}
	for _, m := range ms {
		n := text(m.Needs)
		if _, ok := by[n]; !ok {
			needs = append(needs, n)
		}
		by[n] = append(by[n], name(m.Signal))
	}
	out := make([]string, 0, len(needs))
	for _, n := range needs {
		line := strings.Join(few(by[n], maxEvidence), ", ")
		if n != "" {
			line += ": " + n
		}
		out = append(out, line)
	}
	return few(out, maxEvidence)
}

func texts(in []string, n int) []string { return few(each(in, text), n) }

func names(in []string) []string { return few(each(in, name), maxEvidence) }

// elsewhere says where the items are that were left out.
const elsewhere = " (all in --format json)"

// few keeps the first n and says how many more there are.
func few(in []string, n int) []string {
	if len(in) <= n {
		return in
	}
	return append(slices.Clone(in[:n-1]), fmt.Sprintf("and %d more", len(in)-n+1)+elsewhere)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return units.Format(float64(n), "count", model.Exact) + " " + what + "s"
}

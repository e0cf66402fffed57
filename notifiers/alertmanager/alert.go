package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

const (
	// marker is by which inferdx's own receiver of alerts knows its alerts when they come back.
	marker        = "inferdx"
	severityLabel = "severity"
	alertname     = "InferdxDiagnosis"
	// maxAnnotation keeps an alert readable, and small in Alertmanager's memory.
	maxAnnotation = 4096
)

// alert is Alertmanager's, as its API takes it.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// key names an alert as Alertmanager tells them apart, identity without the severity.
func (a alert) key() string { return a.identity() + "\xff" + a.Labels[severityLabel] }

func (a alert) identity() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if name != severityLabel {
			fmt.Fprintf(&b, "%s=%q,", name, a.Labels[name])
		}
	}
	return b.String()
}

// alert says a diagnosis; its end is still open.
func (k known) alert(d model.Diagnosis, outcome *plan.Outcome, now time.Time) alert {
	a := alert{Labels: k.labels(d), Annotations: annotations(d, outcome), StartsAt: begin(d, now).UTC(), GeneratorURL: k.o.ExternalURL}
	switch s := severity(d); {
	case k.o.Severity != "":
		a.Labels[severityLabel] = k.o.Severity
	case s != "":
		a.Labels[severityLabel] = string(s)
	default:
		a.Labels[severityLabel] = string(model.Warning)
	}
	return a
}

// labels are what identifies a diagnosis: never what may change while it lasts.
func (k known) labels(d model.Diagnosis) map[string]string {
	out := map[string]string{"alertname": alertname, marker: "true", "inferdx_scope": string(d.Scope), severityLabel: ""}
	if d.Scope == "" {
		delete(out, "inferdx_scope")
	}
	for _, name := range slices.Sorted(maps.Keys(d.Target)) {
		value := strings.ToValidUTF8(d.Target[name], "\ufffd")
		if value == "" {
			continue
		}
		name = labelName(name)
		for _, taken := out[name]; taken; _, taken = out[name] {
			name = "target_" + name
		}
		out[name] = value
	}
	k.external(out)
	return out
}

// external adds the labels that the configuration gives, where an alert has none of that name.
func (k known) external(labels map[string]string) {
	for name, value := range k.o.Labels {
		if _, taken := labels[name]; !taken && value != "" {
			labels[name] = value
		}
	}
}

// labelName is a name that every Alertmanager takes: dots and the like came late.
func labelName(s string) string {
	out := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
	if out == "" || out[0] >= '0' && out[0] <= '9' {
		return "_" + out
	}
	return out
}

// severity is the worst among the symptoms that fire; empty when none does.
func severity(d model.Diagnosis) model.Severity {
	var worst model.Severity
	for _, s := range d.Symptoms {
		if s.State == model.Firing && s.Severity.Rank() > worst.Rank() {
			worst = s.Severity
		}
	}
	return worst
}

// begin is the onset, or when the first symptom was seen. Alertmanager must be told one: it would take the
// end, which lies ahead, for the start.
func begin(d model.Diagnosis, now time.Time) time.Time {
	start := now
	for _, s := range d.Symptoms {
		if !s.Since.IsZero() && s.Since.Before(start) {
			start = s.Since
		}
	}
	if d.Onset != nil && !d.Onset.IsZero() && d.Onset.Before(now) {
		start = *d.Onset
	}
	return start
}

func annotations(d model.Diagnosis, outcome *plan.Outcome) map[string]string {
	out := map[string]string{
		"summary":     d.Summary,
		"description": description(d),
		"fingerprint": d.Fingerprint,
		"engine":      strings.TrimSpace(d.Engine.Name + " " + d.Engine.Version),
	}
	var symptoms []string
	for _, s := range d.Symptoms {
		symptoms = append(symptoms, s.ID)
	}
	out["symptoms"] = strings.Join(symptoms, ", ")
	if c := primary(d); c != nil {
		out["cause"], out["cause_title"], out["score"] = c.ID, c.Title, strconv.FormatFloat(c.Score, 'f', 2, 64)
		if len(c.Changes) > 0 {
			out["change"], out["cost"] = change(c.Changes[0]), c.Changes[0].Cost
		}
	}
	if outcome != nil {
		out["outcome"] = strings.TrimSuffix(outcome.Change+": "+outcome.Verdict+", "+outcome.Why, ", ")
	}
	for name, v := range out {
		if v == "" {
			delete(out, name)
		} else {
			out[name] = cut(v)
		}
	}
	return out
}

func primary(d model.Diagnosis) *model.Cause {
	for i := range d.Causes {
		if d.Causes[i].Primary {
			return &d.Causes[i]
		}
	}
	return nil
}

// description is what to know and do, in the order of all of inferdx's messages.
func description(d model.Diagnosis) string {
	var lines []string
	say := func(word, text string) {
		if text != "" {
			lines = append(lines, word+": "+text)
		}
	}
	for _, s := range d.Symptoms {
		say("hurts", s.Title+evidence(s.Evidence))
	}
	if c := primary(d); c != nil {
		say("cause", fmt.Sprintf("%s (%.2f)", c.Title, c.Score))
		for _, e := range c.For {
			say("for", e.Text)
		}
		for _, e := range c.Against {
			say("against", e.Text)
		}
		for i, a := range c.Changes {
			say([]string{"turn", "or"}[min(i, 1)], strings.Join(nonempty(change(a), a.Why, a.Cost), "; "))
			if i == 0 && a.Verify != nil {
				say("expect", a.Verify.Signal+" goes "+a.Verify.Expect)
			}
		}
		for _, e := range c.Unseen {
			say("unseen", e.Text)
		}
	} else if len(d.Causes) > 0 {
		say("cause", fmt.Sprintf("not known; at most %s (%.2f)", d.Causes[0].Title, d.Causes[0].Score))
	}
	for _, m := range d.Missing {
		say("unseen", m.Signal+", needs "+m.Needs)
	}
	return strings.Join(lines, "\n")
}

func evidence(es []model.Evidence) string {
	var out []string
	for _, e := range es {
		out = append(out, e.Text)
	}
	if len(out) == 0 {
		return ""
	}
	return " (" + strings.Join(out, "; ") + ")"
}

func nonempty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

func change(a model.Action) string {
	if a.Flag == "" {
		return a.Text
	}
	from, to := "?", "?"
	if a.From != nil {
		from = *a.From
	}
	if a.To != nil {
		to = *a.To
	}
	return a.Flag + " " + from + " -> " + to
}

// cut shortens a text between two runes, and marks it.
func cut(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= maxAnnotation {
		return s
	}
	end := maxAnnotation - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Scope is that of an alert which is about no server that is known.
const Scope model.Scope = "alert"

// identifying are the labels that say which server is meant, by the names that they have on alerts.
// namespace, job and the model narrow it down.
var (
	identifying = []string{"instance", "pod", "model_name", "service"}
	narrowing   = []string{"namespace", "job"}
)

// Match finds the targets that an alert is about: at least one identifying label is on both, and of those
// that are on both all agree. The value of exported_instance is compared with instance, and so on.
func Match(a Alert, targets []map[string]string) []int {
	var out []int
	for i, t := range targets {
		if about(a.Labels, t) {
			out = append(out, i)
		}
	}
	return out
}

func about(alert, target map[string]string) bool {
	found := false
	for _, name := range slices.Concat(identifying, narrowing) {
		want := target[name]
		got, exported := alert[name], alert["exported_"+name]
		if want == "" || got == "" && exported == "" {
			continue
		}
		if !same(name, got, want) && !same(name, exported, want) {
			if slices.Contains(narrowing, name) && name == "job" {
				continue // the rule's own job, as of an exporter or a recording rule
			}
			return false
		}
		found = found || slices.Contains(identifying, name)
	}
	return found
}

// same compares values; an instance may stand without its port.
func same(name, a, b string) bool {
	if a == b || name != "instance" || a == "" {
		return a == b
	}
	host := func(s string) string {
		if h, _, err := net.SplitHostPort(s); err == nil {
			return h
		}
		return s
	}
	return (host(a) == a || host(b) == b) && host(a) == host(b)
}

// Enrich adds the alerts to the diagnoses of the targets that they are about, as symptoms that others
// have seen. One that is about no known target is a diagnosis of its own, which says so.
func Enrich(ds []model.Diagnosis, active []Alert) []model.Diagnosis {
	out := slices.Clone(ds)
	targets := make([]map[string]string, len(ds))
	for i, d := range ds {
		if d.Scope == model.ScopeTarget {
			targets[i] = d.Target
		}
	}
	for _, a := range active {
		at := Match(a, targets)
		for _, i := range at {
			out[i] = with(out[i], a)
		}
		if len(at) == 0 {
			out = append(out, stray(a, targets))
		}
	}
	return out
}

// with is a diagnosis with a symptom that others have seen.
func with(d model.Diagnosis, a Alert) model.Diagnosis {
	alone := !slices.ContainsFunc(d.Symptoms, func(s model.Symptom) bool { return s.Severity.Rank() >= model.Warning.Rank() })
	d.Symptoms = append(slices.Clip(d.Symptoms), symptom(a, model.ScopeTarget))
	if alone && !slices.ContainsFunc(d.Notes, func(n string) bool { return n == nothing }) {
		d.Notes = append(slices.Clip(d.Notes), nothing)
	}
	if a.Then != "" {
		d.Notes = append(slices.Clip(d.Notes), a.Then)
	}
	if d.Status == model.Healthy || d.Status == model.Idle {
		d.Status = model.Degraded
		d.Summary = "an alert says: " + brief(title(a))
	}
	if d.Onset == nil || a.StartsAt.Before(*d.Onset) {
		at := a.StartsAt.UTC()
		d.Onset = &at
	}
	d.Fingerprint = mix(d.Fingerprint, a)
	return d
}

const nothing = "inferdx itself sees nothing that hurts here: the alert rests on something that it does not look at, or on another threshold"

func stray(a Alert, targets []map[string]string) model.Diagnosis {
	at := a.StartsAt.UTC()
	var known, tried []string
	for _, t := range targets {
		if t["instance"] != "" && len(known) < 5 {
			known = append(known, t["instance"])
		}
	}
	for _, name := range slices.Concat(identifying, narrowing) {
		for _, n := range []string{name, "exported_" + name} {
			if v := a.Labels[n]; v != "" {
				tried = append(tried, fmt.Sprintf("%s=%q", n, brief(v)))
			}
		}
	}
	if len(tried) == 0 {
		tried = []string{"none of " + strings.Join(slices.Concat(identifying, narrowing), ", ") + " is on it"}
	}
	note := "no server that is watched has the labels of this alert: " + strings.Join(tried, ", ")
	if len(known) > 0 {
		note += "; among those that are watched: " + strings.Join(known, ", ")
	}
	return model.Diagnosis{
		Target: a.Labels, Scope: Scope, Status: model.Unknown, Name: a.Labels["alertname"], UnknownScore: 1,
		Summary: "an alert about a server that is not watched: " + brief(title(a)), Fingerprint: mix("alert", a), Onset: &at,
		Symptoms: []model.Symptom{symptom(a, Scope)}, Notes: []string{note},
	}
}

func symptom(a Alert, scope model.Scope) model.Symptom {
	s := model.Symptom{
		ID: a.Labels["alertname"], Title: brief(title(a)), Severity: severity(a.Labels["severity"]), State: model.Firing,
		Since: a.StartsAt.UTC(), Scope: scope, Entity: model.NoEntity, Traced: true,
	}
	for _, name := range []string{"description", "message"} {
		if text := a.Annotations[name]; text != "" {
			s.Evidence = append(s.Evidence, model.Evidence{Text: brief(text)})
			break
		}
	}
	s.Evidence = append(s.Evidence, model.Evidence{Text: "said by " + brief(a.Source)})
	return s
}

func title(a Alert) string {
	for _, text := range []string{a.Annotations["summary"], a.Annotations["description"]} {
		if text != "" {
			return text
		}
	}
	return a.Labels["alertname"]
}

// severity takes the words that people use.
func severity(word string) model.Severity {
	switch strings.ToLower(word) {
	case "critical", "page", "emergency", "fatal", "error", "high", "p1", "sev1":
		return model.Critical
	case "info", "informational", "none", "notice", "low", "p4", "p5":
		return model.Info
	}
	return model.Warning
}

// brief is a text from outside on one line of bounded length.
func brief(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}

// mix changes a fingerprint with the alert's identity, not with its texts.
func mix(f string, a Alert) string {
	sum := sha256.Sum256([]byte(f + "\x00" + a.ID()))
	return hex.EncodeToString(sum[:8])
}

package plan

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// alertname is what the alertmanager notifier calls a diagnosis, so that matchers mean the same here and there.
const alertname = "InferdxDiagnosis"

// Labels are what routes, silences and inhibitions match: those of the target, the external ones, and what is
// known of the problem.
func Labels(d model.Diagnosis, external map[string]string) map[string]string {
	out := make(map[string]string, len(d.Target)+len(external)+8)
	maps.Copy(out, external)
	maps.Copy(out, d.Target)
	worst, ids := firing(&d)
	out["alertname"], out["scope"], out["status"] = alertname, string(d.Scope), string(d.Status)
	out["severity"], out["engine"], out["cause"] = string(severity(&d)), d.Engine.Name, cause(&d)
	out["symptom"], out["symptoms"] = worst, ids
	return out
}

// identity are the labels that stay while a problem lasts: all, where messages go out per target.
func identity(d *model.Diagnosis, external map[string]string) map[string]string {
	out := make(map[string]string, len(d.Target)+len(external)+1)
	maps.Copy(out, external)
	maps.Copy(out, d.Target)
	out["scope"] = string(d.Scope)
	return out
}

// firing gives the worst symptom that fires, and all of them between commas.
func firing(d *model.Diagnosis) (worst, all string) {
	rank := -1
	var ids []string
	for i := range d.Symptoms {
		s := &d.Symptoms[i]
		if s.State != model.Firing {
			continue
		}
		if s.Severity.Rank() > rank {
			worst, rank = s.ID, s.Severity.Rank()
		}
		ids = append(ids, s.ID)
	}
	if len(ids) == 0 {
		return "", ""
	}
	slices.Sort(ids)
	return worst, "," + strings.Join(slices.Compact(ids), ",") + ","
}

// fires says that something is to be told of the diagnosis. Pending symptoms page nobody.
func fires(d *model.Diagnosis) bool {
	for i := range d.Symptoms {
		if d.Symptoms[i].State == model.Firing {
			return true
		}
	}
	return false
}

func severity(d *model.Diagnosis) model.Severity {
	var worst model.Severity
	for i := range d.Symptoms {
		if s := &d.Symptoms[i]; s.State == model.Firing && s.Severity.Rank() > worst.Rank() {
			worst = s.Severity
		}
	}
	return worst
}

func cause(d *model.Diagnosis) string {
	for i := range d.Causes {
		if d.Causes[i].Primary {
			return d.Causes[i].ID
		}
	}
	return ""
}

// begin is when the problem began, as far as that was seen.
func begin(d *model.Diagnosis, at time.Time) time.Time {
	out := at
	for i := range d.Symptoms {
		if s := &d.Symptoms[i]; s.State == model.Firing && !s.Since.IsZero() && s.Since.Before(out) {
			out = s.Since
		}
	}
	if d.Onset != nil && !d.Onset.IsZero() && d.Onset.Before(out) {
		out = *d.Onset
	}
	return out
}

// name is how people call the target.
func name(d *model.Diagnosis) string {
	for _, n := range []string{d.Name, d.Target["instance"], d.Target["pod"]} {
		if n != "" {
			return n
		}
	}
	return pairs(d.Target)
}

// entity tells targets and groups apart. It is text that survives JSON.
func entity(scope model.Scope, target map[string]string) string { return string(scope) + pairs(target) }

// pairs writes labels as PromQL does, sorted.
func pairs(m map[string]string) string {
	var room [16]string
	names := room[:0]
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	b := make([]byte, 0, 32*len(names)+2)
	b = append(b, '{')
	for i, n := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, n...)
		b = append(b, '=')
		b = strconv.AppendQuote(b, m[n])
	}
	return string(append(b, '}'))
}

// within says that all of the group's labels are on the member.
func within(member, group map[string]string) bool {
	for n, v := range group {
		if member[n] != v {
			return false
		}
	}
	return true
}

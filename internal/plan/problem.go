package plan

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// problem is a diagnosis with a symptom that fires.
type problem struct {
	*model.Diagnosis

	id       string
	labels   map[string]string
	severity model.Severity
	cause    string // the primary one
	onset    time.Time
	kept     Suppression // why nobody is told, "" when they are
}

// TargetID names the target of a diagnosis in a group's memory.
func TargetID(scope model.Scope, labels map[string]string) string {
	var b strings.Builder
	b.WriteString(string(scope))
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b.WriteString("\x1f" + name + "\x1e" + labels[name])
	}
	return b.String()
}

// Labels are what routes, silences and inhibitions see of a diagnosis: the labels of its target, the
// external ones, and what is said of it at the moment.
func Labels(d *model.Diagnosis, external map[string]string) map[string]string {
	out := maps.Clone(external)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, d.Target)
	severity, symptom := firing(d)
	for name, v := range map[string]string{
		"alertname": "InferdxDiagnosis", "scope": string(d.Scope), "status": string(d.Status), "severity": string(severity),
		"symptom": symptom, "cause": primary(d), "engine": d.Engine.Name,
	} {
		if v != "" {
			out[name] = v
		}
	}
	return out
}

// firing gives the worst severity of the symptoms that fire and the first symptom that has it.
func firing(d *model.Diagnosis) (worst model.Severity, symptom string) {
	for _, s := range d.Symptoms {
		if s.State == model.Firing && s.Severity.Rank() > worst.Rank() {
			worst, symptom = s.Severity, s.ID
		}
	}
	return worst, symptom
}

func primary(d *model.Diagnosis) string {
	for _, c := range d.Causes {
		if c.Primary {
			return c.ID
		}
	}
	return ""
}

// problems picks what hurts, and says of each why nobody is told of it.
func (p *Policy) problems(in Input) []*problem {
	var out []*problem
	for i := range in.Diagnoses {
		d := &in.Diagnoses[i]
		severity, _ := firing(d)
		if severity == "" {
			continue
		}
		x := &problem{Diagnosis: d, id: TargetID(d.Scope, d.Target), labels: Labels(d, p.External), severity: severity, cause: primary(d), onset: in.At}
		if d.Onset != nil {
			x.onset = *d.Onset
		}
		out = append(out, x)
	}
	inhibited := p.inhibited(out)
	for _, x := range out {
		switch {
		case slices.ContainsFunc(in.Silences, func(s Silence) bool { return s.holds(in.At) && s.Matchers.Match(x.labels) }):
			x.kept = Silenced
		case inhibited[x]:
			x.kept = Inhibited
		}
	}
	return out
}

func (s Silence) holds(at time.Time) bool { return !at.Before(s.From) && at.Before(s.To) }

// worstFirst sorts by severity, then by onset, then by name.
func worstFirst(ps []*problem) {
	slices.SortStableFunc(ps, func(a, b *problem) int {
		if d := b.severity.Rank() - a.severity.Rank(); d != 0 {
			return d
		}
		if d := a.onset.Compare(b.onset); d != 0 {
			return d
		}
		return strings.Compare(a.id, b.id)
	})
}

// unfolded leaves out the targets whose group is told with the same cause: that is one finding.
func unfolded(ps []*problem) []*problem {
	var groups []*problem
	for _, x := range ps {
		if x.Scope == model.ScopeGroup && x.cause != "" {
			groups = append(groups, x)
		}
	}
	return slices.DeleteFunc(slices.Clone(ps), func(x *problem) bool {
		return x.Scope == model.ScopeTarget && slices.ContainsFunc(groups, func(g *problem) bool {
			return g.cause == x.cause && contains(x.Target, g.Target)
		})
	})
}

func contains(all, some map[string]string) bool {
	for name, v := range some {
		if all[name] != v {
			return false
		}
	}
	return true
}

// name is how people call the target.
func (x *problem) name() string {
	for _, k := range []string{"instance", "pod", "source", "model_name"} {
		if v := x.Target[k]; v != "" {
			return v
		}
	}
	return key(x.Target)
}

package alertmanager

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// lives is how many intervals of resending an alert outlives its last sending: three may be lost.
const lives = 4

// known is what the Alertmanagers were told. After a restart it is empty: what then fires is told anew
// under the same identity, what does not ends by itself.
type known struct {
	o Options
	// firing is keyed by identity; ended, which is repeated for Alertmanagers that were away, by identity
	// and severity.
	firing, ended map[string]alert
}

func newKnown(o Options) known {
	return known{o: o, firing: map[string]alert{}, ended: map[string]alert{}}
}

// fire gives the alert of a diagnosis, and the end of the one of lower severity that it takes the place of.
func (k known) fire(d model.Diagnosis, outcome *plan.Outcome, now time.Time) []alert {
	a := k.alert(d, outcome, now)
	a.EndsAt = now.Add(lives * k.o.Resend).UTC()
	id := a.identity()
	var out []alert
	if said := k.firing[id].Annotations["outcome"]; said != "" && outcome == nil {
		a.Annotations["outcome"] = said
	}
	if old, ok := k.firing[id]; ok && old.Labels[severityLabel] != a.Labels[severityLabel] {
		if rank(old) > rank(a) {
			a.Labels[severityLabel] = old.Labels[severityLabel]
		} else {
			old.EndsAt = now.UTC()
			k.ended[old.key()] = old
			out = append(out, old)
		}
	}
	k.firing[id] = a
	delete(k.ended, a.key())
	return append(out, a)
}

// end gives the end of a diagnosis' alert, at the time of the recovery.
func (k known) end(d model.Diagnosis, at, now time.Time) []alert {
	a := k.alert(d, nil, now)
	if old, ok := k.firing[a.identity()]; ok {
		a.Labels = old.Labels
		delete(k.firing, a.identity())
	}
	a.EndsAt = at.UTC()
	if a.EndsAt.After(now) {
		a.EndsAt = now.UTC()
	}
	if a.StartsAt.After(a.EndsAt) {
		a.StartsAt = a.EndsAt
	}
	k.ended[a.key()] = a
	return []alert{a}
}

// keep gives all that fires, and all that has ended lately.
func (k known) keep(firing []model.Diagnosis, now time.Time) []alert {
	still := map[string]bool{}
	for _, d := range firing {
		a := k.fire(d, nil, now)
		still[a[len(a)-1].identity()] = true
	}
	for id, a := range k.firing {
		if !still[id] {
			a.EndsAt = now.UTC()
			k.ended[a.key()] = a
			delete(k.firing, id)
		}
	}
	var out []alert
	for key, a := range k.ended {
		if now.Sub(a.EndsAt) > lives*k.o.Resend {
			delete(k.ended, key)
			continue
		}
		out = append(out, a)
	}
	out = append(out, slices.Collect(maps.Values(k.firing))...)
	slices.SortFunc(out, func(a, b alert) int { return strings.Compare(a.key(), b.key()) })
	return out
}

// test is an alert that a person asked for; it ends by itself.
func (k known) test(m plan.Message, now time.Time) alert {
	a := alert{
		Labels:       map[string]string{"alertname": "InferdxTest", marker: "true", "receiver": m.Receiver, severityLabel: string(model.Info)},
		Annotations:  map[string]string{"summary": "A test of inferdx: nothing is wrong."},
		StartsAt:     now.UTC(),
		EndsAt:       now.Add(lives * k.o.Resend).UTC(),
		GeneratorURL: k.o.ExternalURL,
	}
	if k.o.Severity != "" {
		a.Labels[severityLabel] = k.o.Severity
	}
	k.external(a.Labels)
	return a
}

func rank(a alert) int { return model.Severity(a.Labels[severityLabel]).Rank() }

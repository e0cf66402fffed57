package replay

import (
	"slices"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// sight is how a target or a group was at one look.
type sight struct {
	key, name string
	scope     model.Scope
	labels    map[string]string
	state     State
	cause     Cause // the primary one; zero when there was none
}

// active is a symptom at one look.
type active struct {
	key     string // in the engine's state
	symptom model.Symptom
	entity  string
	owner   int // in look.targets; -1 where that is not told about
}

// summarise keeps of a frame and its diagnoses what is told.
func (l *look) summarise(ds []model.Diagnosis, all *rules.Set) {
	at := map[model.EntityID]int{} // where an entity stands in l.targets
	found := map[string]model.Diagnosis{}
	for _, d := range ds {
		found[string(d.Scope)+model.LabelsFrom(d.Target).Key()] = d
	}
	for _, x := range l.frame.Entities.All() {
		d, ok := found[string(x.Scope)+x.Labels.Key()]
		if x.Scope != model.ScopeTarget && (x.Scope != model.ScopeGroup || !ok) {
			continue
		}
		s := sight{key: row(x), name: x.Name(), scope: x.Scope, labels: x.Labels.Map(), state: Gap}
		if ok && (x.Scope == model.ScopeGroup || !unseen(l.frame, x.ID)) {
			s.state, s.cause = stateOf(d), primary(d)
		}
		at[x.ID] = len(l.targets)
		l.targets = append(l.targets, s)
	}
	for _, s := range l.symptoms {
		r, ok := all.Get(s.ID)
		if !ok || r.Note {
			continue
		}
		x := l.frame.Entities.Get(s.Entity)
		a := active{key: engine.Key(s.ID, x), symptom: s, entity: x.Name(), owner: -1}
		a.symptom.Evidence, a.symptom.Members = nil, nil
		for _, id := range []model.EntityID{x.ID, x.Parent} {
			if i, ok := at[id]; ok && a.owner < 0 {
				a.owner = i
			}
		}
		l.actives = append(l.actives, a)
	}
}

// row tells targets apart, whether or not they answer: one that does not shows no model.
func row(x model.Entity) string {
	return string(x.Scope) + "\xff" + x.Labels.Get("job") + "\xff" + x.Name()
}

func stateOf(d model.Diagnosis) State {
	counts := func(s model.Symptom) bool { return s.Severity.Rank() >= model.Warning.Rank() }
	firing := slices.ContainsFunc(d.Symptoms, func(s model.Symptom) bool { return counts(s) && s.State == model.Firing })
	pending := slices.ContainsFunc(d.Symptoms, counts)
	switch {
	case d.Status == model.Down && firing:
		return Down
	case d.Status == model.Degraded && firing:
		return Firing
	case (d.Status == model.Degraded || d.Status == model.Down) && pending:
		return Pending
	case d.Status == model.Degraded || d.Status == model.Down:
		return Degraded
	default:
		return State(d.Status)
	}
}

func primary(d model.Diagnosis) Cause {
	for _, c := range d.Causes {
		if c.Primary {
			return Cause{ID: c.ID, Title: c.Title, Score: c.Score}
		}
	}
	return Cause{}
}

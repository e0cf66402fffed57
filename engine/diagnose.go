package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Diagnose answers for every target of the frame, and for every group that has symptoms of its own.
// Only entities with symptoms pay for playbooks.
func (e *Engine) Diagnose(f *model.Frame, symptoms []model.Symptom) []model.Diagnosis {
	out := make([]model.Diagnosis, 0, f.Entities.Len())
	of := make([]model.Entity, 0, f.Entities.Len())
	owned := byOwner(f, symptoms)
	for _, x := range f.Entities.All() {
		own := owned[x.ID]
		switch {
		case x.Scope == model.ScopeTarget:
		case x.Scope == model.ScopeGroup && len(own) > 0:
		default:
			continue
		}
		out, of = append(out, e.diagnose(f, x, own)), append(of, x)
	}
	pointToGroups(out, of)
	return out
}

// pointToGroups notes on the members of a group that hurt what is wrong with the group as a whole: a load that is spread
// unevenly is cured at the router, and not by restarting the member that has most of it.
func pointToGroups(ds []model.Diagnosis, of []model.Entity) {
	wrong := map[model.EntityID]string{}
	for i, d := range ds {
		if d.Scope == model.ScopeGroup && len(d.Causes) > 0 && d.Causes[0].Primary {
			c := d.Causes[0]
			wrong[of[i].ID] = fmt.Sprintf("the whole service has a cause of its own: %s (%s, %.2f); mend that first", c.Title, c.ID, c.Score)
		}
	}
	for i := range ds {
		if note := wrong[of[i].Parent]; note != "" && ds[i].Scope == model.ScopeTarget && len(ds[i].Causes) > 0 {
			ds[i].Notes = append(ds[i].Notes, note)
		}
	}
}

// byOwner gives each entity its symptoms, the worst first; those of ranks and GPUs go to their target,
// one per rule.
func byOwner(f *model.Frame, all []model.Symptom) map[model.EntityID][]model.Symptom {
	out := map[model.EntityID][]model.Symptom{}
	for _, s := range all {
		owner := f.Entities.Get(s.Entity)
		if owner.Scope == model.ScopeTarget || owner.Scope == model.ScopeGroup {
			out[owner.ID] = append(out[owner.ID], s)
			continue
		}
		same := func(o model.Symptom) bool { return o.ID == s.ID }
		if i := slices.IndexFunc(out[owner.Parent], same); i >= 0 {
			out[owner.Parent][i].Members = append(out[owner.Parent][i].Members, owner.Name())
			continue
		}
		s.Members = []string{owner.Name()}
		out[owner.Parent] = append(out[owner.Parent], s)
	}
	for _, ss := range out {
		sort.SliceStable(ss, func(i, j int) bool { return ss[i].Severity.Rank() > ss[j].Severity.Rank() })
	}
	return out
}

func (e *Engine) diagnose(f *model.Frame, x model.Entity, own []model.Symptom) model.Diagnosis {
	harm, notes := e.split(own)
	d := model.Diagnosis{
		Target: x.Labels.Map(), Scope: x.Scope, Engine: engineInfo(x.Engine),
		Symptoms: harm, Missing: f.Missing(x.ID), Notes: notes,
		Name: x.Name(), Span: observed(f, x.ID), Trends: trends(f, x.ID),
	}
	d.Status = e.status(f, x, harm)
	if x.Scope == model.ScopeTarget && d.Status != model.Down && d.Status != model.Idle {
		var note string
		if d.Ceiling, note = ceilingOf(f, x.ID); note != "" {
			d.Notes = append(d.Notes, note)
		}
	}
	if d.Status == model.Unknown {
		d.Notes = append(d.Notes, notEnough(f, x)...)
	}
	if d.Status == model.Degraded || d.Status == model.Down {
		e.explain(&d, f, x)
	}
	if d.Status == model.Idle { // nothing about latency can be missing where nobody asked
		d.Missing = slices.DeleteFunc(slices.Clone(d.Missing), func(m model.Missing) bool { return !e.o.Meanings.OfGPU(m.Signal) })
	}
	d.Summary = e.summary(d, f, x.ID)
	d.Fingerprint = fingerprint(d)
	return d
}

// explain adds causes, onset, change and impact to a diagnosis that has symptoms.
func (e *Engine) explain(d *model.Diagnosis, f *model.Frame, x model.Entity) {
	ranked, unknown := e.rank(f, x.ID, x.Scope, d.Symptoms)
	best := primary(ranked)
	if d.UnknownScore = unknown; best != nil {
		d.UnknownScore = best.unknown
	}
	current := e.current(f, x)
	for _, c := range ranked {
		d.Causes = append(d.Causes, e.cause(f, x, c, c == best, current))
	}
	fold(d.Causes, ranked)
	at := earliest(d.Symptoms).UTC()
	d.Onset = &at
	d.Changed = changedAt(f, x.ID, at)
	d.Impact = impact(f, x.ID)
	d.BoundBy = boundBy(f, x.ID, d.Ceiling)
}

func (e *Engine) cause(f *model.Frame, x model.Entity, c *candidate, first bool, current map[string]string) model.Cause {
	out := model.Cause{
		ID: c.p.ID, Title: c.p.Title, Layer: c.p.Layer, Score: c.score, Primary: first, Explains: c.explains,
		RecordingsBehind: e.o.RecordingsBehind[c.p.ID], For: c.pro.items, Against: c.con.items,
		Changes: e.suggest(f, x, c.p, current),
	}
	for _, u := range c.p.Unseen {
		if u.Engine != "" && u.Engine != x.Engine.Name {
			continue
		}
		if _, ok := f.Get(x.ID, u.Signal); ok || e.o.Meanings.OfGPU(u.Signal) && !hasGPU(f, x.ID) {
			continue
		}
		if _, ok := f.Fact(x.ID, u.Signal); ok {
			continue
		}
		out.Unseen = append(out.Unseen, model.Evidence{Text: u.Needs, Signal: u.Signal})
	}
	return out
}

// split parts harm from notes.
func (e *Engine) split(own []model.Symptom) (harm []model.Symptom, notes []string) {
	for _, s := range own {
		r, ok := e.o.Rules.Get(s.ID)
		if ok && r.Note {
			text := r.Title
			for _, ev := range s.Evidence {
				text += ": " + ev.Text
				break
			}
			notes = append(notes, text)
			continue
		}
		harm = append(harm, s)
	}
	return harm, notes
}

func engineInfo(e model.Engine) model.EngineInfo {
	v := e.Version
	if e.AtLeastOnly && v != "" {
		v = ">=" + v
	}
	return model.EngineInfo{Name: e.Name, Version: v}
}

func trends(f *model.Frame, id model.EntityID) map[string][]model.Point {
	out := map[string][]model.Point{}
	for _, s := range []string{"waiting", "running"} {
		if t := f.Trend(id, s); t != nil {
			out[s] = t
		}
	}
	return out
}

// fingerprint is the same for the same answer about the same target, whatever the time.
func fingerprint(d model.Diagnosis) string {
	var b strings.Builder
	b.WriteString(string(d.Scope) + "\n" + model.LabelsFrom(d.Target).Key() + "\n" + string(d.Status) + "\n")
	if c := first(d); c != nil {
		b.WriteString(c.ID)
	} else {
		for _, s := range d.Symptoms {
			b.WriteString(s.ID + "\n")
		}
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

func first(d model.Diagnosis) *model.Cause {
	if len(d.Causes) > 0 && d.Causes[0].Primary {
		return &d.Causes[0]
	}
	return nil
}

func (e *Engine) summary(d model.Diagnosis, f *model.Frame, id model.EntityID) string {
	switch d.Status {
	case model.Healthy:
		return e.healthy(f, id)
	case model.Idle:
		return "no traffic"
	case model.Unknown:
		return "not enough to tell"
	}
	var parts []string
	for i, s := range d.Symptoms {
		if i == 2 {
			break
		}
		text := s.Title
		if len(s.Evidence) > 0 {
			text = s.Evidence[0].Text
		}
		parts = append(parts, text)
	}
	out := strings.Join(parts, "; ")
	if c := first(d); c != nil {
		out += fmt.Sprintf(" - likeliest cause: %s (%.2f)", c.Title, c.Score)
		if len(c.Changes) > 0 {
			out += "; " + c.Changes[0].Text
		}
		return out
	}
	if len(d.Causes) > 0 {
		return out + " - no cause is likely enough to name"
	}
	return out
}

// Report wraps the diagnoses of one frame.
func Report(f *model.Frame, ds []model.Diagnosis) *model.Report {
	r := &model.Report{
		Version: "1", GeneratedAt: f.At.UTC().Truncate(time.Millisecond), WindowSeconds: f.Window.Seconds(),
		Partial: len(f.Faults) > 0, Targets: ds,
	}
	for _, x := range f.Faults {
		r.Faults = append(r.Faults, x.Source+": "+x.Err)
	}
	return r
}

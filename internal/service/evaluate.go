package service

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/internal/store"
)

// gap is how long after the evaluation before nothing that was held may have ended in between: the
// process was stopped, or the machine slept. Half of what the judge holds absent entities for.
const gap = 150 * time.Second

// seen is what one look at the world gave.
type seen struct {
	at        time.Time // of the frame
	state     engine.State
	diagnoses []model.Diagnosis
	sources   []model.Diagnosis    // one of each source
	figures   []map[string]float64 // by diagnosis; nil where nothing hurts
	absent    []plan.Entity        // that are held although no source shows them
	report    *model.Report
	changes   []store.Transition
	trials    bool               // changes on servers are due to be compared
	started   map[string]float64 // when the process of each target was started, by its identity, where it says so
}

// look judges the world at a time. What panics in it is an error: one bad rule must not end the process.
func (s *Service) look(ctx context.Context, p *parts, at time.Time, old engine.State, hold bool) (out seen, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Error("an evaluation panicked", "panic", r, "stack", string(debug.Stack()))
			err = fmt.Errorf("an evaluation panicked: %v", r)
		}
	}()
	at = at.Add(-p.offset)
	if hold {
		old = old.Hold(at, func(_ model.Scope, _ string, h engine.Held) bool { return at.Sub(h.LastSeen) > gap })
	}
	health := s.sources.all()
	s.world.Lock()
	defer s.world.Unlock()
	st := s.world.samples
	r := p.request
	r.At, r.Window, r.Binding, r.Faults, r.Earlier = at, p.window, s.world.binding, faultsOf(health), p.history.windows(at)
	r.Known = remembered(old, st)
	r.Join.GPUs = gpusOf(p.setup.Config.Targets.GPU.UUIDs, st.Instances())
	if len(p.setup.Content.Signals.Own()) > 0 {
		r.PromQL = promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance
	}
	traces := s.traced(p, at)
	if traces != nil {
		r.MeasuredOf, r.Examples = traces.Facts, examplesOf(traces)
	}
	f, notes := p.pipeline.Frame(st, r)
	s.spans.meet(f)
	shown := entities(f)
	if slices.ContainsFunc(health, sourceHealth.blinds) {
		old = old.Hold(at, func(scope model.Scope, labels string, _ engine.Held) bool { return !shown[scope][labels] })
	}
	next, symptoms := p.pipeline.Engine.Judge(p.known.unasked(old), f)
	out = seen{at: at, state: next, sources: findings(health, at), changes: transitions(old, next, at, p.severity)}
	out.diagnoses = p.pipeline.Engine.Diagnose(f, symptoms)
	for i := range out.diagnoses {
		out.diagnoses[i].Notes = append(out.diagnoses[i].Notes, notes...)
		if d := &out.diagnoses[i]; traces != nil && len(d.Symptoms) > 0 {
			d.Notes = append(d.Notes, traces.Notes(d.Target)...)
		}
	}
	pipeline.Show(r, out.diagnoses)
	out.trials = len(s.observe(ctx, p, f, out.diagnoses)) > 0
	out.figures, out.started = figures(f, out.diagnoses), started(f, st)
	out.absent, out.report = absent(next, shown), engine.Report(f, out.diagnoses)
	return out, nil
}

// faultsOf are the faults of a frame: of sources that fail, and of those that answered in part.
func faultsOf(all []sourceHealth) []model.Fault {
	var out []model.Fault
	for _, h := range all {
		if h.Failures > 0 && !h.Beside {
			out = append(out, model.Fault{Source: h.Name, Err: h.Err})
		}
		out = append(out, h.Faults...)
	}
	return out
}

// entities are the scopes and labels' keys of a frame.
func entities(f *model.Frame) map[model.Scope]map[string]bool {
	out := map[model.Scope]map[string]bool{}
	for _, x := range f.Entities.All() {
		if out[x.Scope] == nil {
			out[x.Scope] = map[string]bool{}
		}
		out[x.Scope][x.Labels.Key()] = true
	}
	return out
}

// absent are the targets and groups that are held although no frame shows them, each once.
func absent(s engine.State, shown map[model.Scope]map[string]bool) []plan.Entity {
	var out []plan.Entity
	known := map[string]bool{}
	s.Each(func(_ string, scope model.Scope, labels model.Labels, _ engine.Held) {
		key := string(scope) + labels.Key()
		if shown[scope][labels.Key()] || known[key] {
			return
		}
		known[key] = true
		out = append(out, plan.Entity{Scope: scope, Target: labels.Map()})
	})
	return out
}

// remembered names targets that do not answer by what is held of them: their model is a label of what they
// showed, and a server that stays down must not become another one when that is forgotten.
func remembered(s engine.State, st *samples.Store) func(model.Labels) (model.Labels, bool) {
	type entity struct {
		labels model.Labels
		seen   time.Time
	}
	var all map[string]entity
	return func(instance model.Labels) (model.Labels, bool) {
		if all == nil { // few looks need it
			all = map[string]entity{}
			s.Each(func(_ string, scope model.Scope, labels model.Labels, h engine.Held) {
				key := st.Identity(labels).Key()
				if old, ok := all[key]; scope == model.ScopeTarget && (!ok || h.LastSeen.After(old.seen)) {
					all[key] = entity{labels, h.LastSeen}
				}
			})
		}
		found, ok := all[instance.Key()]
		return found.labels, ok
	}
}

// figures are the signals of every target that hurts, for the snapshot of the onset.
func figures(f *model.Frame, ds []model.Diagnosis) []map[string]float64 {
	out := make([]map[string]float64, len(ds))
	byKey := map[string]model.EntityID{}
	for _, x := range f.Entities.All() {
		byKey[string(x.Scope)+x.Labels.Key()] = x.ID
	}
	names := f.Signals()
	for i, d := range ds {
		id, ok := byKey[string(d.Scope)+model.LabelsFrom(d.Target).Key()]
		if d.Onset == nil || !ok {
			continue
		}
		out[i] = map[string]float64{}
		for _, name := range names {
			if v, ok := f.Get(id, name); ok {
				out[i][name] = v.V
			}
		}
	}
	return out
}

// started is when the process of each target was started, as far as it is known.
func started(f *model.Frame, st *samples.Store) map[string]float64 {
	out := map[string]float64{}
	for _, x := range f.Entities.All() {
		if v, ok := f.Get(x.ID, "started_at"); ok && x.Scope == model.ScopeTarget {
			out[st.Identity(x.Labels).Key()] = v.V
		}
	}
	return out
}

// starts remembers when the process of each target was started, over the time in which it does not answer: most
// restarts take longer than a look, and a large model longer than a window.
type starts map[string]birth

type birth struct {
	at   float64
	seen time.Time
}

// remembersStarts bounds how long a target may be away.
const remembersStarts = 24 * time.Hour

// follow takes in what a look saw, and gives the targets that were started anew.
func (s starts) follow(now map[string]float64, at time.Time) (anew []string) {
	for key, began := range now {
		if old, ok := s[key]; ok && old.at != began {
			anew = append(anew, key)
		}
		s[key] = birth{began, at}
	}
	maps.DeleteFunc(s, func(_ string, x birth) bool { return at.Sub(x.seen).Abs() > remembersStarts })
	return anew
}

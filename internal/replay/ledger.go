package replay

import (
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// choices are the values of `for` that are tried for every symptom.
func choices() []time.Duration {
	return []time.Duration{0, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute}
}

// ledger is what goes from look to look, in order of time: the engine's state, and how each rule would
// have gone with another `for`.
type ledger struct {
	engine  *engine.Engine
	rules   *rules.Set
	step    time.Duration
	state   engine.State
	watched map[string]*watch
	tallies map[string]*tally
	last    time.Time
}

// tally counts, for one rule, what would have fired.
type tally struct {
	variants []*rules.Rule // the rule with each `for`
	firings  []int
	lasted   []time.Duration
}

// watch is a rule and an entity for which a `for` of 0 is active; the others are no longer than that.
type watch struct {
	rule   *rules.Rule
	tally  *tally
	states []engine.Held
	active []bool
}

func newLedger(o Options) *ledger {
	return &ledger{
		engine: o.Pipeline.Engine, rules: o.Pipeline.Content.Rules, step: o.Step,
		watched: map[string]*watch{}, tallies: map[string]*tally{},
	}
}

// judge takes the next frame.
func (l *ledger) judge(f *model.Frame) []model.Symptom {
	first := l.state == nil
	state, symptoms := l.engine.Judge(l.state, f)
	l.state = state
	passed := l.step
	if d := f.At.Sub(l.last); !l.last.IsZero() && d < passed {
		passed = d
	}
	l.last = f.At
	seen := make(map[string]model.EntityID, len(symptoms))
	for _, s := range symptoms {
		r, ok := l.rules.Get(s.ID)
		if !ok || r.Note {
			continue
		}
		key := engine.Key(s.ID, f.Entities.Get(s.Entity))
		seen[key] = s.Entity
		if l.watched[key] == nil && state[key].LastTrue.Equal(f.At) {
			l.watched[key] = l.watch(r)
		}
	}
	l.advance(f, first, passed, seen)
	return symptoms
}

func (l *ledger) watch(r *rules.Rule) *watch {
	t := l.tallies[r.ID]
	if t == nil {
		t = &tally{}
		for _, d := range choices() {
			v := *r
			v.For = d
			t.variants = append(t.variants, &v)
		}
		t.firings, t.lasted = make([]int, len(t.variants)), make([]time.Duration, len(t.variants))
		l.tallies[r.ID] = t
	}
	return &watch{rule: r, tally: t, states: make([]engine.Held, len(t.variants)), active: make([]bool, len(t.variants))}
}

// advance moves the clocks of every `for`. seen are the entities whose rule is active as it is.
func (l *ledger) advance(f *model.Frame, first bool, passed time.Duration, seen map[string]model.EntityID) {
	var all map[string]model.EntityID
	for key, w := range l.watched {
		id, shown := seen[key]
		if !shown {
			if all == nil {
				all = entities(f)
			}
			id, shown = all[key[len(w.rule.ID):]]
		}
		if shown {
			truth := expression.True
			if !l.state[key].LastTrue.Equal(f.At) {
				truth = w.rule.When.Over(f).Truth(id)
			}
			w.step(truth, first, f, id, passed)
		} else {
			w.wait(f.At)
		}
		if !w.active[0] {
			delete(l.watched, key)
		}
	}
}

func (w *watch) step(truth expression.Truth, first bool, f *model.Frame, id model.EntityID, passed time.Duration) {
	for i, r := range w.tally.variants {
		fired := w.active[i] && w.states[i].Firing
		w.states[i], w.active[i] = engine.Step(w.states[i], w.active[i], first, truth, r, f, id)
		if !w.active[i] {
			w.states[i] = engine.Held{}
			continue
		}
		if w.states[i].Firing {
			w.tally.lasted[i] += passed
			if !fired {
				w.tally.firings[i]++
			}
		}
	}
}

// wait holds what is known of an entity that the frame does not show, for a while.
func (w *watch) wait(at time.Time) {
	for i, r := range w.tally.variants {
		w.active[i] = w.active[i] && w.states[i].Kept(r, at)
		if !w.active[i] {
			w.states[i] = engine.Held{}
		}
	}
}

// entities finds those that Judge looks at by what follows the rule in a key: a group of one is its target.
func entities(f *model.Frame) map[string]model.EntityID {
	out := make(map[string]model.EntityID, f.Entities.Len())
	for _, x := range f.Entities.All() {
		if x.Scope != model.ScopeGroup || len(f.Entities.Children(x.ID, model.ScopeTarget)) > 1 {
			out[engine.Key("", x)] = x.ID
		}
	}
	return out
}

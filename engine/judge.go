package engine

import (
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// State is what Judge remembers between frames, by rule and entity. It is plain data, so that it can
// be stored and moved. The zero value is a first look.
type State map[string]Held

// Held is how long one rule has been true for one entity.
type Held struct {
	Since    time.Time     `json:"since"`
	Observed time.Duration `json:"observed"`  // time seen true, gaps left out
	LastSeen time.Time     `json:"last_seen"` // last frame in which the entity was judged
	LastTrue time.Time     `json:"last_true"`
	Firing   bool          `json:"firing"`
	Traced   bool          `json:"traced"` // Since was seen, and is not just the beginning of what was observed
}

// maxStep bounds what one frame may add to the observed time, so that a gap or a jump of the clock
// satisfies no `for`.
const maxStep = time.Minute

// held is how long the state of an entity that no frame shows is kept at least: a source that failed, or
// a pod that moved, is not a recovery.
const held = 5 * time.Minute

// undecided is how long a symptom goes on that nobody can tell of any more although all that it asks for is
// seen: as where the objective lies inside a bucket of the histogram, and a few requests always fall into
// it. The harm that began it was sure, and would be seen if it were still there. A signal that is missing
// is another matter: without it nothing ends.
const undecided = 30 * time.Minute

// bounded says that a rule is unknown although every signal that it names is there, by their bounds alone.
func bounded(r *rules.Rule, f *model.Frame, id model.EntityID) bool {
	env := expression.Of(f, id)
	for _, n := range r.When.Names() {
		name := n.ID
		if n.Over != "" {
			name = n.Over + "(" + n.ID + ")"
		}
		if _, ok := env.Number(name); !ok && !n.Text {
			return false
		}
	}
	return true
}

// Judge applies every rule to one frame. Frames must come in order of time. A rule that is unknown
// keeps its state: it neither fires nor resolves. The state of an entity that the frame does not show is
// held for the rule's keep_firing_for, five minutes at least; a rule that is gone takes its state along.
func (e *Engine) Judge(old State, f *model.Frame) (State, []model.Symptom) {
	next := State{}
	var out []model.Symptom
	scopes := byScope(f)
	keys := make([]string, f.Entities.Len()) // of the entities, as they are needed
	for _, r := range e.o.Rules.All() {
		when := r.When.Over(f)
		for _, x := range scopes[r.Scope] {
			truth := when.Truth(x.ID)
			if truth != expression.True && len(old) == 0 {
				continue // the usual case: nothing is wrong and nothing was
			}
			if keys[x.ID] == "" {
				keys[x.ID] = Key("", x)
			}
			key := r.ID + keys[x.ID]
			h, seen := old[key]
			h, active := Step(h, seen, old == nil, truth, r, f, x.ID)
			if !active {
				continue
			}
			next[key] = h
			out = append(out, e.symptom(r, x, h, f, expression.Of(f, x.ID)))
		}
	}
	e.hold(next, old, f, scopes)
	return next, out
}

// hold carries over the state of entities that are not in the frame.
func (e *Engine) hold(next, old State, f *model.Frame, scopes map[model.Scope][]model.Entity) {
	if len(old) == 0 {
		return
	}
	shown := map[string]bool{}
	for scope, xs := range scopes {
		for _, x := range xs {
			shown[string(scope)+"\xff"+x.Labels.Key()] = true
		}
	}
	for key, h := range old {
		id, entity, _ := strings.Cut(key, "\xff")
		if r, ok := e.o.Rules.Get(id); ok && !shown[entity] && h.Kept(r, f.At) {
			next[key] = h
		}
	}
}

// Kept says whether the state of an entity that no frame has shown since is still held at a time.
func (h Held) Kept(r *rules.Rule, at time.Time) bool {
	return at.Sub(h.LastSeen) < max(r.KeepFiringFor, held)
}

// Key is where a State keeps what it knows of a rule for an entity.
func Key(rule string, x model.Entity) string {
	return rule + "\xff" + string(x.Scope) + "\xff" + x.Labels.Key()
}

// Step moves the clock of one rule for one entity by one frame, as Judge does for all of them; false
// means that the rule is not active. seen says that it was, first that there was no frame before. Who
// asks what another `for` would have done gives a copy of the rule.
func Step(h Held, seen, first bool, truth expression.Truth, r *rules.Rule, f *model.Frame, id model.EntityID) (Held, bool) {
	h, active := advance(h, seen, truth, r, f, id)
	if active && !seen && !first && !h.Traced {
		h.Observed, h.Firing = 0, r.For == 0 // it was not so at the last look
	}
	return h, active
}

// advance moves one rule's clock; false means that the rule is not active any more.
func advance(h Held, seen bool, truth expression.Truth, r *rules.Rule, f *model.Frame, id model.EntityID) (Held, bool) {
	switch {
	case truth == expression.True && !seen:
		since, traced := began(f, id, r)
		h = Held{Since: since, Traced: traced, Observed: f.At.Sub(since), LastTrue: f.At}
	case truth == expression.True:
		h.Observed += min(max(f.At.Sub(h.LastSeen), 0), maxStep)
		h.LastTrue = f.At
	case !seen:
		return h, false
	case truth == expression.False && f.At.Sub(h.LastTrue) >= r.KeepFiringFor:
		return h, false
	case truth == expression.False && !h.Firing:
		return h, false
	case truth == expression.Unknown && f.At.Sub(h.LastTrue) >= max(r.KeepFiringFor, undecided) && bounded(r, f, id):
		return h, false
	}
	h.LastSeen = f.At
	h.Firing = h.Firing || h.Observed >= r.For
	return h, true
}

func (e *Engine) symptom(r *rules.Rule, x model.Entity, h Held, f *model.Frame, env expression.Env) model.Symptom {
	s := model.Symptom{
		ID: r.ID, Title: r.Title, Severity: r.Severity, State: model.Pending, Since: h.Since.UTC(),
		HeldSeconds: h.Observed.Seconds(), Scope: x.Scope, Members: e.members(f, x, r), Entity: x.ID,
		Evidence: e.ruleEvidence(r, env), Traced: h.Traced,
	}
	if h.Firing {
		s.State = model.Firing
	}
	return s
}

func (e *Engine) members(f *model.Frame, x model.Entity, r *rules.Rule) []string {
	if r.Scope != model.ScopeGroup {
		return nil
	}
	var out []string
	for _, c := range f.Entities.Children(x.ID, model.ScopeTarget) {
		out = append(out, f.Entities.Get(c).Name())
	}
	return out
}

// ruleEvidence is the rule's own sentences, or its true comparisons where it has none.
func (e *Engine) ruleEvidence(r *rules.Rule, env expression.Env) []model.Evidence {
	var out []model.Evidence
	for _, t := range r.Evidence {
		if ev, ok := e.say(t, env); ok {
			out = append(out, ev)
		}
	}
	if len(out) > 0 {
		return out
	}
	return e.leaves(r.When, env)
}

// say fills a sentence; its first quantity stands for the whole.
func (e *Engine) say(t rules.Template, env expression.Env) (model.Evidence, bool) {
	text, ok := t.Fill(env, e.unit)
	if !ok || text == "" {
		return model.Evidence{}, false
	}
	ev := model.Evidence{Text: text}
	if name, v, ok := t.First(env); ok {
		ev.Signal, ev.Value, ev.Bound, ev.Unit = name, &v.V, v.Bound.String(), e.unit(name)
	}
	return ev, true
}

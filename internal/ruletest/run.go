package ruletest

import (
	"fmt"
	"strings"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/units"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/playbooks/knobs"
	"github.com/inferdx/inferdx/rules"
)

// runner tests one rule or one playbook.
type runner struct {
	c    *content.Content
	p    *pipeline.Pipeline
	rule *rules.Rule
	book *playbooks.Playbook
}

// run judges a case and returns every expectation that did not come true.
func (r *runner) run(x *testCase) yamlpos.Problems {
	var out yamlpos.Problems
	check := func(e expectation, f *model.Frame, symptoms []model.Symptom) {
		o := r.outcome(x, f, symptoms)
		switch {
		case o.got != e.want.S:
			out = append(out, x.src.Problem(e.want.Pos, len(e.want.S), fmt.Sprintf("want %s, got %s", e.want.S, o.got), o.why))
		case x.change != "" && o.change != x.change:
			out = append(out, x.src.Problem(e.want.Pos, len(e.want.S), fmt.Sprintf("want change %q, got %q", x.change, o.change), ""))
		}
	}
	if len(x.series) > 0 {
		r.steps(x, check)
		return out
	}
	if r.rule != nil {
		f, _ := x.build(r.c, r.rule.Scope)
		_, symptoms := r.p.Engine.Judge(nil, f)
		check(x.expect[0], f, symptoms)
		return out
	}
	f, id := x.build(r.c, x.scope(r.book.Scope))
	check(x.expect[0], f, r.given(x, f, id))
	return out
}

// steps judges frame after frame, as the service does.
func (r *runner) steps(x *testCase, check func(expectation, *model.Frame, []model.Symptom)) {
	st := x.store()
	end := time.Duration(0)
	for _, e := range x.expect {
		end = max(end, e.after)
	}
	request := pipeline.Request{Window: x.window, Without: x.hidden, Log: x.facts}
	if x.args != "" {
		request.Args = knobs.SplitArgs(x.args)
	}
	if len(x.facts) == 0 {
		request.Log = nil
	}
	var state engine.State
	for t := time.Duration(0); t <= end; t += x.every {
		request.At = start.Add(t)
		f, _ := r.p.Frame(st, request)
		var symptoms []model.Symptom
		state, symptoms = r.p.Engine.Judge(state, f)
		for _, e := range x.expect {
			if e.after == t {
				check(e, f, symptoms)
			}
		}
	}
}

// given are the symptoms that a playbook's case says are there.
func (r *runner) given(x *testCase, f *model.Frame, id model.EntityID) []model.Symptom {
	var out []model.Symptom
	for _, s := range x.symptoms {
		rule, ok := r.c.Rules.Get(s)
		if !ok {
			continue
		}
		out = append(out, model.Symptom{
			ID: s, Title: rule.Title, Severity: rule.Severity, State: model.Firing, Since: f.At.Add(-f.Window),
			HeldSeconds: f.Window.Seconds(), Scope: f.Entities.Get(id).Scope, Entity: id,
		})
	}
	return out
}

// outcome is what came of a case, and what to tell when it is not what was wanted.
type outcome struct{ got, why, change string }

func (r *runner) outcome(x *testCase, f *model.Frame, symptoms []model.Symptom) outcome {
	if r.rule == nil {
		return r.standing(r.p.Engine.Diagnose(f, symptoms))
	}
	o := r.state(f, symptoms)
	if len(x.series) == 0 && o.got == string(model.Pending) {
		o.got = string(model.Firing) // a frame has no time, so `for` does not count
	}
	return o
}

// state is where the rule stands, over everything it is about: the worst, and unknown before inactive.
func (r *runner) state(f *model.Frame, symptoms []model.Symptom) outcome {
	var o outcome
	for _, s := range symptoms {
		if s.ID == r.rule.ID && o.got != string(model.Firing) {
			o = outcome{got: string(s.State), why: r.comparisons(f, s.Entity)}
		}
	}
	if o.got != "" {
		return o
	}
	o = outcome{got: "unknown", why: fmt.Sprintf("there is no %s to judge", r.rule.Scope)}
	for _, e := range f.Entities.All() {
		if e.Scope != r.rule.Scope || e.Scope == model.ScopeGroup && len(f.Entities.Children(e.ID, model.ScopeTarget)) < 2 {
			continue // the engine judges no group of one
		}
		o = outcome{got: "inactive", why: r.comparisons(f, e.ID)}
		if r.rule.When.Truth(expression.Of(f, e.ID)) == expression.Unknown {
			o.got = "unknown"
			return o
		}
	}
	return o
}

// comparisons writes how each comparison of the condition came out.
func (r *runner) comparisons(f *model.Frame, id model.EntityID) string {
	var parts []string
	for _, l := range r.rule.When.Leaves(expression.Of(f, id)) {
		text := l.Source + " is " + l.Truth.String()
		if l.Known {
			text += " (" + units.Format(l.Value.V, r.c.Unit(l.Signal), l.Value.Bound) + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}

// standing is where the playbook ended among the causes.
func (r *runner) standing(ds []model.Diagnosis) outcome {
	o := outcome{got: "absent", why: "no cause is listed"}
	var all []string
	for _, d := range ds {
		for _, c := range d.Causes {
			all = append(all, fmt.Sprintf("%s %.2f", c.ID, c.Score))
			if c.ID != r.book.ID || o.got == "primary" {
				continue
			}
			o.got = "candidate"
			if c.Primary {
				o.got = "primary"
			}
			if len(c.Changes) > 0 {
				o.change = c.Changes[0].Text
			}
		}
	}
	if len(all) > 0 {
		o.why = strings.Join(all, ", ")
	}
	return o
}

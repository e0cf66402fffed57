package ruletest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// testCase is one checked case, with what it takes over from another one.
type testCase struct {
	name          string
	at            yamlpos.Pos
	every, window time.Duration
	series        map[string]series
	args          string
	frame         map[string]model.Value
	facts         map[string]model.Fact
	members       []member
	engine        model.Engine
	symptoms      []string
	// hidden are the signals that nobody exports, of a case with series.
	hidden []string
	expect []expectation
	change string

	src *yamlpos.Source
}

type series struct {
	name   string
	labels model.Labels
	values []value
}

type member struct {
	scope model.Scope
	frame map[string]model.Value
}

// expectation is a word that must hold some time after the start; in a frame there is no time.
type expectation struct {
	after time.Duration
	want  yamlpos.Text
}

// read decodes and checks a test file. Cases are returned only when there is no fault.
func read(c *content.Content, f *found) ([]*testCase, yamlpos.Problems) {
	var files []caseFile
	src, err := yamlpos.Decode(f.testName, f.test, &files)
	r := newReader(c, f, src)
	r.Faults = problems(f.testName, err)
	for i := range files {
		r.add(&files[i])
	}
	if len(files) == 0 && len(r.Faults) == 0 {
		r.fault(yamlpos.Text{}, "no cases", "a test is a list of cases: `- name: …`")
	}
	if len(r.Faults) > 0 {
		return nil, r.Faults
	}
	return r.done, nil
}

// add checks one case and resolves what it takes over.
func (r *reader) add(f *caseFile) {
	x := r.start(f)
	x.name, x.at = r.Required("name", f.Name), f.Name.Pos
	if slices.ContainsFunc(r.done, func(o *testCase) bool { return o.name == x.name }) && x.name != "" {
		r.fault(f.Name, "a case of this name stands above", "")
	}
	x.every = r.Duration("every", f.Every, x.every)
	x.window = r.Duration("window", f.Window, x.window)
	if x.every <= 0 || x.window <= 0 {
		r.fault(f.Name, "every and window must be above 0", "")
		x.every, x.window = defaultEvery, defaultWindow
	}
	if f.Args.S != "" {
		x.args = f.Args.S
	}
	if f.Engine != nil {
		x.engine = model.Engine{Name: cmp.Or(f.Engine.Name.S, x.engine.Name), Version: f.Engine.Version.S}
		if !slices.Contains(r.c.Knobs.Engines(), x.engine.Name) {
			r.fault(f.Engine.Name, "unknown engine "+x.engine.Name, near(x.engine.Name, r.c.Knobs.Engines()))
		}
	}
	r.series(x, f)
	maps.Copy(x.frame, r.values(f.Frame))
	maps.Copy(x.facts, r.factsOf(x.engine.Name, f.Facts))
	if f.Members != nil {
		x.members = r.members(f.Members)
	}
	if f.Symptoms != nil {
		x.symptoms = r.symptoms(f.Symptoms)
	}
	r.without(x, f)
	r.expectation(x, f)
	r.fits(x, f)
	r.done = append(r.done, x)
}

const (
	defaultEvery  = 15 * time.Second
	defaultWindow = 5 * time.Minute
)

// start is an empty case, or a copy of the one that this one is like. A case that only takes
// something away is like the one before it.
func (r *reader) start(f *caseFile) *testCase {
	blank := &testCase{
		every: defaultEvery, window: defaultWindow, src: r.Source, engine: model.Engine{Name: "vllm"},
		series: map[string]series{}, frame: map[string]model.Value{}, facts: map[string]model.Fact{},
	}
	var from *testCase
	switch {
	case f.Like.S != "":
		i := slices.IndexFunc(r.done, func(o *testCase) bool { return o.name == f.Like.S })
		if i < 0 {
			r.fault(f.Like, "no case of this name stands above", near(f.Like.S, r.names()))
			return blank
		}
		from = r.done[i]
	case len(f.Without) == 0:
		return blank
	case len(r.done) == 0:
		r.fault(f.Without[0], "there is no case before this one to take from", "")
		return blank
	default:
		from = r.done[len(r.done)-1]
	}
	x := *from
	x.series, x.frame, x.facts = maps.Clone(from.series), maps.Clone(from.frame), maps.Clone(from.facts)
	x.members, x.hidden = slices.Clone(from.members), slices.Clone(from.hidden)
	for i := range x.members {
		x.members[i].frame = maps.Clone(from.members[i].frame)
	}
	x.expect, x.change = nil, ""
	return &x
}

func (r *reader) names() []string {
	out := make([]string, len(r.done))
	for i, x := range r.done {
		out[i] = x.name
	}
	return out
}

// without takes signals and facts away. What is not there can't be: that is a slip.
func (r *reader) without(x *testCase, f *caseFile) {
	for _, t := range f.Without {
		if !r.Known.Known(t.S) {
			r.Name(t)
			continue
		}
		if len(x.series) > 0 {
			x.hidden = append(x.hidden, t.S)
			continue
		}
		n := len(x.frame) + len(x.facts)
		delete(x.frame, t.S)
		delete(x.facts, t.S)
		gone := len(x.frame)+len(x.facts) < n
		for _, m := range x.members {
			n := len(m.frame)
			delete(m.frame, t.S)
			gone = gone || len(m.frame) < n
		}
		if !gone {
			r.fault(t, t.S+" is not there to be taken away", "of a formula, take its operands away")
		}
	}
}

// fits reports what does not go together.
func (r *reader) fits(x *testCase, f *caseFile) {
	withSeries, withFrame := len(x.series) > 0, len(x.frame)+len(x.members) > 0
	switch {
	case withSeries && withFrame:
		r.fault(f.Name, "a case has either series or a frame", "")
	case withSeries && len(f.Symptoms) > 0:
		r.fault(f.Symptoms[0], "with series the symptoms are judged, not given", "")
	case !withSeries && x.args != "":
		r.fault(f.Args, "args go with series", "in a frame write facts")
	case r.f.kind == kindRule && len(x.symptoms) > 0:
		r.fault(f.Name, "a rule's test is given no symptoms", "")
	case r.f.kind == kindRule && x.change != "":
		r.fault(f.Change, "a rule suggests no change", "")
	case r.f.kind == kindPlaybook && !withSeries && len(x.symptoms) == 0:
		r.fault(f.Name, "symptoms are missing", "a playbook's test says which symptoms are there")
	}
	if r.scope == model.ScopeGroup && len(x.frame) > 0 && (!r.both || len(x.members) > 0) {
		r.fault(f.Name, "a group has no signals of its own", "write them under members")
	}
	for i := range x.members {
		if x.members[i].scope == "" {
			x.members[i].scope = model.ScopeRank
			if r.scope == model.ScopeGroup {
				x.members[i].scope = model.ScopeTarget
			}
		}
	}
}

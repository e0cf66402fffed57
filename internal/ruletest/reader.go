package ruletest

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/rules"
)

// reader checks the cases of one file.
type reader struct {
	rules.Checker
	c     *content.Content
	f     *found
	scope model.Scope // of the rule or playbook
	both  bool        // its cases are groups where they have members, else targets; what holds for targets holds for ranks
	done  []*testCase
}

func newReader(c *content.Content, f *found, src *yamlpos.Source) *reader {
	r := &reader{Checker: rules.Checker{Source: src, Known: c.Names()}, c: c, f: f, scope: model.ScopeTarget}
	if rule, ok := c.Rules.Get(f.id); ok && f.kind == kindRule {
		r.scope = rule.Scope
	} else if p, ok := c.Playbooks.Get(f.id); ok && f.kind == kindPlaybook {
		if r.scope = p.Scope; r.scope == "both" {
			r.scope, r.both = model.ScopeGroup, true
		}
	}
	return r
}

func (r *reader) fault(t yamlpos.Text, msg, hint string) {
	at := t.Pos
	if at.Line == 0 {
		at = yamlpos.Pos{Line: 1, Col: 1}
	}
	r.Faults = append(r.Faults, r.Source.Problem(at, len([]rune(t.S)), msg, hint))
}

func near(word string, known []string) string {
	if n := yamlpos.Nearest(word, known); n != "" {
		return "did you mean " + n + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}

// inOrder lists the keys of a mapping as they stand in the file.
func inOrder[V any](m map[yamlpos.Text]V) []yamlpos.Text {
	out := slices.Collect(maps.Keys(m))
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i].Pos, out[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
	})
	return out
}

func (r *reader) series(x *testCase, f *caseFile) {
	for _, key := range inOrder(f.Series) {
		name, ls, err := parseMetric(key.S)
		if err != nil {
			r.fault(key, err.Error(), `as vllm:num_requests_running{engine="0"}`)
			continue
		}
		text := f.Series[key]
		vs, bad := parseValues(text.S)
		if bad != nil {
			r.Faults = append(r.Faults, r.Source.Problem(text.At(bad.off), bad.width, bad.msg, "as 1+2x10, 5x3, _, stale"))
			continue
		}
		x.series[name+"\xff"+ls.Key()] = series{name, ls, vs}
	}
}

// values reads canonical signals: a number, "<x" for at most and ">x" for at least.
func (r *reader) values(m map[yamlpos.Text]yamlpos.Text) map[string]model.Value {
	out := map[string]model.Value{}
	for _, key := range inOrder(m) {
		if _, ok := r.c.Signals.Meaning(key.S); !ok {
			if r.Known.Known(key.S) {
				r.fault(key, key.S+" is a fact, no signal", "write it under facts")
			} else {
				r.Name(key)
			}
			continue
		}
		text := strings.TrimSpace(m[key].S)
		v := model.Value{}
		if rest, ok := strings.CutPrefix(text, "<"); ok {
			text, v.Bound = rest, model.AtMost
		} else if rest, ok := strings.CutPrefix(text, ">"); ok {
			text, v.Bound = rest, model.AtLeast
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || n-n != 0 { // infinities and NaN are no values
			r.fault(m[key], strconv.Quote(m[key].S)+" is no value", `a number, "<0.05" for at most, ">1" for at least`)
			continue
		}
		v.V = n
		out[key.S] = v
	}
	return out
}

// factsOf reads facts as the server's log gives them: knobs by their type, the rest as text or number.
func (r *reader) factsOf(engine string, m map[yamlpos.Text]factFile) map[string]model.Fact {
	out := map[string]model.Fact{}
	for _, key := range inOrder(m) {
		if !r.Known.Known(key.S) {
			r.Name(key)
			continue
		}
		f := m[key]
		explicit := r.OneOf("explicit", f.Explicit, "true", "true", "false") == "true"
		inferred := r.OneOf("inferred", f.Inferred, "false", "true", "false") == "true"
		fact := plainFact(f.Value.S)
		if k, ok := r.c.Knobs.FromValues(engine, map[string]any{key.S: f.Value.S}, "test", explicit)[key.S]; ok {
			fact = k
		}
		fact.From, fact.Explicit, fact.Inferred = "test", explicit, inferred
		if !explicit && !inferred {
			fact.From = "default"
		}
		out[key.S] = fact
	}
	return out
}

func plainFact(text string) model.Fact {
	f := model.Fact{Text: text}
	switch strings.ToLower(text) {
	case "true":
		f.Num, f.IsNum = 1, true
	case "false":
		f.IsNum = true
	default:
		n, err := strconv.ParseFloat(text, 64)
		f.Num, f.IsNum = n, err == nil
	}
	return f
}

func (r *reader) members(ms []memberFile) []member {
	var out []member
	for _, m := range ms {
		scope := r.OneOf("scope", m.Scope, "", "target", "rank", "gpu")
		if (scope == "target") != (r.scope == model.ScopeGroup) && scope != "" {
			r.fault(m.Scope, "a "+string(r.scope)+" has no members of scope "+scope, "")
		}
		out = append(out, member{model.Scope(scope), r.values(m.Frame)})
	}
	return out
}

func (r *reader) symptoms(ts []yamlpos.Text) []string {
	var out []string
	for _, t := range ts {
		if _, ok := r.c.Rules.Get(t.S); !ok {
			hint := ""
			if n := yamlpos.Nearest(t.S, r.c.Rules.IDs()); n != "" {
				hint = "did you mean " + n + "?"
			}
			r.fault(t, "unknown symptom "+t.S, hint)
		}
		out = append(out, t.S)
	}
	return out
}

// expectation reads what must come of a case: a word, or with series a word at each of some times.
func (r *reader) expectation(x *testCase, f *caseFile) {
	words := []string{"primary", "candidate", "absent"}
	if r.f.kind == kindRule {
		words = []string{"firing", "inactive", "unknown"}
		if len(x.series) > 0 {
			words = append(words, "pending")
		}
	}
	x.change = f.Change.S
	at := f.Expect.At
	switch {
	case len(at) == 0 && f.Expect.Word.S == "":
		r.fault(f.Name, "expect is missing", "one of "+strings.Join(words, ", "))
	case len(at) == 0 && len(x.series) > 0:
		r.fault(f.Expect.Word, "with series, expect says when", "as {5m: "+f.Expect.Word.S+"}")
	case len(at) > 0 && len(x.series) == 0:
		r.fault(at[0].After, "a frame has no time", "write the word alone")
	case len(at) == 0:
		at = []expectAt{{Word: f.Expect.Word}}
	}
	for _, e := range at {
		r.OneOf("expect", e.Word, "", words...)
		after := r.Duration("expect", e.After, 0)
		if after%x.every != 0 {
			r.fault(e.After, "nothing is judged at this time", "a multiple of every, "+x.every.String())
		}
		x.expect = append(x.expect, expectation{after, e.Word})
	}
}

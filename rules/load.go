package rules

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	prom "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/contentdir"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Known tells the loader which names exist.
type Known interface {
	// Known says whether a signal or fact of that name can exist.
	Known(name string) bool
	// Names lists them all, for did-you-mean.
	Names() []string
}

// Load reads every *.yaml below each file system that is no test. A rule of a later file system
// replaces one of the same id; `disabled: true` takes it away. Every fault is reported.
func Load(known Known, systems ...fs.FS) (*Set, error) {
	s := &Set{byID: map[string]*Rule{}, disabled: map[string]bool{}}
	var faults yamlpos.Problems
	kin := map[string]kinship{}
	for _, fsys := range systems {
		faults = append(faults, contentdir.Each(fsys, func(name string, src []byte) yamlpos.Problems {
			r, disabled, ps := parse(name, src, known, kin)
			switch {
			case disabled:
				s.disabled[contentdir.ID(name)] = true
				delete(s.byID, contentdir.ID(name))
			case r != nil:
				s.byID[r.ID] = r
			}
			return ps
		})...)
	}
	for _, r := range s.byID {
		s.rules = append(s.rules, r)
	}
	sort.Slice(s.rules, func(i, j int) bool { return s.rules[i].ID < s.rules[j].ID })
	for _, r := range s.rules {
		if other := r.ExplainedAs; other != "" && (!s.Known(other) || other == r.ID) {
			hint := ""
			if near := yamlpos.Nearest(other, s.IDs()); near != "" {
				hint = "did you mean " + near + "?"
			}
			at := kin[r.ID]
			faults = append(faults, at.source.Problem(at.pos, len(other), "explained_as: "+other+" is no other symptom", hint))
		}
	}
	return s, faults.Err()
}

// kinship is where a rule names another one.
type kinship struct {
	source *yamlpos.Source
	pos    yamlpos.Pos
}

// parse is Parse, and notes where the rule names another one, which may not be known yet.
func parse(name string, src []byte, known Known, kin map[string]kinship) (r *Rule, disabled bool, faults yamlpos.Problems) {
	var f file
	s, err := yamlpos.Decode(name, src, &f)
	if err != nil {
		return nil, false, yamlpos.AsProblems(name, err)
	}
	if f.Disabled {
		return nil, true, nil
	}
	c := &Checker{Source: s, Known: known}
	r = &Rule{
		ID: contentdir.ID(name), File: name, Area: path.Base(path.Dir(name)), Title: c.Required("title", f.Title), Why: strings.TrimSpace(f.Why.S),
		Scope: model.Scope(c.OneOf("scope", f.Scope, "target", "target", "rank", "gpu", "group")),
	}
	sev := c.OneOf("severity", f.Severity, "warning", "note", "info", "warning", "critical")
	if sev == "note" {
		r.Note, sev = true, "info"
	}
	r.Severity = model.Severity(sev)
	r.Status = model.Status(c.OneOf("status", f.Status, "degraded", "degraded", "down", "idle", "unknown"))
	r.When = c.Expr("when", f.When)
	r.For = c.Duration("for", f.For, 0)
	r.KeepFiringFor = c.Duration("keep_firing_for", f.KeepFiringFor, 0)
	r.Onset, r.OnsetStop, r.OnsetAt = f.Onset.S, f.OnsetStop.S, f.OnsetAt.S
	c.Name(f.Onset)
	c.Name(f.OnsetStop)
	c.Name(f.OnsetAt)
	r.Held = f.Held.S
	r.ExplainedAs, kin[r.ID] = f.ExplainedAs.S, kinship{s, f.ExplainedAs.Pos}
	c.Name(f.Held)
	for _, e := range f.Evidence {
		r.Evidence = append(r.Evidence, c.Template(e))
	}
	return r, false, c.Faults
}

// Parse reads one rule. Whether the rules that it names exist is not looked at.
func Parse(name string, src []byte, known Known) (r *Rule, disabled bool, faults yamlpos.Problems) {
	return parse(name, src, known, map[string]kinship{})
}

// Checker collects the faults of one file. It is shared with the playbooks' loader.
type Checker struct {
	Source *yamlpos.Source
	Known  Known
	Faults yamlpos.Problems
}

func (c *Checker) add(t yamlpos.Text, width int, msg, hint string) {
	at := t.Pos
	if at.Line == 0 {
		at = yamlpos.Pos{Line: 1, Col: 1}
	}
	c.Faults = append(c.Faults, c.Source.Problem(at, max(width, 1), msg, hint))
}

// Required reports an empty field.
func (c *Checker) Required(field string, t yamlpos.Text) string {
	if strings.TrimSpace(t.S) == "" {
		c.add(t, 1, field+" is missing", "")
	}
	return strings.TrimSpace(t.S)
}

// OneOf reports a word that is not allowed; an empty field gives the default.
func (c *Checker) OneOf(field string, t yamlpos.Text, def string, allowed ...string) string {
	if t.S == "" {
		return def
	}
	if !slices.Contains(allowed, t.S) {
		c.add(t, len(t.S), fmt.Sprintf("%s: %q is not allowed", field, t.S), "one of "+strings.Join(allowed, ", "))
	}
	return t.S
}

// Expr parses an expression and checks its names. An empty required one is reported by the caller.
func (c *Checker) Expr(field string, t yamlpos.Text) *expression.Expr {
	if strings.TrimSpace(t.S) == "" {
		c.add(t, 1, field+" is missing", "")
		return nil
	}
	x, err := expression.Parse(t.S)
	if err != nil {
		var se *expression.SyntaxError
		if errors.As(err, &se) {
			c.Faults = append(c.Faults, c.Source.Problem(t.At(se.Off), se.Len, se.Msg, ""))
		}
		return nil
	}
	for _, n := range x.Names() {
		if !c.Known.Known(n.ID) {
			msg, hint := c.refuse(n.ID)
			c.Faults = append(c.Faults, c.Source.Problem(t.At(n.Off), len(n.ID), msg, hint))
		}
	}
	return x
}

// refuser is a Known that can say more of a name than that it is unknown.
type refuser interface {
	Refuse(name string) (msg, hint string, ok bool)
}

// refuse words the fault of an unknown name.
func (c *Checker) refuse(id string) (msg, hint string) {
	if k, is := c.Known.(refuser); is {
		if msg, hint, ok := k.Refuse(id); ok {
			return msg, hint
		}
	}
	if near := yamlpos.Nearest(id, c.Known.Names()); near != "" {
		return "unknown name " + id, "did you mean " + near + "?"
	}
	return "unknown name " + id, "`inferdx explain signals` lists the names"
}

// Name checks a single signal name; empty is fine.
func (c *Checker) Name(t yamlpos.Text) {
	if t.S != "" && !c.Known.Known(t.S) {
		msg, hint := c.refuse(t.S)
		c.add(t, len(t.S), msg, hint)
	}
}

// Duration reads a Prometheus duration and refuses negative and absurd ones (over a year).
func (c *Checker) Duration(field string, t yamlpos.Text, def time.Duration) time.Duration {
	if t.S == "" {
		return def
	}
	d, err := prom.ParseDuration(t.S)
	if err != nil || time.Duration(d) > 366*24*time.Hour {
		c.add(t, len(t.S), fmt.Sprintf("%s: %q is no usable duration", field, t.S), "as 30s, 5m, 1h30m; at most 1y")
	}
	return time.Duration(d)
}

// Template parses a sentence and checks its names.
func (c *Checker) Template(t yamlpos.Text) Template {
	out := ParseTemplate(strings.TrimSpace(t.S))
	for _, n := range out.Names() {
		if !c.Known.Known(n) {
			off := max(strings.Index(t.S, n), 0)
			msg, hint := c.refuse(n)
			c.Faults = append(c.Faults, c.Source.Problem(t.At(off), len(n), msg, hint))
		}
	}
	return out
}

package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/units"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/playbooks/knobs"
	"github.com/inferdx/inferdx/rules"
	"github.com/inferdx/inferdx/rules/signals"
)

var kinds = []string{"signals", "symptoms", "causes", "knobs"}

// reference turns the content into pages.
type reference struct {
	c        *content.Content
	dialects []signals.Dialect
	settings map[string]map[string]knobForm // by server and knob
	readBy   map[string][]string            // signal or fact -> who reads it
}

// knobForm is what of a knob's file only people read.
type knobForm struct {
	Since   string `yaml:"since"`
	Removed string `yaml:"removed"`
	Default []struct {
		Versions string `yaml:"versions"`
		When     string `yaml:"when"`
		Value    string `yaml:"value"`
	} `yaml:"default"`
	Requires []struct {
		Check   string `yaml:"check"`
		When    string `yaml:"when"`
		Message string `yaml:"message"`
	} `yaml:"requires"`
}

func newReference(o *folders) (*reference, error) {
	c, err := o.load()
	if err != nil {
		return nil, err
	}
	r := &reference{c: c, settings: map[string]map[string]knobForm{}, readBy: map[string][]string{}}
	names, err := fs.Glob(signals.Builtin(), "dialects/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list dialects: %w", err)
	}
	for _, n := range names {
		src, err := fs.ReadFile(signals.Builtin(), n)
		if err != nil {
			return nil, fmt.Errorf("read dialect: %w", err)
		}
		var d signals.Dialect
		if _, err := yamlpos.Decode(n, src, &d); err != nil {
			return nil, fmt.Errorf("read dialect: %w", err)
		}
		r.dialects = append(r.dialects, d)
	}
	if err := r.loadKnobs(); err != nil {
		return nil, err
	}
	r.index()
	return r, nil
}

func (r *reference) loadKnobs() error {
	for _, server := range r.c.Knobs.Engines() {
		src, err := fs.ReadFile(knobs.Builtin(), server+".yaml")
		if err != nil {
			return fmt.Errorf("read knobs: %w", err)
		}
		var f struct {
			Knobs map[string]knobForm `yaml:"knobs"`
		}
		if err := yaml.Unmarshal(src, &f); err != nil {
			return fmt.Errorf("read knobs: %w", err)
		}
		r.settings[server] = f.Knobs
	}
	return nil
}

// index notes which rule and which playbook read what.
func (r *reference) index() {
	note := func(who string, es ...*expression.Expr) {
		for _, e := range es {
			if e == nil {
				continue
			}
			for _, n := range e.Names() {
				if !slices.Contains(r.readBy[n.ID], who) {
					r.readBy[n.ID] = append(r.readBy[n.ID], who)
				}
			}
		}
	}
	for _, x := range r.c.Rules.All() {
		note(x.ID, x.When)
	}
	for _, p := range r.c.Playbooks.All() {
		note(p.ID, p.Requires, p.RulesOut)
		for _, it := range slices.Concat(p.For, p.Against) {
			note(p.ID, it.When)
		}
		for _, ch := range p.Changes {
			note(p.ID, ch.To, ch.If)
		}
	}
}

// pages of one kind, in order of id.
func (r *reference) pages(kind string) []page {
	var out []page
	switch kind {
	case "signals":
		for _, id := range r.c.Signals.IDs() {
			out = append(out, r.signal(id))
		}
		for _, id := range r.c.Signals.Facts() {
			out = append(out, r.fact(id))
		}
	case "symptoms":
		for _, x := range r.c.Rules.All() {
			out = append(out, r.symptom(x))
		}
	case "causes":
		for _, p := range r.c.Playbooks.All() {
			out = append(out, r.cause(p))
		}
	case "knobs":
		for _, server := range r.c.Knobs.Engines() {
			for _, id := range r.c.Knobs.IDs(server) {
				if k, ok := r.c.Knobs.Knob(server, id); ok {
					out = append(out, r.knob(k))
				}
			}
		}
	}
	return out
}

func (r *reference) symptom(x *rules.Rule) page {
	severity := string(x.Severity)
	if x.Note {
		severity = "note"
	}
	p := page{kind: "symptom", id: x.ID, title: x.Title, brief: []string{x.Area, severity}}
	p.add("Meaning", []string{x.Why}, nil)
	impact := "Severity " + string(x.Severity) + "."
	if x.Note {
		impact = "Harms nobody by itself: it is a note beside the diagnosis."
	}
	p.add("Impact", []string{impact + " Judged for each " + string(x.Scope) + "; the status becomes " + string(x.Status) + "."}, nil)
	points := []string{"when " + code(oneLine(x.When.Source()))}
	if x.For > 0 {
		points = append(points, "pages once it has held for "+units.Duration(x.For))
	}
	for _, t := range x.Evidence {
		points = append(points, "says: "+t.Plain())
	}
	p.add("Diagnosis", nil, points)
	var causes []string
	for _, b := range r.c.Playbooks.All() {
		if slices.Contains(b.Explains, x.ID) {
			causes = append(causes, code(b.ID)+": "+b.Title)
		}
	}
	text := "What to do depends on the cause:"
	if len(causes) == 0 {
		text = "No playbook explains it."
	}
	p.add("Mitigation", []string{text}, causes)
	return p
}

func (r *reference) cause(b *playbooks.Playbook) page {
	p := page{kind: "cause", id: b.ID, title: b.Title, brief: []string{b.Group, b.Layer}}
	p.add("Meaning", []string{b.Is}, nil)
	var hurts []string
	for _, id := range b.Explains {
		if x, ok := r.c.Rules.Get(id); ok {
			hurts = append(hurts, code(id)+": "+x.Title)
		}
	}
	p.add("Impact", []string{b.Impact, "Layer: " + b.Layer + ". It explains:"}, hurts)
	var points []string
	if b.Requires != nil {
		points = append(points, "needs "+code(oneLine(b.Requires.Source())))
	}
	if b.RulesOut != nil {
		points = append(points, "ruled out by "+code(oneLine(b.RulesOut.Source())))
	}
	for _, it := range b.For {
		points = append(points, evidenceLine("for", it))
	}
	for _, it := range b.Against {
		points = append(points, evidenceLine("against", it))
	}
	for _, u := range b.Unseen {
		points = append(points, "would tell: "+code(u.Signal)+": "+u.Needs)
	}
	apart := ""
	if b.ToldApart != "" {
		apart = "Told apart: " + b.ToldApart
	}
	decided := ""
	if len(b.DecidedBy) > 0 {
		decided = "It can be named only on evidence of: " + strings.Join(b.DecidedBy, ", ") + "."
	}
	p.add("Diagnosis", []string{apart, decided}, points)
	var changes []string
	for _, c := range b.Changes {
		changes = append(changes, r.change(c))
	}
	p.add("Mitigation", nil, changes)
	p.add("Sources", nil, b.Sources)
	return p
}

func evidenceLine(side string, it playbooks.Item) string {
	word := map[float64]string{4: "decisive", 2: "strong", 1: "moderate", 0.4: "weak"}[it.Weight]
	return fmt.Sprintf("%s, %s (%s), when %s: %s", side, word, it.By, code(oneLine(it.When.Source())), it.Text.Plain())
}

func (r *reference) change(c playbooks.Change) string {
	var parts []string
	what := c.Kind
	if c.Knob != "" {
		what = code(c.Knob)
	}
	switch {
	case c.Set != "":
		what += " to " + code(c.Set)
	case c.To != nil:
		what += " to " + code(oneLine(c.To.Source()))
	case c.Direction != "":
		what += " " + c.Direction
	}
	parts = append(parts, what+" ("+c.When+")")
	for _, t := range []string{c.Text.Plain(), c.Why.Plain()} {
		if t != "" {
			parts = append(parts, t)
		}
	}
	if c.Cost != "" {
		parts = append(parts, "price: "+c.Cost)
	}
	if c.Verify != nil {
		parts = append(parts, "it helped when "+code(c.Verify.Signal)+" goes "+c.Verify.Expect)
	}
	return strings.Join(parts, "; ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

package playbooks

import (
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"

	"github.com/inferdx/inferdx/internal/contentdir"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/rules"
)

type file struct {
	Title        yamlpos.Text   `yaml:"title"`
	Layer        yamlpos.Text   `yaml:"layer"`
	Kind         yamlpos.Text   `yaml:"kind"`
	Is           yamlpos.Text   `yaml:"is"`
	Impact       yamlpos.Text   `yaml:"impact"`
	ToldApart    yamlpos.Text   `yaml:"told_apart"`
	Scope        yamlpos.Text   `yaml:"scope"`
	Prior        yamlpos.Text   `yaml:"prior"`
	Explains     []yamlpos.Text `yaml:"explains"`
	Requires     yamlpos.Text   `yaml:"requires"`
	RulesOut     yamlpos.Text   `yaml:"rules_out"`
	DecidedBy    []yamlpos.Text `yaml:"decided_by"`
	For          []itemFile     `yaml:"for"`
	Against      []itemFile     `yaml:"against"`
	Unseen       []unseenFile   `yaml:"unseen"`
	ExplainsAway []yamlpos.Text `yaml:"explains_away"`
	Changes      []changeFile   `yaml:"changes"`
	Sources      []string       `yaml:"sources"`
	Disabled     bool           `yaml:"disabled"`
}

type itemFile struct {
	When   yamlpos.Text `yaml:"when"`
	Weight yamlpos.Text `yaml:"weight"`
	Group  string       `yaml:"group"`
	By     yamlpos.Text `yaml:"by"`
	Text   yamlpos.Text `yaml:"text"`
}

type unseenFile struct {
	Signal yamlpos.Text `yaml:"signal"`
	Engine yamlpos.Text `yaml:"engine"`
	Needs  string       `yaml:"needs"`
}

type changeFile struct {
	Kind   yamlpos.Text `yaml:"kind"`
	When   yamlpos.Text `yaml:"when"`
	Engine yamlpos.Text `yaml:"engine"`
	Knob   yamlpos.Text `yaml:"knob"`
	From   yamlpos.Text `yaml:"from"`
	To     yamlpos.Text `yaml:"to"`
	Set    yamlpos.Text `yaml:"set"`
	Way    yamlpos.Text `yaml:"direction"`
	If     yamlpos.Text `yaml:"if"`
	Text   yamlpos.Text `yaml:"text"`
	Why    yamlpos.Text `yaml:"why"`
	Cost   string       `yaml:"cost"`
	Verify *verifyFile  `yaml:"verify"`
}

type verifyFile struct {
	Signal yamlpos.Text `yaml:"signal"`
	Expect yamlpos.Text `yaml:"expect"`
}

// Known is what playbooks may refer to beside signals and facts.
type Known interface {
	rules.Known
	Rule(id string) bool
	RuleIDs() []string
	// ExplainedAs lists the rules that whatever explains a rule explains, too.
	ExplainedAs(rule string) []string
	Knob(id string) bool
	// Servers are those whose launch settings are known.
	Servers() []string
}

// Load reads every *.yaml below each file system that is no test. A playbook of a later file system
// replaces one of the same id; `disabled: true` takes it away. Every fault is reported.
func Load(known Known, systems ...fs.FS) (*Set, error) {
	s := &Set{byID: map[string]*Playbook{}, disabled: map[string]bool{}}
	var faults yamlpos.Problems
	for _, fsys := range systems {
		faults = append(faults, contentdir.Each(fsys, func(name string, src []byte) yamlpos.Problems {
			p, disabled, ps := Parse(name, src, known)
			switch {
			case disabled:
				s.disabled[contentdir.ID(name)] = true
				delete(s.byID, contentdir.ID(name))
			case p != nil:
				s.byID[p.ID] = p
			}
			return ps
		})...)
	}
	for _, p := range s.byID {
		s.list = append(s.list, p)
	}
	sort.Slice(s.list, func(i, j int) bool { return s.list[i].ID < s.list[j].ID })
	faults = append(faults, s.checkGraph()...)
	return s, faults.Err()
}

// Parse reads one playbook.
func Parse(name string, src []byte, known Known) (p *Playbook, disabled bool, faults yamlpos.Problems) {
	var f file
	s, err := yamlpos.Decode(name, src, &f)
	if err != nil {
		return nil, false, yamlpos.AsProblems(name, err)
	}
	if f.Disabled {
		return nil, true, nil
	}
	l := &loader{Checker: rules.Checker{Source: s, Known: known}, known: known}
	p = &Playbook{
		ID: contentdir.ID(name), File: name, Group: path.Base(path.Dir(name)),
		Title: l.Required("title", f.Title), Is: l.Required("is", f.Is), Impact: strings.TrimSpace(f.Impact.S), ToldApart: strings.TrimSpace(f.ToldApart.S),
		Layer: l.OneOf("layer", f.Layer, "system", "business", "system", "operator"),
		State: l.OneOf("kind", f.Kind, "cause", "cause", "state") == "state",
		Scope: model.Scope(l.OneOf("scope", f.Scope, "target", "target", "group", "both")),
		Prior: map[string]float64{"common": 0, "rare": -1}[l.OneOf("prior", f.Prior, "common", "common", "rare")],
	}
	p.Explains = l.ruleIDs(f.Explains)
	p.Requires = l.optional("requires", f.Requires)
	p.RulesOut = l.optional("rules_out", f.RulesOut)
	for _, d := range f.DecidedBy {
		p.DecidedBy = append(p.DecidedBy, l.OneOf("decided_by", d, "", kinds...))
	}
	p.For, p.Against = l.items(f.For), l.items(f.Against)
	for _, u := range f.Unseen {
		l.Name(u.Signal)
		p.Unseen = append(p.Unseen, Unseen{u.Signal.S, l.OneOf("engine", u.Engine, "", known.Servers()...), u.Needs})
	}
	for _, a := range f.ExplainsAway {
		p.ExplainsAway = append(p.ExplainsAway, a.S)
	}
	for _, c := range f.Changes {
		p.Changes = append(p.Changes, l.change(c))
	}
	p.Sources = f.Sources
	return p, false, l.Faults
}

var kinds = []string{"metrics", "gpu", "host", "router", "args", "log", "profile", "trace", "benchmark"}

type loader struct {
	rules.Checker
	known Known
}

func (l *loader) ruleIDs(ids []yamlpos.Text) []string {
	var out []string
	for _, t := range ids {
		if !l.known.Rule(t.S) {
			hint := ""
			if near := yamlpos.Nearest(t.S, l.known.RuleIDs()); near != "" {
				hint = "did you mean " + near + "?"
			}
			l.Faults = append(l.Faults, l.Source.Problem(t.Pos, len(t.S), "unknown symptom "+t.S, hint))
		}
		out = append(out, t.S)
	}
	for _, t := range ids {
		for _, kin := range l.known.ExplainedAs(t.S) {
			if !slices.Contains(out, kin) {
				out = append(out, kin)
			}
		}
	}
	return out
}

func (l *loader) optional(field string, t yamlpos.Text) *expression.Expr {
	if t.S == "" {
		return nil
	}
	return l.Expr(field, t)
}

func (l *loader) items(fs []itemFile) []Item {
	var out []Item
	for _, f := range fs {
		w := l.OneOf("weight", f.Weight, "moderate", "decisive", "strong", "moderate", "weak")
		out = append(out, Item{
			When: l.Expr("when", f.When), Weight: weights[w], Group: f.Group,
			By: l.OneOf("by", f.By, "metrics", kinds...), Text: l.Template(f.Text),
		})
	}
	return out
}

func (l *loader) change(f changeFile) Change {
	c := Change{
		Kind: l.OneOf("kind", f.Kind, "knob", "knob", "scale", "route", "drain", "client", "fix"),
		When: l.OneOf("when", f.When, "rollout", "now", "rollout"), Engine: l.OneOf("engine", f.Engine, "", l.known.Servers()...),
		Knob: f.Knob.S, From: l.optional("from", f.From), To: l.optional("to", f.To), Set: f.Set.S, Direction: l.OneOf("direction", f.Way, "", "up", "down"), If: l.optional("if", f.If),
		Text: l.Template(f.Text), Why: l.Template(f.Why), Cost: f.Cost,
	}
	if c.Kind == "knob" && !l.known.Knob(c.Knob) {
		l.Faults = append(l.Faults, l.Source.Problem(f.Knob.Pos, max(len(c.Knob), 1), "unknown knob "+c.Knob, ""))
	}
	if f.Verify != nil {
		l.Name(f.Verify.Signal)
		c.Verify = &model.Verify{Signal: f.Verify.Signal.S, Expect: l.OneOf("expect", f.Verify.Expect, "down", "up", "down")}
	}
	return c
}

// checkGraph refuses unknown causes and cycles in explains_away.
func (s *Set) checkGraph() yamlpos.Problems {
	var faults yamlpos.Problems
	for _, p := range s.list {
		for _, other := range p.ExplainsAway {
			if s.byID[other] == nil && !s.disabled[other] {
				faults = append(faults, &yamlpos.Problem{File: p.File, Line: 1, Col: 1, Msg: "explains_away: unknown cause " + other})
			}
		}
		if path := s.cycle(p.ID, []string{p.ID}); path != nil {
			faults = append(faults, &yamlpos.Problem{File: p.File, Line: 1, Col: 1, Msg: "explains_away goes round: " + strings.Join(path, " -> ")})
		}
	}
	return faults
}

func (s *Set) cycle(id string, path []string) []string {
	p := s.byID[id]
	if p == nil {
		return nil
	}
	for _, next := range p.ExplainsAway {
		if next == path[0] {
			return append(path, next)
		}
		if slices.Contains(path, next) {
			continue
		}
		if found := s.cycle(next, append(slices.Clone(path), next)); found != nil {
			return found
		}
	}
	return nil
}

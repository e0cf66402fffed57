// Package content loads everything that is data - signals, symptoms, causes, knobs - and checks it
// together, so that `check` and the running program accept exactly the same set.
package content

import (
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"
	"testing/fstest"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/playbooks/knobs"
	"github.com/inferdx/inferdx/rules"
	"github.com/inferdx/inferdx/rules/signals"
)

// Content is one checked set. It is read-only and safe for concurrent use.
type Content struct {
	Signals   *signals.Catalog
	Rules     *rules.Set
	Playbooks *playbooks.Set
	Knobs     *knobs.Catalog
}

// Options add to the built-in content. A file of the same id replaces a built-in one; one that says
// `disabled: true` takes it away.
type Options struct {
	Rules     []fs.FS
	Playbooks []fs.FS
	// Signals hold meaning/*.yaml and dialects/*.yaml.
	Signals []fs.FS
	// PromQL parses the `promql:` of users' signals, see signals.Options; nil refuses such signals.
	PromQL func(query string) (metrics []string, err error)
	// NoBuiltin leaves the built-in symptoms and causes out; the signals and knobs stay.
	NoBuiltin bool
	// Disable takes symptoms and causes of these ids away, whoever defined them.
	Disable []string
}

// disabled is a file for each id that takes it away.
func disabled(ids []string) fs.FS {
	files := fstest.MapFS{}
	for _, id := range ids {
		files[id+".yaml"] = &fstest.MapFile{Data: []byte("disabled: true"), Mode: 0o444}
	}
	return files
}

// Load reads and checks the content. The error lists every fault of every file.
func Load(o Options) (*Content, error) {
	c := &Content{}
	var err error
	var faults yamlpos.Problems
	read := signals.Options{PromQL: o.PromQL}
	c.Signals, err = read.Load(append([]fs.FS{signals.Builtin()}, o.Signals...)...)
	faults = gather(faults, err)
	if c.Knobs, err = knobs.Load(knobs.Builtin()); err != nil {
		return nil, fmt.Errorf("built-in knobs:\n%w", err)
	}
	ruleFS, bookFS := o.Rules, o.Playbooks
	if !o.NoBuiltin {
		ruleFS = append([]fs.FS{rules.Builtin()}, ruleFS...)
		bookFS = append([]fs.FS{playbooks.Builtin()}, bookFS...)
	}
	if len(o.Disable) > 0 {
		off := disabled(o.Disable)
		ruleFS, bookFS = append(slices.Clip(ruleFS), off), append(slices.Clip(bookFS), off)
	}
	known := newNames(c)
	c.Rules, err = rules.Load(known, ruleFS...)
	faults = gather(faults, err)
	known.rules = c.Rules.IDs()
	c.Playbooks, err = playbooks.Load(known, bookFS...)
	faults = gather(faults, err)
	return c, faults.Err()
}

func gather(all yamlpos.Problems, err error) yamlpos.Problems {
	switch e := err.(type) { //nolint:errorlint // the loaders return Problems unwrapped
	case nil:
		return all
	case yamlpos.Problems:
		return append(all, e...)
	default:
		return append(all, &yamlpos.Problem{Msg: err.Error()})
	}
}

// names answers the loaders' questions about what may be referred to.
type names struct {
	c     *Content
	facts map[string]bool
	all   []string
	rules []string
}

func newNames(c *Content) *names {
	n := &names{c: c, facts: map[string]bool{}}
	for _, f := range c.Signals.Facts() {
		n.facts[f] = true
	}
	for _, e := range c.Knobs.Engines() {
		for _, id := range c.Knobs.IDs(e) {
			n.facts[id] = true
			n.facts[id+"_default"] = true
		}
	}
	n.all = c.Signals.IDs()
	for f := range n.facts {
		n.all = append(n.all, f)
	}
	sort.Strings(n.all)
	return n
}

func (n *names) Known(name string) bool {
	if _, ok := n.c.Signals.Meaning(name); ok {
		return true
	}
	return n.facts[name]
}

func (n *names) Names() []string                { return n.all }
func (n *names) Rule(id string) bool            { return n.c.Rules.Known(id) }
func (n *names) RuleIDs() []string              { return n.rules }
func (n *names) ExplainedAs(id string) []string { return n.c.Rules.ExplainedAs(id) }
func (n *names) Servers() []string              { return n.c.Knobs.Engines() }
func (n *names) Knob(id string) bool {
	for _, e := range n.c.Knobs.Engines() {
		if _, ok := n.c.Knobs.Knob(e, id); ok {
			return true
		}
	}
	return false
}

// Names answers which signals and facts can be referred to.
func (c *Content) Names() rules.Known { return newNames(c) }

// Unit implements engine.Meanings.
func (c *Content) Unit(name string) string {
	if m, ok := c.Signals.Meaning(name); ok {
		return m.Unit
	}
	if m, ok := c.Signals.Fact(name); ok {
		return m.Unit
	}
	switch {
	case strings.HasSuffix(name, "_gib"):
		return "GiB"
	case strings.HasSuffix(name, "_tokens"):
		return "tokens"
	}
	return ""
}

// Title implements engine.Meanings.
func (c *Content) Title(name string) string {
	if m, ok := c.Signals.Meaning(name); ok && m.Name != "" {
		return m.Name
	}
	if m, ok := c.Signals.Fact(name); ok && m.Name != "" {
		return m.Name
	}
	return name
}

// OfGPU implements engine.Meanings.
func (c *Content) OfGPU(name string) bool {
	m, ok := c.Signals.Meaning(name)
	return ok && m.Scope == model.ScopeGPU
}

// Describe implements engine.Knobs.
func (c *Content) Describe(server, id string) (engine.KnobInfo, bool) {
	k, ok := c.Knobs.Knob(server, id)
	if !ok {
		return engine.KnobInfo{}, false
	}
	return engine.KnobInfo{
		Flag: k.Flag, File: k.File, Min: k.Min, Max: k.Max, Restart: k.Restart, ChangesOutput: k.ChangesOutput, Cost: k.Cost,
		Setting: k.Setting, Rollback: k.Rollback,
	}, true
}

// Available implements engine.Knobs.
func (c *Content) Available(server, id, version string) (bool, string) {
	return c.Knobs.Available(server, id, version)
}

// Format implements engine.Knobs.
func (c *Content) Format(server, id string, v float64) string { return c.Knobs.Format(server, id, v) }

// Check implements engine.Knobs.
func (c *Content) Check(server, version string, current, proposed map[string]string) []string {
	return c.Knobs.Check(server, version, current, proposed)
}

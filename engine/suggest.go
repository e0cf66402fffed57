package engine

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
)

// KnobInfo is what the engine must know of a launch flag.
type KnobInfo struct {
	Flag string
	// File is the flag that names the file in which the setting stands, "" for one of the command line.
	File          string
	Min, Max      *float64
	Restart       bool
	ChangesOutput bool
	Cost          string
	// Setting writes the flag with a value as it stands on a command line, "" where it is to be left out.
	Setting func(value string) string
	// Rollback says how to undo a change, from the value before it.
	Rollback func(was model.Fact) string
}

// Knobs is the catalogue of launch flags, by engine and version.
type Knobs interface {
	Describe(engine, id string) (KnobInfo, bool)
	// Available says whether the running version knows the flag; version "" is unknown.
	Available(engine, id, version string) (bool, string)
	Format(engine, id string, v float64) string
	// Check tells what is wrong with a set of changes taken together.
	Check(engine, version string, current, proposed map[string]string) []string
}

// Suggest gives the changes that a cause would call for at an entity, whether or not it is at work there; nil where no such
// playbook is known.
func (e *Engine) Suggest(f *model.Frame, id model.EntityID, cause string) []model.Action {
	p, ok := e.o.Playbooks.Get(cause)
	if !ok {
		return nil
	}
	x := f.Entities.All()[id]
	return e.suggest(f, x, p, e.current(f, x))
}

// suggest turns a playbook's changes into actions with values for this entity. What is already set,
// what the running version does not know and what points the wrong way is left out.
func (e *Engine) suggest(f *model.Frame, x model.Entity, p *playbooks.Playbook, current map[string]string) []model.Action {
	env := expression.Of(f, x.ID)
	var out []model.Action
	for _, c := range p.Changes {
		if c.Engine != "" && c.Engine != x.Engine.Name {
			continue
		}
		if c.If != nil && c.If.Truth(env) == expression.False {
			continue
		}
		a := model.Action{Kind: c.Kind, When: c.When, Cost: c.Cost, Verify: c.Verify}
		a.Text, _ = c.Text.Fill(env, e.unit)
		a.Why, _ = c.Why.Fill(env, e.unit)
		if c.Kind == "knob" && !e.knob(&a, c, f, x, env) {
			continue
		}
		out = append(out, a)
	}
	return e.consistent(x, out, current)
}

// knob fills in flag, from and to; false means that the change must not be suggested.
func (e *Engine) knob(a *model.Action, c playbooks.Change, f *model.Frame, x model.Entity, env expression.Env) bool {
	k, ok := e.o.Knobs.Describe(x.Engine.Name, c.Knob)
	if !ok {
		return false
	}
	if ok, _ := e.o.Knobs.Available(x.Engine.Name, c.Knob, exactVersion(x.Engine)); !ok {
		return false
	}
	a.Knob, a.Flag, a.Restart, a.ChangesOutput = c.Knob, k.Flag, k.Restart, k.ChangesOutput
	if a.Cost == "" {
		a.Cost = lower(k.Cost)
	}
	from, seen := f.Fact(x.ID, c.Knob)
	if seen {
		a.From, a.FromSource = &from.Text, from.From
		if from.Inferred {
			a.FromSource = "inferred"
		}
	}
	if v, ok := inferred(c, env); ok && (!seen || doubted(c, from, v)) {
		text := e.o.Knobs.Format(x.Engine.Name, c.Knob, v)
		a.From, a.FromSource = &text, "inferred"
		from, seen = model.Fact{Num: v, IsNum: true}, true
	}
	if c.Set != "" {
		a.To = &c.Set
	} else if c.To != nil {
		if v, ok := c.To.Number(env); ok && v.Bound == model.Exact {
			to := e.o.Knobs.Format(x.Engine.Name, c.Knob, clamp(v.V, k))
			a.To = &to
		}
	}
	if a.To != nil && a.From != nil && same(*a.To, *a.From) {
		return false
	}
	if a.To != nil && seen && from.IsNum && wrongWay(c.Direction, *a.To, from.Num) {
		return false
	}
	a.Text = knobText(*a, c, k)
	if a.From != nil && a.Restart && a.FromSource != "inferred" {
		a.Rollback = k.Rollback(from)
	}
	return true
}

// inferred deduces the present value from behaviour.
func inferred(c playbooks.Change, env expression.Env) (float64, bool) {
	if c.From == nil {
		return 0, false
	}
	v, ok := c.From.Number(env)
	return v.V, ok && v.Bound == model.Exact
}

// doubted says that a default, which stands where a launch command sets nothing, lies on the wrong side
// of what the server does: the command was not the whole one.
func doubted(c playbooks.Change, from model.Fact, seen float64) bool {
	return !from.Explicit && from.IsNum && strings.HasPrefix(from.From, "default") && c.Direction == "up" && from.Num > 1.3*seen+1
}

func exactVersion(e model.Engine) string {
	if e.AtLeastOnly {
		return ""
	}
	return e.Version
}

func clamp(v float64, k KnobInfo) float64 {
	if k.Min != nil {
		v = max(v, *k.Min)
	}
	if k.Max != nil {
		v = min(v, *k.Max)
	}
	return v
}

func same(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	if errA == nil && errB == nil {
		return x == y
	}
	return a == b
}

func wrongWay(direction, to string, from float64) bool {
	v, err := strconv.ParseFloat(to, 64)
	if err != nil {
		return false
	}
	return direction == "up" && v <= from || direction == "down" && v >= from
}

// knobText is the change in one line; the playbook's own words win.
func knobText(a model.Action, c playbooks.Change, k KnobInfo) string {
	if a.Text != "" {
		return a.Text
	}
	from := "?"
	if a.From != nil {
		from = *a.From
	}
	if a.FromSource == "inferred" {
		from = "~" + from
	}
	flag := a.Flag
	if k.File != "" {
		flag += " in the file of " + k.File
	}
	switch {
	case a.To != nil && k.Setting(*a.To) == "":
		return "leave out " + flag
	case a.To != nil && (*a.To == "true" || *a.To == "false") && k.File == "":
		return "add " + k.Setting(*a.To)
	case a.To != nil:
		return fmt.Sprintf("%s %s -> %s", flag, from, *a.To)
	case c.Direction == "up":
		return "raise " + flag
	case c.Direction == "down":
		return "lower " + flag
	}
	return "set " + flag
}

// current are the settings of an entity as far as they are known, by knob.
func (e *Engine) current(f *model.Frame, x model.Entity) map[string]string {
	out := map[string]string{}
	for name, fact := range f.AllFacts(x.ID) {
		if _, ok := e.o.Knobs.Describe(x.Engine.Name, name); ok || name == "backend" {
			out[name] = fact.Text
		}
	}
	return out
}

// consistent drops later knob changes that make the set wrong together with the earlier ones.
func (e *Engine) consistent(x model.Entity, as []model.Action, current map[string]string) []model.Action {
	var out []model.Action
	proposed := map[string]string{}
	for _, a := range as {
		if a.Kind != "knob" || a.To == nil {
			out = append(out, a)
			continue
		}
		if _, twice := proposed[a.Knob]; twice {
			continue
		}
		// Each change is offered on its own, so it must be right on its own.
		if faults := e.o.Knobs.Check(x.Engine.Name, exactVersion(x.Engine), current, map[string]string{a.Knob: *a.To}); len(faults) > 0 {
			continue
		}
		proposed[a.Knob] = *a.To
		out = append(out, a)
	}
	return out
}

// lower makes a sentence a clause, as the costs in playbooks are.
func lower(s string) string {
	s = strings.TrimSuffix(s, ".")
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

package knobs

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Check looks at changes together and says what is wrong with them, in order, nothing when they can be made: a knob that
// the version lacks, a value that is out of range or already set, one knob changed twice, a broken constraint. Both maps
// hold written values by knob id or flag; an empty value or "none" takes the flag away. What is not known breaks nothing.
func (c *Catalog) Check(engine, version string, current, proposed map[string]string) []string {
	e, ok := c.engines[engine]
	if !ok {
		return []string{"no knobs of " + engine + " are known"}
	}
	now, _ := e.resolve(current)
	want, problems := e.resolve(proposed)
	after := maps.Clone(now)
	maps.DeleteFunc(want, func(id string, _ model.Fact) bool { return e.knobs[id] == nil })
	for _, id := range slices.Sorted(maps.Keys(want)) {
		k := e.knobs[id]
		if ok, why := c.Available(engine, id, version); !ok && !k.unset(want[id].Text) {
			problems = append(problems, why)
		}
		problems = append(problems, k.reject(now, want[id])...)
		after[id] = want[id]
	}
	for _, id := range slices.Sorted(maps.Keys(want)) {
		if whole := e.knobs[id].partOf; whole != "" {
			if _, both := want[whole]; both {
				problems = append(problems, fmt.Sprintf("%s and %s are changed, which holds it", e.knobs[id].Flag, e.knobs[whole].Flag))
			}
		}
	}
	return append(problems, e.broken(want, after)...)
}

// resolve turns ids and flags into ids and texts into facts. Names that are no knobs are kept as facts (backend) and told.
func (e *engine) resolve(values map[string]string) (map[string]model.Fact, []string) {
	out := map[string]model.Fact{}
	var problems []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		text := values[name]
		k, ok := e.knobs[name]
		if s, isFlag := e.flags[normal(name)]; isFlag && !ok {
			k, ok = s.knob, true
			if on, isBool := parseBool(text); s.off && isBool {
				text = fmt.Sprint(!on)
			}
		}
		if !ok {
			problems = append(problems, e.unknownKnob(name))
			n, isNum := parseNumber(text)
			out[name] = model.Fact{Text: text, Num: n, IsNum: isNum}
			continue
		}
		if _, twice := out[k.ID]; twice {
			problems = append(problems, k.Flag+" is changed twice")
		}
		f, _, err := k.fact(text, "", true)
		if err != nil {
			problems = append(problems, k.Flag+": "+err.Error())
		}
		out[k.ID] = f
	}
	return out, problems
}

// reject looks at one value by itself.
func (k *Knob) reject(now map[string]model.Fact, want model.Fact) []string {
	var out []string
	was, have := now[k.ID]
	switch {
	case have && k.unset(want.Text) && k.unset(was.Text):
		out = append(out, k.Flag+" is not set")
	case have && (was.IsNum && want.IsNum && was.Num == want.Num || strings.EqualFold(was.Text, want.Text)):
		out = append(out, fmt.Sprintf("%s is already %s", k.Flag, was.Text))
	}
	if k.unset(want.Text) {
		return out
	}
	if want.IsNum {
		switch {
		case k.Min != nil && want.Num < *k.Min:
			out = append(out, fmt.Sprintf("%s %s is below %v, the least allowed", k.Flag, want.Text, *k.Min))
		case k.Max != nil && want.Num > *k.Max:
			out = append(out, fmt.Sprintf("%s %s is above %v, the most allowed", k.Flag, want.Text, *k.Max))
		case k.Type == Int && want.Num != math.Trunc(want.Num):
			out = append(out, fmt.Sprintf("%s %s is not a whole number", k.Flag, want.Text))
		case k.Step > 0 && math.Abs(math.Remainder(want.Num, k.Step)) > 1e-9:
			out = append(out, fmt.Sprintf("%s %s is no multiple of %v", k.Flag, want.Text, k.Step))
		}
	}
	if k.Type == String && len(k.Values) > 0 && !k.Open && !slices.Contains(k.Values, want.Text) {
		out = append(out, fmt.Sprintf("%s %s is none of %s", k.Flag, want.Text, strings.Join(k.Values, ", ")))
	}
	return out
}

// broken lists the constraints that the changes break. One that was broken before and reads no changed knob is not theirs.
func (e *engine) broken(want, after map[string]model.Fact) []string {
	get := func(name string) (model.Fact, bool) {
		f, ok := after[name]
		return f, ok
	}
	var out []string
	said := map[string]bool{} // two knobs may carry the same constraint
	for _, id := range slices.Sorted(maps.Keys(e.knobs)) {
		k := e.knobs[id]
		_, changed := want[id]
		for _, r := range k.requires {
			concerns := changed || r.check.symmetric() && slices.ContainsFunc(r.check.names(), func(n string) bool { _, ok := want[n]; return ok })
			if !concerns || said[r.check.text] || changed && k.unset(want[id].Text) {
				continue
			}
			if r.when.holds(get) == yes && r.check.holds(get) == no {
				said[r.check.text] = true
				out = append(out, fmt.Sprintf("%s: %s", k.Flag, r.message))
			}
		}
	}
	return out
}

// symmetric reports whether the condition relates knobs to each other, so that a change of either may break it.
func (c condition) symmetric() bool { return len(c.names()) > 1 }

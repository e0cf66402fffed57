package signals

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Ago is a signal as it was some time before: ttft_p99_s_1d_ago.
type Ago struct {
	Signal string
	Back   time.Duration
	Offset string // as written: 1d
}

var (
	ago   = regexp.MustCompile(`^([a-z0-9_]+)_([0-9]+[mhdw])_ago$`)
	units = map[byte]struct {
		length time.Duration
		word   string
	}{
		'm': {time.Minute, "minute"}, 'h': {time.Hour, "hour"}, 'd': {24 * time.Hour, "day"}, 'w': {7 * 24 * time.Hour, "week"},
	}
)

// longestAgo bounds an offset: nobody keeps metrics for longer, and a typing slip asks for it.
const longestAgo = 366 * 24 * time.Hour

// Refusal says why a name has no past, and what to write instead.
type Refusal struct{ Msg, Hint string }

func (r *Refusal) Error() string { return r.Msg }

// Ago reads a name with an offset. false means that it has none, or is a signal of its own; the error
// is a *Refusal.
func (c *Catalog) Ago(name string) (Ago, bool, error) {
	m := ago.FindStringSubmatch(name)
	if _, own := c.meanings[name]; own || m == nil {
		return Ago{}, false, nil
	}
	a := Ago{Signal: m[1], Offset: m[2]}
	n, err := strconv.Atoi(a.Offset[:len(a.Offset)-1])
	unit := units[a.Offset[len(a.Offset)-1]].length
	if err != nil || n < 1 || n > int(longestAgo/unit) || a.Offset[0] == '0' {
		return a, true, &Refusal{fmt.Sprintf("%s: %s is no usable offset", name, a.Offset), "from 1m to 366d, as " + a.Signal + "_1d_ago"}
	}
	a.Back = time.Duration(n) * unit
	return a, true, c.hasPast(name, a)
}

// hasPast refuses what cannot be read of an earlier window: only samples can, not what is known beside them.
func (c *Catalog) hasPast(name string, a Ago) error {
	m, ok := c.meanings[a.Signal]
	if !ok {
		r := &Refusal{Msg: "unknown name " + name, Hint: "`inferdx explain signals` lists those that can be read some time ago"}
		if near := yamlpos.Nearest(a.Signal, c.ids); near != "" {
			r.Hint = "did you mean " + near + "_" + a.Offset + "_ago?"
		}
		return r
	}
	if m.Setting != nil {
		return &Refusal{name + ": " + a.Signal + " is set by configuration and has no past", "write " + a.Signal}
	}
	for _, id := range keys(c.closure(a.Signal)) {
		if _, signal := c.meanings[id]; signal {
			continue
		}
		if ago.MatchString(id) {
			return &Refusal{name + ": " + a.Signal + " compares with the past by itself", "read its operands some time ago instead"}
		}
		return &Refusal{fmt.Sprintf("%s: %s is computed from %s, a fact, and facts are known of the present only", name, a.Signal, id), ""}
	}
	return nil
}

// closure is a signal with everything that it is computed from. Names that are no signals are facts.
func (c *Catalog) closure(id string) map[string]bool {
	out := map[string]bool{}
	var walk func(string)
	walk = func(id string) {
		if out[id] {
			return
		}
		out[id] = true
		if x, err := expression.Parse(c.meanings[id].Formula.S); err == nil {
			for _, n := range x.Names() {
				walk(n.ID)
			}
		}
	}
	walk(id)
	return out
}

// earlier is the meaning of a signal with an offset.
func (c *Catalog) earlier(name string) (Meaning, bool) {
	a, ok, err := c.Ago(name)
	if !ok || err != nil {
		return Meaning{}, false
	}
	m := c.meanings[a.Signal]
	return Meaning{
		Name: m.Name + ", " + a.Words() + " ago", Unit: m.Unit, Scope: m.Scope, Fold: m.Fold,
		Is:    m.Is + "; as it was " + a.Words() + " before, over a window of the same length",
		Needs: "samples from " + a.Words() + " ago: at least half of the scrapes expected in the window",
	}, true
}

// Words is the offset as people say it: 1 day.
func (a Ago) Words() string {
	n, unit := a.Offset[:len(a.Offset)-1], units[a.Offset[len(a.Offset)-1]].word
	if n != "1" {
		unit += "s"
	}
	return n + " " + unit
}

// checkPast reports the offsets in a formula that cannot be read.
func (c *Catalog) checkPast(f formula, text yamlpos.Text, s *yamlpos.Source) yamlpos.Problems {
	var faults yamlpos.Problems
	for _, n := range f.expr.Names() {
		if _, _, err := c.Ago(n.ID); err != nil {
			r := err.(*Refusal) //nolint:forcetypeassert,errorlint // as Ago promises
			faults = append(faults, s.Problem(text.At(n.Off), len(n.ID), fmt.Sprintf("signal %s: %s", f.id, r.Msg), r.Hint))
		}
	}
	return faults
}

// isAgo tells a name with an offset from every other without judging it.
func isAgo(name string) bool { return strings.HasSuffix(name, "_ago") && ago.MatchString(name) }

// past lists the names with an offset among some, each once, those of the formulas with them.
func (c *Catalog) past(names []string) []string {
	names = slices.Clone(names)
	for _, f := range c.formulas {
		for _, n := range f.expr.Names() {
			names = append(names, n.ID)
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !isAgo(n) })
	slices.Sort(names)
	return slices.Compact(names)
}

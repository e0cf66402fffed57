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

// Timed is a signal of another window than the frame's: as it was some time before (ttft_p99_s_1d_ago),
// or over a length of its own that ends at present (ttft_over_slo_ratio_6h).
type Timed struct {
	Signal       string
	Back, Length time.Duration // one of them is 0
	Text         string        // as written: 1d
}

var (
	timed = regexp.MustCompile(`^([a-z0-9_]+)_([0-9]+[mhdw])(_ago)?$`)
	units = map[byte]struct {
		length time.Duration
		word   string
	}{
		'm': {time.Minute, "minute"}, 'h': {time.Hour, "hour"}, 'd': {24 * time.Hour, "day"}, 'w': {7 * 24 * time.Hour, "week"},
	}
)

// longest bounds what is written: nobody keeps metrics for longer, and a typing slip asks for it.
const longest = 366 * 24 * time.Hour

// Refusal says why a signal has no such window, and what to write instead.
type Refusal struct{ Msg, Hint string }

func (r *Refusal) Error() string { return r.Msg }

// Timed reads a name with a time. false means that it has none, or is a signal of its own; the error
// is a *Refusal.
func (c *Catalog) Timed(name string) (Timed, bool, error) {
	m := timed.FindStringSubmatch(name)
	if _, own := c.meanings[name]; own || m == nil {
		return Timed{}, false, nil
	}
	a := Timed{Signal: m[1], Text: m[2]}
	n, err := strconv.Atoi(a.Text[:len(a.Text)-1])
	unit := units[a.Text[len(a.Text)-1]].length
	back := m[3] != ""
	if err != nil || n < 1 || n > int(longest/unit) || a.Text[0] == '0' {
		if back {
			return a, true, &Refusal{fmt.Sprintf("%s: %s is no usable offset", name, a.Text), "from 1m to 366d, as " + a.Signal + "_1d_ago"}
		}
		return a, true, &Refusal{fmt.Sprintf("%s: %s is no usable length", name, a.Text), "from 1m to 366d, as " + a.Signal + "_1h"}
	}
	if d := time.Duration(n) * unit; back {
		a.Back = d
		return a, true, c.hasPast(name, a)
	}
	a.Length = time.Duration(n) * unit
	if err := c.hasPast(name, a); err != nil {
		return a, true, err
	}
	return a, true, c.isCounted(name, a)
}

// hasPast refuses what cannot be read of an earlier window: only samples can, not what is known beside them.
func (c *Catalog) hasPast(name string, a Timed) error {
	m, ok := c.meanings[a.Signal]
	if !ok {
		r := &Refusal{Msg: "unknown name " + name, Hint: "`inferdx explain signals` lists those that can be read so"}
		if near := yamlpos.Nearest(a.Signal, c.ids); near != "" {
			r.Hint = "did you mean " + near + strings.TrimPrefix(name, a.Signal) + "?"
		}
		return r
	}
	if m.Setting != nil {
		return &Refusal{name + ": " + a.Signal + " is set by configuration and has no " + a.kind(), "write " + a.Signal}
	}
	for _, id := range keys(c.closure(a.Signal)) {
		if _, signal := c.meanings[id]; signal {
			continue
		}
		if timed.MatchString(id) {
			return &Refusal{name + ": " + a.Signal + " compares with the past by itself", "read its operands so instead"}
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
		if of := c.meanings[id].Least.Of.S; of != "" {
			walk(of)
		}
		if x, err := expression.Parse(c.meanings[id].Formula.S); err == nil {
			for _, n := range x.Names() {
				walk(n.ID)
			}
		}
	}
	walk(id)
	return out
}

// kind is what a name asks of its signal.
func (a Timed) kind() string {
	if a.Length > 0 {
		return "window"
	}
	return "past"
}

// isCounted refuses a window of its own to what is not counted: the edges of a long window give what a
// counter or a histogram gained in it, but a gauge would have to be read all along.
func (c *Catalog) isCounted(name string, a Timed) error {
	for _, id := range keys(c.closure(a.Signal)) {
		if m := c.meanings[id]; m.Setting != nil || m.Formula.S != "" {
			continue
		}
		read := 0
		for _, d := range c.dialects {
			if _, ok := d.Signals[id]; !ok {
				continue
			}
			if read++; !d.counted(id) {
				return &Refusal{fmt.Sprintf("%s: %s is not counted, and only what counters and histograms count has a window of its own", name, id), ""}
			}
		}
		if read == 0 {
			return &Refusal{fmt.Sprintf("%s: %s is not read from a counter or a histogram, and only they have a window of their own", name, id), ""}
		}
	}
	return nil
}

// counted says whether the first and the last sample of a window, and those around resets, give a signal.
func (d *dialect) counted(id string) bool {
	src := d.Signals[id]
	if _, ok := d.Signals[src.Above]; ok && !d.counted(src.Above) {
		return false
	}
	switch d.Series[src.Of.S].kind() {
	case "histogram":
		return true
	case "counter":
		return src.Stat.S == "increase" || src.Stat.S == "rate" || src.Stat.S == "resets"
	}
	return false
}

// elsewhen is the meaning of a signal with a time.
func (c *Catalog) elsewhen(name string) (Meaning, bool) {
	a, ok, err := c.Timed(name)
	if !ok || err != nil {
		return Meaning{}, false
	}
	m := c.meanings[a.Signal]
	out := Meaning{Unit: m.Unit, Scope: m.Scope, Fold: m.Fold}
	if a.Length > 0 {
		out.Name, out.Is = m.Name+" in "+a.Words(), m.Is+"; over "+a.Words()
		out.Needs = "samples of " + a.Words() + ": three quarters of it at least between scrapes"
		return out, true
	}
	out.Name, out.Is = m.Name+", "+a.Words()+" ago", m.Is+"; as it was "+a.Words()+" before, over a window of the same length"
	out.Needs = "samples from " + a.Words() + " ago: at least half of the scrapes expected in the window"
	return out, true
}

// Words is the time as people say it: 1 day.
func (a Timed) Words() string { return words(a.Text) }

func words(text string) string {
	n, unit := text[:len(text)-1], units[text[len(text)-1]].word
	if n != "1" {
		unit += "s"
	}
	return n + " " + unit
}

// checkPast reports the times in a formula that cannot be read.
func (c *Catalog) checkPast(f formula, text yamlpos.Text, s *yamlpos.Source) yamlpos.Problems {
	var faults yamlpos.Problems
	for _, n := range f.expr.Names() {
		if _, _, err := c.Timed(n.ID); err != nil {
			r := err.(*Refusal) //nolint:forcetypeassert,errorlint // as Timed promises
			faults = append(faults, s.Problem(text.At(n.Off), len(n.ID), fmt.Sprintf("signal %s: %s", f.id, r.Msg), r.Hint))
		}
	}
	return faults
}

// isTimed tells a name with a time from every other without judging it.
func isTimed(name string) bool {
	end := strings.TrimSuffix(name, "_ago")
	if end == "" || !strings.ContainsRune("mhdw", rune(end[len(end)-1])) {
		return false
	}
	return timed.MatchString(name)
}

// past lists the names with a time among some, each once, those of the formulas with them.
func (c *Catalog) timed(names []string) []string {
	names = slices.Clone(names)
	for _, f := range c.formulas {
		for _, n := range f.expr.Names() {
			names = append(names, n.ID)
		}
	}
	names = slices.DeleteFunc(names, func(n string) bool { return !isTimed(n) })
	slices.Sort(names)
	return slices.Compact(names)
}

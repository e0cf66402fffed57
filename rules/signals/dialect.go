package signals

import (
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// dialect is a Dialect in the form that frames are read by: series and signals are numbered, every
// name is spelled out.
type dialect struct {
	Dialect
	matchers map[string][]matcher // series id -> label matchers
	markers  []string             // in every spelling
	info     [][]string           // each in every spelling
	defs     []definition         // in order of id
	stats    []statistic          // in order of id, so that frames are built the same way each time
	places   map[string]int       // signal id -> index of stats
	facts    []shown              // in order of name
	started  int                  // the definition of Dialect.Started, -1 where there is none
}

// shown is a fact that gauges show.
type shown struct {
	name string
	defs []int
}

// definition is a SeriesDef whose alternatives are spelled out, in the order of trying.
type definition struct {
	kind     string
	names    []names
	matchers []matcher
	beside   int // the definition of SeriesDef.Beside, -1 where there is none
}

// names are what one alternative is exposed as. Only histograms have sums and counts; theirs are
// tried in this order.
type names struct {
	main         string
	sums, counts []string
}

// statistic is a SignalSource that knows its series by number.
type statistic struct {
	SignalSource
	id    string
	def   int
	while []int      // series of the conditions
	other *statistic // the signal whose value is the threshold
	bound *float64   // the threshold where it is a number
	trend bool
}

// compile numbers the series and signals of a checked dialect; what was found faulty is left out.
func (d *dialect) compile(c *Catalog) {
	for _, m := range d.Markers {
		d.markers = append(d.markers, spellings(m)...)
	}
	for _, n := range d.Info {
		d.info = append(d.info, spellings(n))
	}
	number := map[string]int{}
	for _, id := range keys(d.Series) {
		number[id] = len(d.defs)
		d.defs = append(d.defs, d.Series[id].define(d.matchers[id]))
	}
	place := func(id string) int {
		if at, ok := number[id]; ok {
			return at
		}
		return -1
	}
	d.started = place(d.Started.S)
	for i, id := range keys(d.Series) {
		d.defs[i].beside = place(d.Series[id].Beside.S)
	}
	for _, name := range keys(d.Facts) {
		x := shown{name: name}
		for _, of := range d.Facts[name] {
			x.defs = append(x.defs, place(of.S))
		}
		d.facts = append(d.facts, x)
	}
	for _, id := range keys(d.Signals) {
		src := d.Signals[id]
		def, ok := number[src.Of.S]
		if !ok {
			continue
		}
		s := statistic{SignalSource: src, id: id, def: def, trend: c.meanings[id].Trend}
		for _, w := range src.While {
			at, ok := number[w.Of]
			if !ok {
				at = -1
			}
			s.while = append(s.while, at)
		}
		if v, err := strconv.ParseFloat(src.Above, 64); err == nil {
			s.bound = &v
		}
		d.places[id] = len(d.stats)
		d.stats = append(d.stats, s)
	}
	for i := range d.stats {
		if at, ok := d.places[d.stats[i].Above]; ok {
			d.stats[i].other = &d.stats[at]
		}
	}
}

func (def SeriesDef) define(ms []matcher) definition {
	out := definition{kind: def.kind(), matchers: ms}
	for _, n := range def.names() {
		if out.kind != "histogram" {
			for _, x := range spellings(n) {
				out.names = append(out.names, names{main: x})
			}
			continue
		}
		both := spellings(n)
		for i, x := range both {
			one := names{main: x + "_bucket"}
			for k := range both {
				y := both[(i+k)%len(both)]
				one.sums, one.counts = append(one.sums, y+"_sum"), append(one.counts, y+"_count")
			}
			out.names = append(out.names, one)
		}
	}
	return out
}

type matcher struct {
	label string
	value string
	re    *regexp.Regexp
}

func (m matcher) ok(ls model.Labels) bool {
	v := ls.Get(m.label)
	if m.re != nil {
		return m.re.MatchString(v)
	}
	return v == m.value
}

func matches(ls model.Labels, ms []matcher) bool {
	for _, m := range ms {
		if !m.ok(ls) {
			return false
		}
	}
	return true
}

func compileMatch(m map[string]string) ([]matcher, error) {
	var out []matcher
	for label, want := range m {
		if re, ok := strings.CutPrefix(want, "~"); ok {
			r, err := regexp.Compile("^(?:" + re + ")$")
			if err != nil {
				return nil, fmt.Errorf("label %s: %w", label, err)
			}
			out = append(out, matcher{label: label, re: r})
			continue
		}
		out = append(out, matcher{label: label, value: want})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].label < out[j].label })
	return out, nil
}

package main

import (
	"fmt"
	"sort"
	"strings"

	"github.com/inferdx/inferdx/playbooks/knobs"
	"github.com/inferdx/inferdx/rules/signals"
)

func (r *reference) signal(id string) page {
	m, _ := r.c.Signals.Meaning(id)
	p := page{kind: "signal", id: id, title: m.Name, brief: []string{m.Area, m.Unit}}
	unit := "Unit: " + m.Unit + "."
	if m.Unit == "" {
		unit = ""
	}
	p.add("Meaning", []string{m.Is, unit}, nil)
	var points []string
	for _, d := range r.dialects {
		if src, ok := d.Signals[id]; ok {
			points = append(points, d.Name+": "+sourceLine(d, src))
		}
	}
	if m.Formula.S != "" {
		points = append(points, "computed as "+code(oneLine(m.Formula.S)))
	}
	switch {
	case m.Setting != nil:
		points = append(points, fmt.Sprintf("set by configuration, %g by default", *m.Setting))
	case len(points) == 0 && !strings.Contains(m.Needs, "--"): // what a flag brings is in no scrape
		points = append(points, "computed from the scrapes themselves")
	}
	p.add("Read from", nil, points)
	p.add("How to get it", []string{m.Needs}, nil)
	p.add("Read by", []string{listed("", r.readBy[id])}, nil)
	return p
}

// fact is the page of what is known beside the signals.
func (r *reference) fact(id string) page {
	m, _ := r.c.Signals.Fact(id)
	unit := m.Unit
	if unit == "" {
		unit = "fact"
	}
	p := page{kind: "fact", id: id, title: m.Name, brief: []string{m.Area, unit}}
	p.add("Meaning", []string{m.Is}, nil)
	p.add("How to get it", []string{m.Needs}, nil)
	p.add("Read by", []string{listed("", r.readBy[id])}, nil)
	return p
}

// sourceLine says which statistic of which metric a signal is.
func sourceLine(d signals.Dialect, src signals.SignalSource) string {
	def := d.Series[src.Of.S]
	kind, names := "gauge", def.Gauge
	switch {
	case len(def.Counter) > 0:
		kind, names = "counter", def.Counter
	case len(def.Histogram) > 0:
		kind, names = "histogram", def.Histogram
	}
	stat := src.Stat.S
	if src.Q > 0 {
		stat = fmt.Sprintf("P%g", src.Q*100)
	}
	if src.Above != "" {
		stat += " " + src.Above
	}
	out := stat + " of the " + kind
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = code(n)
	}
	out += " " + strings.Join(quoted, ", else ")
	if len(def.Match) > 0 {
		var ms []string
		for label, v := range def.Match {
			if re, ok := strings.CutPrefix(v, "~"); ok {
				ms = append(ms, label+`=~"`+re+`"`)
				continue
			}
			ms = append(ms, label+`="`+v+`"`)
		}
		sort.Strings(ms)
		out += " with " + code(strings.Join(ms, ", "))
	}
	if src.Scale != 0 && src.Scale != 1 {
		out += fmt.Sprintf(", times %g", src.Scale)
	}
	if src.Least > 0 {
		out += fmt.Sprintf("; needs %g observations", src.Least)
	}
	return out
}

func (r *reference) knob(k *knobs.Knob) page {
	f := r.settings[k.Engine][k.ID]
	p := page{kind: "knob", id: k.ID, title: k.Engine + " " + k.Flag, brief: []string{string(k.Type), k.Unit}}
	name := code(k.Flag)
	if k.File != "" {
		name += ", which stands in the file of " + code(k.File) + ","
	}
	p.add("Meaning", []string{name + " " + k.Effect + "."}, nil)
	points := []string{"type: " + rangeOf(k)}
	add := func(label, s string) {
		if s != "" {
			points = append(points, label+": "+s)
		}
	}
	add("also written", listed("", append(k.Aliases[:len(k.Aliases):len(k.Aliases)], nonempty([]string{k.Negative, k.Env})...)))
	for _, d := range f.Default {
		s := code(d.Value)
		if d.Versions != "" {
			s += " in " + d.Versions
		}
		if d.When != "" {
			s += " when " + code(d.When)
		}
		add("default", s)
	}
	add("since", f.Since)
	add("removed in", f.Removed)
	for _, q := range f.Requires {
		s := code(q.Check)
		if q.When != "" {
			s += " when " + code(q.When)
		}
		add("requires", s+": "+q.Message)
	}
	p.add("Values", nil, points)
	p.add("Where to see it", []string{k.SeenIn}, nil)
	price := k.Cost
	if k.Restart {
		price += " It needs a restart."
	}
	if k.ChangesOutput {
		price += " It changes what the model answers."
	}
	p.add("Price", []string{price}, nil)
	p.add("Turned by", []string{listed("", r.turnedBy(k.ID))}, nil)
	p.add("Sources", nil, nonempty([]string{k.Source}))
	return p
}

func (r *reference) turnedBy(knob string) []string {
	var out []string
	for _, b := range r.c.Playbooks.All() {
		for _, c := range b.Changes {
			if c.Knob == knob {
				out = append(out, b.ID)
				break
			}
		}
	}
	return out
}

func rangeOf(k *knobs.Knob) string {
	out := string(k.Type)
	if k.Min != nil {
		out += fmt.Sprintf(", at least %g", *k.Min)
	}
	if k.Max != nil {
		out += fmt.Sprintf(", at most %g", *k.Max)
	}
	if k.Step > 0 {
		out += fmt.Sprintf(", in steps of %g", k.Step)
	}
	if k.Unit != "" {
		out += ", in " + k.Unit
	}
	if len(k.Values) > 0 {
		out += ", one of " + strings.Join(k.Values, ", ")
		if k.Open {
			out += " or another"
		}
	}
	return out
}

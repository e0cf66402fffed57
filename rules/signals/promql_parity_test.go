package signals

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// TestFramesAndPromQLAgreeOnRecordings holds the two ways to an answer together: every signal that
// can be rendered, of every target, rank, GPU and host, at the end of a recording and in its middle.
func TestFramesAndPromQLAgreeOnRecordings(t *testing.T) {
	t.Parallel()
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../corpus/*/metrics.om.gz")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no recordings in corpus")
	}
	wanted := c.Metrics()
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			t.Parallel()
			st, err := recording.Open(file, func(m string) bool { _, ok := slices.BinarySearch(wanted, m); return ok })
			if err != nil {
				t.Fatal(err)
			}
			first, last, _ := st.Bounds()
			p := &parity{t: t, c: c, eval: promadapter.NewEvaluator(st, promadapter.Options{}), st: st}
			p.compare(time.UnixMilli(last))
			p.compare(time.UnixMilli((first+last)/2 + 137)) // between scrapes
			if p.same == 0 {
				t.Error("nothing was compared")
			}
		})
	}
}

type parity struct {
	t    *testing.T
	c    *Catalog
	st   *samples.Store
	eval *promadapter.Evaluator
	same int // answers on both sides that agree
}

func (p *parity) compare(at time.Time) {
	const window = 5 * time.Minute
	a := p.c.assembly(p.st, Request{At: at, Window: window}) // the ids are those of the frame below, for both are built in the same order
	f := p.c.Frame(p.st, a.req)
	for _, t := range a.targets {
		if t.d == nil {
			continue
		}
		p.entity(f, a, t.id, t.in, t.d, "")
		for _, r := range t.ranks {
			p.entity(f, a, r.id, t.in, t.d, t.d.Rank+"="+strconv.Quote(r.rank))
		}
		for _, x := range t.side {
			if x.keep == nil {
				p.entity(f, a, t.id, x.in, x.d, "")
			}
		}
		for _, g := range t.gpus {
			p.entity(f, a, g.id, g.in, g.d, "UUID="+strconv.Quote(g.labels.Get("UUID")))
		}
	}
}

func (p *parity) entity(f *model.Frame, a *assembly, id model.EntityID, in *samples.Instance, d *dialect, match string) {
	whole := a.window(in)
	now := newFeed(in, d, nil).process(whole)
	own := []string{}
	if match != "" {
		own = append(own, match)
	}
	for _, l := range in.Labels {
		own = append(own, l.Name+"="+strconv.Quote(l.Value))
	}
	o := PromQLOptions{Match: strings.Join(own, ","), By: []string{"job", "instance"}}
	for _, signal := range p.c.IDs() {
		w := now // after a restart a frame holds what the process that runs showed, and how often it was started
		if at, ok := d.places[signal]; ok && d.stats[at].ofStarts() {
			w = whole
		}
		o.Window = fmt.Sprintf("%dms", w.To-w.From)
		text, err := p.c.PromQL(d.Name, signal, o)
		if err != nil {
			continue
		}
		got, err := p.eval.Vector(context.Background(), text, f.At)
		if err != nil {
			p.t.Errorf("%s: %v", signal, err)
			continue
		}
		oracle := math.NaN()
		if len(got) > 0 {
			oracle = got[0].F
		}
		if len(got) > 1 {
			p.t.Errorf("%s: %d answers, want one: %v", signal, len(got), got)
		}
		v, ok := f.Get(id, signal)
		if slices.ContainsFunc(p.reads(d, signal, map[string]bool{}), func(s SignalSource) bool { return d.Series[s.Of.S].kind() != "gauge" && p.late(a, in, d, s) }) {
			continue // a frame counts a new series from 0 and over the time that it was there, PromQL from its second sample on over the window
		}
		if p.starved(f, id, d, signal) {
			continue // a frame falls back to another operand, PromQL knows no least number of observations
		}
		if fault := p.judge(d, signal, v, ok, oracle, max(math.Abs(v.V), p.largest(f, id, signal)), stretch(in, w), 1/float64(w.To-w.From)); fault != "" {
			p.t.Errorf("%s of %s at %s: %s\n%s", signal, f.Entities.Get(id).Name(), f.At.UTC().Format("15:04:05.000"), fault, text)
		} else if ok {
			p.same++
		}
	}
}

// late says whether a counter got a series inside the window.
func (p *parity) late(a *assembly, in *samples.Instance, d *dialect, src SignalSource) bool {
	r := newReader(p.c, d)
	r.open(newFeed(in, d, nil), a.window(in), nil)
	def := slices.Index(keys(d.Series), src.Of.S)
	return slices.ContainsFunc(r.series(def), func(s *samples.Series) bool { _, born := r.born(s); return born })
}

// starved says whether a derived signal reads one that has too few observations.
func (p *parity) starved(f *model.Frame, id model.EntityID, d *dialect, signal string) bool {
	for _, x := range p.c.formulas {
		if x.id != signal {
			continue
		}
		for _, n := range x.expr.Names() {
			if _, ok := f.Get(id, n.ID); !ok && d.Signals[n.ID].Least > 0 || p.starved(f, id, d, n.ID) {
				return true
			}
		}
		// PromQL extrapolates what is counted.
		if of, ok := f.Get(id, x.least.Of.S); ok && of.V < x.least.N && 2*of.V > x.least.N {
			return true
		}
	}
	return false
}

// largest is the largest operand of a derived signal, and of its operands.
func (p *parity) largest(f *model.Frame, id model.EntityID, signal string) float64 {
	out := 0.0
	for _, x := range p.c.formulas {
		if x.id != signal {
			continue
		}
		for _, n := range x.expr.Names() {
			v, _ := f.Get(id, n.ID)
			out = max(out, math.Abs(v.V), p.largest(f, id, n.ID))
		}
	}
	return out
}

// stretch is by what PromQL extrapolates an increase at most: from what was sampled to the window.
func stretch(in *samples.Instance, w samples.Window) float64 {
	var seen []int64
	for _, t := range in.Scrapes {
		if t > w.From && t <= w.To {
			seen = append(seen, t)
		}
	}
	if len(seen) < 2 {
		return 1
	}
	return float64(w.To-w.From) / float64(seen[len(seen)-1]-seen[0])
}

// judge says what is wrong between a frame's value and the oracle's; "" when nothing is.
func (p *parity) judge(d *dialect, signal string, v model.Value, known bool, oracle, operands, stretch, edge float64) string {
	answered := !math.IsNaN(oracle) && !math.IsInf(oracle, 0)
	reads := p.reads(d, signal, map[string]bool{})
	switch {
	case !known && !answered:
		return ""
	case !known:
		if slices.ContainsFunc(reads, func(s SignalSource) bool { return s.Least > 0 || s.Stat.S == "above" }) {
			return "" // too few observations, or beyond the last edge: a frame keeps silent
		}
		return fmt.Sprintf("absent, PromQL says %g", oracle)
	case !answered:
		return fmt.Sprintf("%v, PromQL has no answer", v)
	}
	slack := 1e-6
	for _, s := range reads {
		slack = max(slack, slackOf(s, stretch, edge))
	}
	if slack > 1e-6 {
		slack *= operands // of a difference, the error is measured by what was subtracted
	} else {
		slack *= math.Abs(v.V)
	}
	slack += 1e-9
	low, high := v.V-slack, v.V+slack
	switch {
	case v.Bound != model.AtMost && oracle < low, v.Bound != model.AtLeast && oracle > high:
		return fmt.Sprintf("%v, PromQL says %g (off by %.2g)", v, oracle, oracle/v.V-1)
	}
	return ""
}

// slackOf is the difference that is there by design. A frame counts what was seen, PromQL extrapolates
// counts to the window's edges; a frame's window starts 1 ms before its first sample, over which PromQL
// extrapolates every bucket but those that stood at 0.
func slackOf(s SignalSource, stretch, edge float64) float64 {
	switch s.Stat.S {
	case "increase", "count", "above":
		return stretch - 1 + 1e-6
	case "mean":
		return edge
	case "q":
		if s.Least > 0 { // of a histogram: within a bucket the error grows by what lies below it
			return 10 * edge
		}
	}
	return 0
}

// reads lists the statistics of series that a signal comes from.
func (p *parity) reads(d *dialect, signal string, seen map[string]bool) []SignalSource {
	if seen[signal] {
		return nil
	}
	seen[signal] = true
	var out []SignalSource
	if s, ok := d.Signals[signal]; ok {
		out = append(out, s)
	}
	for _, f := range p.c.formulas {
		if f.id == signal {
			for _, n := range f.expr.Names() {
				out = append(out, p.reads(d, n.ID, seen)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b SignalSource) int { return cmp.Compare(a.Of.S, b.Of.S) })
	return out
}

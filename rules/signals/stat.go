package signals

import (
	"math"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// reader evaluates the signals of one dialect over the series of one entity.
type reader struct {
	cat      *Catalog
	d        *dialect
	in       *samples.Instance
	keep     func(*samples.Series) bool // restricts to a rank or GPU; nil keeps all
	w        samples.Window
	settings map[string]float64
	hists    map[string]histogram
	found    map[string][]*samples.Series
}

type histogram struct {
	samples.Histogram
	ok bool
}

// series returns what the first present alternative of a series definition matches.
func (r *reader) series(id string) []*samples.Series {
	if got, ok := r.found[id]; ok {
		return got
	}
	def := r.d.Series[id]
	var out []*samples.Series
	for _, n := range def.names() {
		if out = r.named(n, r.d.matchers[id]); len(out) > 0 {
			break
		}
	}
	r.found[id] = out
	return out
}

// named returns the live series of a metric that pass the matchers, in either spelling.
func (r *reader) named(name string, ms []matcher) []*samples.Series {
	if out := r.live(r.in.Named(name), ms); len(out) > 0 {
		return out
	}
	if strings.Contains(name, ":") {
		return r.live(r.in.Named(strings.ReplaceAll(name, ":", "_")), ms)
	}
	return nil
}

// live drops what does not match or has no sample in the window. The usual case, that all stays,
// costs no memory.
func (r *reader) live(all []*samples.Series, ms []matcher) []*samples.Series {
	for i, s := range all {
		if r.wanted(s, ms) {
			continue
		}
		out := append(make([]*samples.Series, 0, len(all)), all[:i]...)
		for _, s := range all[i+1:] {
			if r.wanted(s, ms) {
				out = append(out, s)
			}
		}
		return out
	}
	return all
}

func (r *reader) wanted(s *samples.Series, ms []matcher) bool {
	return matches(s.Labels, ms) && (r.keep == nil || r.keep(s)) && len(r.w.In(s.Points)) > 0
}

func matches(ls model.Labels, ms []matcher) bool {
	for _, m := range ms {
		if !m.ok(ls) {
			return false
		}
	}
	return true
}

// value evaluates one signal; false means that it was not seen.
func (r *reader) value(src SignalSource) (model.Value, bool) {
	def := r.d.Series[src.Of.S]
	var v model.Value
	var ok bool
	switch def.kind() {
	case "histogram":
		v, ok = r.fromHistogram(src, def)
	case "counter":
		v, ok = r.fromCounter(src)
	default:
		v, ok = r.fromGauge(src)
	}
	if !ok || (src.Least > 0 && v.N < src.Least) {
		return model.Value{}, false
	}
	if src.Scale != 0 {
		v.V *= src.Scale
	}
	return v, true
}

func (r *reader) fromHistogram(src SignalSource, def SeriesDef) (model.Value, bool) {
	h := r.gain(src.Of.S, def)
	if !h.ok {
		return model.Value{}, false
	}
	switch src.Stat.S {
	case "q":
		return h.Quantile(src.Q)
	case "mean":
		return h.Mean()
	case "longest":
		return h.Longest()
	case "ceiling":
		return h.Ceiling()
	case "count":
		return model.Value{V: h.Count(), N: h.Count()}, true
	case "rate":
		return model.Value{V: h.Rate, N: h.Count()}, true
	default: // above, above_most
		at, ok := r.threshold(src)
		if !ok {
			return model.Value{}, false
		}
		if src.Stat.S == "above_most" {
			return h.AboveMost(at)
		}
		return h.Above(at)
	}
}

// threshold is what observations are counted above: a number, a setting, or another signal.
func (r *reader) threshold(src SignalSource) (float64, bool) {
	at, ok := r.cat.number(src.Above, r.settings)
	if other, is := r.d.Signals[src.Above]; is {
		var v model.Value
		if v, ok = r.value(other); v.Bound != model.Exact {
			return 0, false
		}
		at = v.V
	}
	if src.Times != 0 {
		at *= src.Times
	}
	return at, ok
}

// gain reads a histogram once per frame, whatever number of statistics is taken from it.
func (r *reader) gain(id string, def SeriesDef) histogram {
	if h, ok := r.hists[id]; ok {
		return h
	}
	var h histogram
	for _, n := range def.Histogram {
		buckets := r.named(n+"_bucket", r.d.matchers[id])
		if len(buckets) == 0 {
			continue
		}
		h.Histogram, h.ok = samples.Gain(buckets, r.named(n+"_sum", r.d.matchers[id]), r.w)
		break
	}
	r.hists[id] = h
	return h
}

func (r *reader) fromCounter(src SignalSource) (model.Value, bool) {
	if src.Stat.S == "flat" {
		return r.flat(src)
	}
	return r.fold(src, func(s *samples.Series, ps []samples.Point) (float64, bool) {
		switch src.Stat.S {
		case "rate":
			return samples.Rate(ps, r.w)
		case "increase":
			inc, _, ok := samples.Increase(ps)
			if v, born := r.born(s); born {
				return inc + v, true
			}
			return inc, ok
		case "total":
			return samples.Total(ps)
		case "resets":
			return float64(samples.Resets(ps)), true
		default:
			return 1, true
		}
	})
}

// born is the first value of a counter that appeared inside the window, after a scrape that did not
// show it: it counted up from 0. A label value like status="5xx" is often exported from its first
// event on, and without this that event would never be seen.
func (r *reader) born(s *samples.Series) (float64, bool) {
	p := s.Points[0]
	if p.T <= r.w.From || math.IsNaN(p.V) || len(r.in.Scrapes) == 0 || r.in.Scrapes[0] >= p.T {
		return 0, false
	}
	return p.V, true
}

func (r *reader) fromGauge(src SignalSource) (model.Value, bool) {
	return r.fold(src, func(_ *samples.Series, ps []samples.Point) (float64, bool) {
		switch src.Stat.S {
		case "slope":
			return samples.Slope(ps)
		case "bits":
			return share(ps, src.Mask)
		case "present":
			return 1, true
		default:
			return samples.Over{Fold: src.Stat.S, Phi: src.Q}.Apply(ps)
		}
	})
}

// share is the part of the samples that have any bit of the mask set.
func share(ps []samples.Point, mask uint64) (float64, bool) {
	hit, n := 0, 0
	for _, p := range ps {
		if math.IsNaN(p.V) || p.V < 0 {
			continue
		}
		n++
		if uint64(p.V)&mask != 0 {
			hit++
		}
	}
	return float64(hit) / float64(max(n, 1)), n > 0
}

// fold evaluates each series over the window, then combines them.
func (r *reader) fold(src SignalSource, one func(*samples.Series, []samples.Point) (float64, bool)) (model.Value, bool) {
	var out float64
	n := 0
	for _, s := range r.series(src.Of.S) {
		v, ok := one(s, r.w.In(s.Points))
		if !ok || math.IsNaN(v) {
			continue
		}
		switch {
		case n == 0:
			out = v
		case src.Fold == "max":
			out = max(out, v)
		case src.Fold == "min":
			out = min(out, v)
		default:
			out += v
		}
		n++
	}
	if n == 0 {
		return model.Value{}, false
	}
	if src.Fold == "avg" {
		out /= float64(n)
	}
	return model.Known(out), true
}

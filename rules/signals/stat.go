package signals

import (
	"math"

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
	var out []*samples.Series
	for _, n := range spellings(name) {
		for _, s := range r.in.Named(n) {
			if matches(s.Labels, ms) && (r.keep == nil || r.keep(s)) && len(r.w.In(s.Points)) > 0 {
				out = append(out, s)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
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
		if h.Seconds <= 0 {
			return model.Value{}, false
		}
		return model.Value{V: h.Count() / h.Seconds, N: h.Count()}, true
	default: // above
		at, ok := r.cat.number(src.Above, r.settings)
		if !ok {
			return model.Value{}, false
		}
		return h.Above(at)
	}
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
	return r.fold(src, func(ps []samples.Point) (float64, bool) {
		switch src.Stat.S {
		case "rate":
			return samples.Rate(ps, r.w)
		case "increase":
			inc, _, ok := samples.Increase(ps)
			return inc, ok
		case "resets":
			return float64(samples.Resets(ps)), true
		default:
			return 1, true
		}
	})
}

func (r *reader) fromGauge(src SignalSource) (model.Value, bool) {
	return r.fold(src, func(ps []samples.Point) (float64, bool) {
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
func (r *reader) fold(src SignalSource, one func([]samples.Point) (float64, bool)) (model.Value, bool) {
	var out float64
	n := 0
	for _, s := range r.series(src.Of.S) {
		v, ok := one(r.w.In(s.Points))
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

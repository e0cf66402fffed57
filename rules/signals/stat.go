package signals

import (
	"math"
	"slices"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// reader evaluates the signals of one dialect, entity by entity. It keeps its memory between them.
type reader struct {
	cat      *Catalog
	d        *dialect
	feed     *feed
	w        samples.Window
	settings map[string]float64
	hists    []histogram // by definition
	found    []found     // by definition
}

type histogram struct {
	samples.Histogram
	read, ok bool
}

type found struct {
	series []*samples.Series
	read   bool
}

func newReader(c *Catalog, d *dialect) *reader {
	return &reader{cat: c, d: d, hists: make([]histogram, len(d.defs)), found: make([]found, len(d.defs))}
}

// open turns to another entity.
func (r *reader) open(f *feed, w samples.Window, settings map[string]float64) {
	r.feed, r.w, r.settings = f, w, settings
	clear(r.found)
	for i := range r.hists {
		r.hists[i].read = false
	}
}

// series returns what the first present alternative of a series definition matches.
func (r *reader) series(def int) []*samples.Series {
	if def < 0 {
		return nil
	}
	if !r.found[def].read {
		r.found[def] = found{r.feed.series(def, r.w), true}
	}
	return r.found[def].series
}

// series returns the live series of the first alternative that has any.
func (f *feed) series(def int, w samples.Window) []*samples.Series {
	for i := range f.defs[def] {
		if out := live(f.defs[def][i].main, w); len(out) > 0 {
			return out
		}
	}
	return nil
}

// live drops the series without a sample in the window.
func live(all []*samples.Series, w samples.Window) []*samples.Series {
	return only(all, func(s *samples.Series) bool { return len(w.In(s.Points)) > 0 })
}

// value evaluates one signal; false means that it was not seen.
func (r *reader) value(src *statistic) (model.Value, bool) {
	var v model.Value
	var ok bool
	switch r.d.defs[src.def].kind {
	case "histogram":
		v, ok = r.fromHistogram(src)
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

func (r *reader) fromHistogram(src *statistic) (model.Value, bool) {
	h := r.gain(src.def)
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
func (r *reader) threshold(src *statistic) (float64, bool) {
	var at float64
	var ok bool
	switch {
	case src.other != nil:
		var v model.Value
		if v, ok = r.value(src.other); v.Bound != model.Exact {
			return 0, false
		}
		at = v.V
	case src.bound != nil:
		at, ok = *src.bound, true
	default:
		at, ok = r.cat.setting(src.Above, r.settings)
	}
	if src.Times != 0 {
		at *= src.Times
	}
	return at, ok
}

// gain reads a histogram once per frame, whatever number of statistics is taken from it.
func (r *reader) gain(def int) *histogram {
	h := &r.hists[def]
	if h.read {
		return h
	}
	h.read, h.ok = true, false
	for i := range r.feed.defs[def] {
		c := &r.feed.defs[def][i]
		if slices.ContainsFunc(c.main, func(s *samples.Series) bool { return len(r.w.In(s.Points)) > 0 }) {
			h.ok = h.Read(c.main, c.sums, r.w)
			break
		}
	}
	return h
}

func (r *reader) fromCounter(src *statistic) (model.Value, bool) {
	switch src.Stat.S {
	case "flat":
		return r.flat(src)
	case "still":
		return r.still(src)
	case "unborn":
		return r.unborn(src)
	}
	if r.none(src) {
		return model.Known(0), true
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

// none says that a counter counted nothing yet: it is not there, and what it stands beside is, for as long as
// the statistic needs.
func (r *reader) none(src *statistic) bool {
	beside := r.d.defs[src.def].beside
	if beside < 0 || src.Stat.S == "present" || len(r.series(src.def)) > 0 {
		return false
	}
	return slices.ContainsFunc(r.series(beside), func(s *samples.Series) bool { return len(r.w.In(s.Points)) > 1 })
}

// born is the first value of a counter that appeared inside the window, after a scrape that did not
// show it: it counted up from 0. A label value like status="5xx" is often exported from its first
// event on, and without this that event would never be seen.
func (r *reader) born(s *samples.Series) (float64, bool) {
	p := s.Points[0]
	if p.T <= r.w.From || math.IsNaN(p.V) || len(r.feed.in.Scrapes) == 0 || r.feed.in.Scrapes[0] >= p.T {
		return 0, false
	}
	return p.V, true
}

func (r *reader) fromGauge(src *statistic) (model.Value, bool) {
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
func (r *reader) fold(src *statistic, one func(*samples.Series, []samples.Point) (float64, bool)) (model.Value, bool) {
	var out float64
	n := 0
	for _, s := range r.series(src.def) {
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

package signals

import (
	"slices"

	"github.com/inferdx/inferdx/internal/samples"
)

// Origin are the series that a signal of an instance is read from, for those who need more of them
// than one statistic over one window.
type Origin struct {
	Kind string // gauge, counter or histogram
	// Series are the series themselves; of a histogram its buckets, Sums then are its sums.
	Series, Sums []*samples.Series
}

// Engine names the dialect of an inference server; false is anything else, such as an exporter.
func (c *Catalog) Engine(in *samples.Instance) (string, bool) {
	if d := c.engineOf(in); d != nil {
		return d.Name, true
	}
	return "", false
}

func (c *Catalog) engineOf(in *samples.Instance) *dialect {
	for _, d := range c.dialects {
		if d.Kind == "engine" && slices.ContainsFunc(d.markers, func(n string) bool { return shows(in, n) }) {
			return d
		}
	}
	return nil
}

func shows(in *samples.Instance, metric string) bool {
	return slices.ContainsFunc(in.Named(metric), func(s *samples.Series) bool { return len(s.Points) > 0 })
}

// Origin finds the series of a signal on an inference server: those of the first alternative that is
// there, in either spelling. Derived signals have none.
func (c *Catalog) Origin(in *samples.Instance, signal string) (Origin, bool) {
	d := c.engineOf(in)
	if d == nil {
		return Origin{}, false
	}
	src, ok := d.Signals[signal]
	if !ok {
		return Origin{}, false
	}
	id := src.Of.S
	def := d.Series[id]
	o := Origin{Kind: def.kind()}
	suffix := ""
	if o.Kind == "histogram" {
		suffix = "_bucket"
	}
	for _, n := range def.names() {
		for _, spelt := range spellings(n) {
			if o.Series = matching(in.Named(spelt+suffix), d.matchers[id]); len(o.Series) == 0 {
				continue
			}
			if o.Kind == "histogram" {
				o.Sums = matching(in.Named(spelt+"_sum"), d.matchers[id])
			}
			return o, true
		}
	}
	return Origin{}, false
}

func matching(all []*samples.Series, ms []matcher) []*samples.Series {
	out := make([]*samples.Series, 0, len(all))
	for _, s := range all {
		if matches(s.Labels, ms) {
			out = append(out, s)
		}
	}
	return out
}

package signals

import (
	"fmt"
	"slices"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Binding remembers between frames what does not change from scrape to scrape: which series of an
// instance feed which signals, and what their names and labels say of the server. It holds no sample
// and no result, so a frame is the same with and without it.
//
// Who asks again and again over one samples.Store keeps one Binding beside it and gives it with every
// Request. It follows the store by itself: an instance that got or lost a series is bound anew, one
// that left the store is dropped by the next frame, and another catalogue starts over. It must not be
// used by two frames at once.
type Binding struct {
	catalog   *Catalog
	instances map[*samples.Instance]*bound
	frame     int // counts the frames, to tell who was not seen by the last one
}

// NewBinding makes an empty binding.
func NewBinding() *Binding { return &Binding{} }

// bound is what the names and labels of an instance's series say. It holds for one shape of it.
type bound struct {
	in      *samples.Instance
	shape   int
	frame   int
	key     string // of the instance's labels
	host    string
	markers []marked
	gpus    map[*dialect][]*gpu
	pods    []string // whose containers it exports
	feeds   map[part]*feed
	main    *feed // the feed of the engine as a whole, which most instances have alone
	self    *identity
}

// marked are the series by which an instance may be of a dialect.
type marked struct {
	d      *dialect
	series []*samples.Series
}

// part names the series of an instance that one entity reads: all of them, or those of a rank, GPU or pod.
type part struct {
	d  *dialect
	of string
}

// begin starts a frame.
func (b *Binding) begin(c *Catalog) {
	if b.catalog != c {
		b.catalog, b.instances = c, map[*samples.Instance]*bound{}
	}
	b.frame++
}

// of binds an instance, unless that was done and still holds.
func (b *Binding) of(in *samples.Instance) *bound {
	x := b.instances[in]
	if x == nil || x.shape != in.Shape() {
		x = bind(b.catalog, in)
		b.instances[in] = x
	}
	x.frame = b.frame
	return x
}

func bind(c *Catalog, in *samples.Instance) *bound {
	x := &bound{in: in, shape: in.Shape(), key: in.Labels.Key(), host: host(in)}
	for _, d := range c.dialects {
		m := marked{d: d}
		for _, n := range d.markers {
			m.series = append(m.series, in.Named(n)...)
		}
		if len(m.series) == 0 {
			continue
		}
		x.markers = append(x.markers, m)
		switch d.Kind {
		case "gpu":
			if x.gpus == nil {
				x.gpus = map[*dialect][]*gpu{}
			}
			x.gpus[d] = gpusOf(in, d)
		case "container":
			x.pods = append(x.pods, podsOf(in, d)...)
		}
	}
	return x
}

// end drops the instances that the frame did not see.
func (b *Binding) end(seen int) {
	if len(b.instances) == seen {
		return
	}
	for in, x := range b.instances {
		if x.frame != b.frame {
			delete(b.instances, in)
		}
	}
}

// feed gives the series of a dialect; keep restricts them to the part, nil keeps all.
func (x *bound) feed(d *dialect, of string, keep func(*samples.Series) bool) *feed {
	if of == "" && x.main != nil && x.main.d == d {
		return x.main
	}
	if f := x.feeds[part{d, of}]; f != nil {
		return f
	}
	f := newFeed(x.in, d, keep)
	if of == "" && x.main == nil {
		x.main = f
		return f
	}
	if x.feeds == nil {
		x.feeds = map[part]*feed{}
	}
	x.feeds[part{d, of}] = f
	return f
}

// feed is what an instance, or a part of it, exports of a dialect: the series of each definition, by
// alternative.
type feed struct {
	in   *samples.Instance
	d    *dialect
	defs [][]choice
}

// choice are the series of one alternative. Sums and counts are a histogram's.
type choice struct{ main, sums, counts []*samples.Series }

func newFeed(in *samples.Instance, d *dialect, keep func(*samples.Series) bool) *feed {
	f := &feed{in: in, d: d, defs: make([][]choice, len(d.defs))}
	for i, def := range d.defs {
		pick := func(name string) []*samples.Series { return first(pick(in, name, def.matchers, keep), d.Copies) }
		for _, n := range def.names {
			c := choice{main: pick(n.main)}
			for k := 0; k < len(n.sums) && len(c.sums) == 0; k++ {
				c.sums = pick(n.sums[k])
			}
			for k := 0; k < len(n.counts) && len(c.counts) == 0; k++ {
				c.counts = pick(n.counts[k])
			}
			if len(c.main) > 0 || len(c.counts) > 0 {
				f.defs[i] = append(f.defs[i], c)
			}
		}
	}
	return f
}

// gives says whether a definition can be read: by its own series, or for those that it stands beside.
func (f *feed) gives(def int) bool {
	if len(f.defs[def]) > 0 {
		return true
	}
	beside := f.d.defs[def].beside
	return beside >= 0 && len(f.defs[beside]) > 0
}

// first keeps one of the series that differ in the labels of copies alone: the one whose values of them sort
// first, so that it is the same one of every metric.
func first(all []*samples.Series, copies []string) []*samples.Series {
	if len(copies) == 0 || len(all) < 2 {
		return all
	}
	split := func(s *samples.Series) (key, of string) {
		var rest model.Labels
		for _, l := range s.Labels {
			if slices.Contains(copies, l.Name) {
				of += fmt.Sprintf("%8s\xff", l.Value) // numbers sort as numbers
				continue
			}
			rest = append(rest, l)
		}
		return rest.Key(), of
	}
	best := map[string]string{}
	for _, s := range all {
		key, of := split(s)
		if was, ok := best[key]; !ok || of < was {
			best[key] = of
		}
	}
	return only(all, func(s *samples.Series) bool {
		key, of := split(s)
		return best[key] == of
	})
}

// pick lists the series of a metric that are wanted. The usual case, that all are, costs no memory.
func pick(in *samples.Instance, name string, ms []matcher, keep func(*samples.Series) bool) []*samples.Series {
	return only(in.Named(name), func(s *samples.Series) bool { return matches(s.Labels, ms) && (keep == nil || keep(s)) })
}

func only(all []*samples.Series, wanted func(*samples.Series) bool) []*samples.Series {
	for i, s := range all {
		if wanted(s) {
			continue
		}
		out := append(make([]*samples.Series, 0, len(all)), all[:i]...)
		for _, s := range all[i+1:] {
			if wanted(s) {
				out = append(out, s)
			}
		}
		return out
	}
	return all
}

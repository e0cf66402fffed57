package tsdb

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Selection says which samples are read: those in (At-Window, At].
type Selection struct {
	At     time.Time
	Window time.Duration
	// Names are metric names as exposed; `up` needs no mention. None means all.
	Names []string
	// Only picks instances by their identity; nil takes all.
	Only func(model.Labels) bool
	// Identity are the label names that tell instances apart; none means job and instance.
	Identity []string
	// Sparse asks only for what says how much counters gained in the window: see samples.Sparse. Of `up`
	// sixty pieces of the window are given.
	Sparse bool
}

// Read gives the samples in (at-window, at] of the instances that only, if given, accepts: what a fetch
// of the same series from a Prometheus would give. What cannot be read is a fault, and the rest stands.
func (db *DB) Read(ctx context.Context, at time.Time, window time.Duration, only func(model.Labels) bool) (*samples.Store, []model.Fault, error) {
	return db.Select(ctx, Selection{At: at, Window: window, Only: only, Identity: db.o.Identity})
}

// Select reads some metrics. See Read.
func (db *DB) Select(ctx context.Context, sel Selection) (*samples.Store, []model.Fault, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	q, err := db.inner.Querier(sel.span())
	if err != nil {
		return nil, nil, fmt.Errorf("read kept samples: %w", err)
	}
	defer q.Close()
	return sel.read(ctx, q)
}

func (s Selection) span() (from, to int64) {
	return s.At.Add(-s.Window).UnixMilli() + 1, s.At.UnixMilli()
}

// read takes the selected series from a querier.
func (s Selection) read(ctx context.Context, q storage.Querier) (*samples.Store, []model.Fault, error) {
	r := &reader{sel: s, store: samples.NewStore(s.Identity...), wanted: map[string]bool{"up": true}}
	r.from, r.to = s.span()
	for _, n := range s.Names {
		r.wanted[n] = true
	}
	var faults []model.Fault
	var it chunkenc.Iterator
	set := q.Select(ctx, true, nil, s.matcher())
	for set.Next() {
		series := set.At()
		it = series.Iterator(it)
		if err := r.take(series.Labels(), it); err != nil {
			faults = append(faults, model.Fault{Source: "kept samples of " + series.Labels().String(), Err: err.Error()})
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, faults, fmt.Errorf("read kept samples: %w", err)
	}
	if err := set.Err(); err != nil {
		if len(r.store.Instances()) == 0 {
			return nil, faults, fmt.Errorf("read kept samples: %w", err)
		}
		faults = append(faults, model.Fault{Source: "kept samples", Err: err.Error()})
	}
	r.store.Finish()
	return r.store, faults, nil
}

// matcher selects the names, and those under which they may be packed.
func (s Selection) matcher() *labels.Matcher {
	if len(s.Names) == 0 {
		return labels.MustNewMatcher(labels.MatchNotEqual, common.MetricNameLabel, "")
	}
	names := []string{"up"}
	for _, n := range s.Names {
		names = append(names, regexp.QuoteMeta(n))
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(n, suffix); ok {
				names = append(names, regexp.QuoteMeta(base))
			}
		}
	}
	slices.Sort(names)
	return labels.MustNewMatcher(labels.MatchRegexp, common.MetricNameLabel, strings.Join(slices.Compact(names), "|"))
}

// reader fills a store from series of the TSDB.
type reader struct {
	sel      Selection
	store    *samples.Store
	wanted   map[string]bool
	from, to int64

	counts []float64
	hist   *histogram.Histogram
	usual  int // how long series are: mostly as long as the one before
}

func (r *reader) take(ls labels.Labels, it chunkenc.Iterator) error {
	name, written, all := split(ls)
	in, rest := r.store.Instance(all)
	if r.sel.Only != nil && !r.sel.Only(in.Labels) {
		return nil
	}
	var plain *samples.Series
	out := unpacked{in: in, name: name, labels: rest, write: spellings()[written], wants: r.wants, usual: r.usual}
	pick := picker{}
	if r.sel.Sparse {
		pick.sparse = r.sparse(name)
	}
	n := 0
	for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
		t := it.AtT()
		if t < r.from || t > r.to {
			continue
		}
		switch kind {
		case chunkenc.ValFloat:
			if plain == nil && r.wants(name) {
				plain = ensure(in, name, rest, r.usual)
			}
			if plain != nil {
				_, v := it.At()
				n += pick.point(samples.Point{T: t, V: v}, plain)
			}
		case chunkenc.ValHistogram:
			_, r.hist = it.AtHistogram(r.hist)
			r.counts = unpack(r.hist, r.counts)
			n += pick.histogram(moment{t: t, edges: r.hist.CustomValues, counts: r.counts, sum: r.hist.Sum, count: float64(r.hist.Count)}, &out)
		}
	}
	pick.end(plain, &out)
	r.usual = n
	return it.Err()
}

// ensure finds or makes a series with room for as many samples as there usually are.
func ensure(in *samples.Instance, name string, labels model.Labels, usual int) *samples.Series {
	s := in.Ensure(name, labels)
	if s.Points == nil {
		s.Points = make([]samples.Point, 0, usual)
	}
	return s
}

func (r *reader) wants(name string) bool { return len(r.sel.Names) == 0 || r.wanted[name] }

// split parts a label set into the name, the spelling of edges and everything else.
func split(ls labels.Labels) (name, written string, rest model.Labels) {
	ls.Range(func(l labels.Label) {
		switch l.Name {
		case common.MetricNameLabel:
			name = l.Value
		case spelling:
			written = l.Value
		default:
			rest = append(rest, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	return name, written, rest
}

// unpacked are the series that a packed histogram stands for.
type unpacked struct {
	in         *samples.Instance
	name       string
	labels     model.Labels
	write      func(float64) string
	wants      func(string) bool
	usual      int
	edges      []float64
	buckets    []*samples.Series
	sum, count *samples.Series
}

func (u *unpacked) add(m *moment) {
	if u.buckets == nil && u.sum == nil && u.count == nil || !slices.Equal(u.edges, m.edges) {
		u.find(m.edges)
	}
	for i, s := range u.buckets {
		s.Add(m.t, m.counts[i])
	}
	if u.sum != nil {
		u.sum.Add(m.t, m.sum)
	}
	if u.count != nil {
		u.count.Add(m.t, m.count)
	}
}

// find makes the series for a set of edges.
func (u *unpacked) find(edges []float64) {
	u.edges, u.buckets = slices.Clone(edges), nil
	if u.wants(u.name + "_bucket") {
		for i := range len(edges) + 1 {
			le := "+Inf"
			if i < len(edges) {
				le = u.write(edges[i])
			}
			ls := append(slices.Clone(u.labels), model.Label{Name: "le", Value: le})
			ls.Sort()
			u.buckets = append(u.buckets, ensure(u.in, u.name+"_bucket", ls, u.usual))
		}
	}
	if u.wants(u.name + "_sum") {
		u.sum = ensure(u.in, u.name+"_sum", u.labels, u.usual)
	}
	if u.wants(u.name + "_count") {
		u.count = ensure(u.in, u.name+"_count", u.labels, u.usual)
	}
}

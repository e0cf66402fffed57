// Package promadapter shows samples in memory to Prometheus's own PromQL engine. The engine is the
// oracle that the native evaluation is tested against, and it evaluates the `promql:` signals of
// users. Only this package carries the engine; import it where one of the two is wanted.
package promadapter

import (
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"sync"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Store implements storage.Queryable over samples. The samples must not change while it is used.
type Store struct {
	instances []*instance
}

// instance caches the labels of its series by metric name, for they are asked for again and again.
type instance struct {
	*samples.Instance
	mu     sync.Mutex
	series map[string][]*series
	polls  []int64 // every scrape, answered or not
}

// series is what Prometheus would hold of one or more series that differ in the spelling of le only.
type series struct {
	labels labels.Labels
	points []samples.Point
	polls  []int64
}

// New adapts a finished store.
func New(st *samples.Store) *Store {
	s := &Store{}
	for _, in := range st.Instances() {
		polls := slices.Concat(in.Scrapes, in.Failed)
		slices.Sort(polls)
		s.instances = append(s.instances, &instance{Instance: in, series: map[string][]*series{}, polls: polls})
	}
	return s
}

// Querier implements storage.Queryable.
func (s *Store) Querier(mint, maxt int64) (storage.Querier, error) {
	return &querier{store: s, mint: mint, maxt: maxt}, nil
}

type querier struct {
	store      *Store
	mint, maxt int64
}

// Select implements storage.Querier. It tells apart by the instances' own labels first: with many
// instances that leaves few series to look at.
func (q *querier) Select(_ context.Context, sorted bool, _ *storage.SelectHints, ms ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, in := range q.store.instances {
		rest, ok := in.sift(ms)
		if !ok {
			continue
		}
		for _, name := range in.wanted(ms) {
			for _, s := range in.named(name) {
				if matches(s.labels, rest) {
					found = append(found, &view{s, q.mint, q.maxt})
				}
			}
		}
	}
	if sorted {
		slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	}
	return &set{list: found, at: -1}
}

// sift drops the matchers that the instance's own labels answer; false when one of them refuses.
func (in *instance) sift(ms []*labels.Matcher) ([]*labels.Matcher, bool) {
	var rest []*labels.Matcher
	for _, m := range ms {
		own := in.Labels.Get(m.Name)
		if own == "" {
			rest = append(rest, m)
		} else if !m.Matches(own) {
			return nil, false
		}
	}
	return rest, true
}

// wanted lists the metric names that the matchers admit.
func (in *instance) wanted(ms []*labels.Matcher) []string {
	for _, m := range ms {
		if m.Name == common.MetricNameLabel && m.Type == labels.MatchEqual {
			return []string{m.Value}
		}
	}
	return in.Names()
}

func matches(ls labels.Labels, ms []*labels.Matcher) bool {
	for _, m := range ms {
		if !m.Matches(ls.Get(m.Name)) {
			return false
		}
	}
	return true
}

// named gives the series of a metric with their full labels. le and quantile are written as
// Prometheus 3 writes them at a scrape; series that become one thereby are put together in time.
func (in *instance) named(name string) []*series {
	in.mu.Lock()
	defer in.mu.Unlock()
	if got, ok := in.series[name]; ok {
		return got
	}
	var out []*series
	byLabels := map[string]*series{}
	for _, x := range in.Named(name) {
		ls := full(name, in.Labels, x.Labels)
		key := ls.String()
		if s := byLabels[key]; s != nil {
			s.points = together(s.points, x.Points)
			continue
		}
		s := &series{labels: ls, points: x.Points, polls: in.polls}
		byLabels[key] = s
		out = append(out, s)
	}
	in.series[name] = out
	return out
}

func full(name string, sets ...model.Labels) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	b.Set(common.MetricNameLabel, name)
	for _, ls := range sets {
		for _, l := range ls {
			v := l.Value
			if l.Name == labels.BucketLabel || l.Name == "quantile" {
				if f, err := strconv.ParseFloat(v, 64); err == nil {
					v = labels.FormatOpenMetricsFloat(f)
				}
			}
			b.Set(l.Name, v)
		}
	}
	return b.Labels()
}

// together merges two lists in time; at one time the first list wins, as the first line of a scrape does.
func together(a, b []samples.Point) []samples.Point {
	out := slices.Concat(a, b)
	slices.SortStableFunc(out, func(x, y samples.Point) int { return int(x.T - y.T) })
	return slices.CompactFunc(out, func(x, y samples.Point) bool { return x.T == y.T })
}

// stale is the value that ends a series in Prometheus.
var stale = math.Float64frombits(value.StaleNaN)

// within gives the points between two times, both included, with a staleness marker at the first
// scrape that had no sample of the series.
func (s *series) within(mint, maxt int64) []samples.Point {
	w := samples.Window{From: mint - 1, To: maxt}
	points := w.In(s.points)
	if len(points) == 0 {
		return nil
	}
	out := make([]samples.Point, 0, len(points)+1)
	polls := s.polls[sort.Search(len(s.polls), func(i int) bool { return s.polls[i] > points[0].T }):]
	for _, p := range points {
		for len(polls) > 0 && polls[0] < p.T {
			out = ended(out, polls[0])
			polls = polls[1:]
		}
		if len(polls) > 0 && polls[0] == p.T {
			polls = polls[1:]
		}
		out = append(out, p)
	}
	if len(polls) > 0 && polls[0] <= maxt {
		out = ended(out, polls[0])
	}
	return out
}

func ended(ps []samples.Point, t int64) []samples.Point {
	if value.IsStaleNaN(ps[len(ps)-1].V) {
		return ps
	}
	return append(ps, samples.Point{T: t, V: stale})
}

// LabelValues implements storage.LabelQuerier; the engine does not ask for it.
func (*querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.LabelQuerier; the engine does not ask for it.
func (*querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.LabelQuerier.
func (*querier) Close() error { return nil }

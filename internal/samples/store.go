// Package samples holds series in memory, grouped by the scrape they came from, and evaluates
// windows over them. It is pure: no I/O, no clock.
package samples

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Point is one sample. T is in milliseconds since 1970, as Prometheus counts.
type Point struct {
	T int64
	V float64
}

// Series is one time series of an instance, without the instance's own labels.
type Series struct {
	Name   string
	Labels model.Labels
	Points []Point
	// edge is the upper edge of a histogram bucket, NaN for every other series.
	edge float64
	next *Series // of the same hash in Instance.index
}

// Instance is what one scrape target gave: its scrapes and its series by metric name.
type Instance struct {
	Labels  model.Labels // job, instance and whatever identity is configured
	Scrapes []int64      // times of answered scrapes, ascending
	Failed  []int64      // times of failed scrapes (up == 0), ascending
	series  map[string][]*Series
	index   map[uint64]*Series // by hash of name and labels
	shape   int
	store   *Store
}

// Store is a set of instances. Who reads everything first builds it with Add, then calls Finish once.
// Who goes on scraping keeps it: see Scraped and Forget. It is not safe for concurrent use, but samples
// may be added to series of different instances at once.
type Store struct {
	identity  []string
	instances []*Instance
	byKey     map[string]*Instance
	// labels are sets that series share: the replicas of one server expose the same ones.
	labels map[uint64]model.Labels
}

// DefaultIdentity are the labels that name a scrape target.
var defaultIdentity = []string{"instance", "job"}

// NewStore makes an empty store. identity are the label names that tell instances apart;
// none means job and instance.
func NewStore(identity ...string) *Store {
	if len(identity) == 0 {
		identity = defaultIdentity
	}
	return &Store{identity: identity, byKey: map[string]*Instance{}, labels: map[uint64]model.Labels{}}
}

// Instances lists the instances in the order they were first seen.
func (s *Store) Instances() []*Instance { return s.instances }

// Identity gives those of some labels that tell instances apart.
func (s *Store) Identity(labels model.Labels) model.Labels {
	own := make(model.Labels, 0, len(s.identity))
	for _, l := range labels {
		if slices.Contains(s.identity, l.Name) {
			own = append(own, l)
		}
	}
	return own
}

// Instance finds or makes the instance that a full label set belongs to, and returns the labels left.
func (s *Store) Instance(labels model.Labels) (*Instance, model.Labels) {
	own := make(model.Labels, 0, len(s.identity))
	rest := make(model.Labels, 0, len(labels))
	for _, l := range labels {
		if slices.Contains(s.identity, l.Name) {
			own = append(own, l)
		} else {
			rest = append(rest, l)
		}
	}
	key := own.Key()
	in := s.byKey[key]
	if in == nil {
		in = &Instance{Labels: own, series: map[string][]*Series{}, index: map[uint64]*Series{}, store: s}
		s.byKey[key] = in
		s.instances = append(s.instances, in)
	}
	return in, rest
}

// Series finds or makes a series by name and the full label set, sorted by name.
func (s *Store) Series(name string, labels model.Labels) *Series {
	in, rest := s.Instance(labels)
	return in.Ensure(name, rest)
}

// Ensure finds or makes a series of the instance. Who appends to it scrape after scrape keeps what
// Ensure returned, until the instance's Shape changes.
func (in *Instance) Ensure(name string, labels model.Labels) *Series {
	set := hash(labels)
	key := mix(set, name)
	for x := in.index[key]; x != nil; x = x.next {
		if x.Name == name && slices.Equal(x.Labels, labels) {
			return x
		}
	}
	x := &Series{Name: name, Labels: in.store.share(set, labels), edge: edge(name, labels), next: in.index[key]}
	in.index[key] = x
	in.shape++
	in.series[name] = append(in.series[name], x)
	return x
}

// share returns an equal set that another series has already.
func (s *Store) share(key uint64, labels model.Labels) model.Labels {
	if got, ok := s.labels[key]; ok && slices.Equal(got, labels) {
		return got
	}
	s.labels[key] = labels
	return labels
}

func hash(labels model.Labels) uint64 {
	h := uint64(14695981039346656037)
	for _, l := range labels {
		h = mix(mix(h, l.Name), l.Value)
	}
	return h
}

// mix is FNV-1a over a text and a separator.
func mix(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * 1099511628211
	}
	return (h ^ 0xff) * 1099511628211
}

func edge(name string, labels model.Labels) float64 {
	if !strings.HasSuffix(name, "_bucket") {
		return math.NaN()
	}
	le, err := strconv.ParseFloat(labels.Get("le"), 64)
	if err != nil {
		return math.NaN()
	}
	return le
}

// Shape is another number after a series came or went. What was derived from the names and labels of
// an instance's series holds as long as the shape does.
func (in *Instance) Shape() int { return in.shape }

// Named returns the series of one metric name.
func (in *Instance) Named(name string) []*Series { return in.series[name] }

// Names lists the metric names of the instance, sorted.
func (in *Instance) Names() []string {
	out := make([]string, 0, len(in.series))
	for n := range in.series {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

// Add appends one sample. Samples of one series may come in any order; Finish sorts them.
func (x *Series) Add(t int64, v float64) {
	if n := len(x.Points); n == cap(x.Points) {
		x.Points = append(make([]Point, 0, room(n)), x.Points...)
	}
	x.Points = append(x.Points, Point{t, v})
}

// room is how many points to make place for when n do not suffice: doubling would leave many series half
// empty for good, and growing by little would leave holes of many sizes behind. A window of five minutes at
// 15 s and what is not yet forgotten are 22.
func room(n int) int {
	switch {
	case n < 4:
		return 4
	case n < 24:
		return 24
	}
	return n + max(n/8, 8)
}

// Finish sorts every series, drops doubled timestamps (the last one added wins) and derives when
// each instance was scraped: from its `up` series where it has one, else from its samples.
func (s *Store) Finish() {
	for _, in := range s.instances {
		in.finish()
	}
}

func (in *Instance) finish() {
	for _, group := range in.series {
		for _, x := range group {
			x.Points = tidy(x.Points)
		}
	}
	in.Scrapes, in.Failed = nil, nil
	if ups := in.series["up"]; len(ups) > 0 {
		for _, p := range ups[0].Points {
			if p.V == 0 {
				in.Failed = append(in.Failed, p.T)
			} else {
				in.Scrapes = append(in.Scrapes, p.T)
			}
		}
		return
	}
	seen := map[int64]bool{}
	for _, group := range in.series {
		for _, x := range group {
			for _, p := range x.Points {
				seen[p.T] = true
			}
		}
	}
	for t := range seen {
		in.Scrapes = append(in.Scrapes, t)
	}
	slices.Sort(in.Scrapes)
}

func tidy(ps []Point) []Point {
	if ascending(ps) {
		return ps
	}
	sorted := sort.SliceIsSorted(ps, func(i, j int) bool { return ps[i].T < ps[j].T })
	if !sorted {
		sort.SliceStable(ps, func(i, j int) bool { return ps[i].T < ps[j].T })
	}
	out := ps[:0]
	for _, p := range ps {
		if n := len(out); n > 0 && out[n-1].T == p.T {
			out[n-1] = p
			continue
		}
		out = append(out, p)
	}
	return out
}

// ascending says that there is nothing to tidy, the usual case.
func ascending(ps []Point) bool {
	for i := 1; i < len(ps); i++ {
		if ps[i-1].T >= ps[i].T {
			return false
		}
	}
	return true
}

// Bounds gives the first and last sample time of the whole store; ok is false when it is empty.
func (s *Store) Bounds() (first, last int64, ok bool) {
	first, last = math.MaxInt64, math.MinInt64
	for _, in := range s.instances {
		for _, ts := range [][]int64{in.Scrapes, in.Failed} {
			if len(ts) > 0 {
				first, last, ok = min(first, ts[0]), max(last, ts[len(ts)-1]), true
			}
		}
	}
	return first, last, ok
}

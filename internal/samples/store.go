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
}

// Instance is what one scrape target gave: its scrapes and its series by metric name.
type Instance struct {
	Labels  model.Labels // job, instance and whatever identity is configured
	Scrapes []int64      // times of answered scrapes, ascending
	Failed  []int64      // times of failed scrapes (up == 0), ascending
	series  map[string][]*Series
	index   map[string]*Series
	shape   int
}

// Store is a set of instances. Build it with Add, then call Finish once.
type Store struct {
	identity  []string
	instances []*Instance
	byKey     map[string]*Instance
}

// DefaultIdentity are the labels that name a scrape target.
var defaultIdentity = []string{"instance", "job"}

// NewStore makes an empty store. identity are the label names that tell instances apart;
// none means job and instance.
func NewStore(identity ...string) *Store {
	if len(identity) == 0 {
		identity = defaultIdentity
	}
	return &Store{identity: identity, byKey: map[string]*Instance{}}
}

// Instances lists the instances in the order they were first seen.
func (s *Store) Instances() []*Instance { return s.instances }

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
		in = &Instance{Labels: own, series: map[string][]*Series{}, index: map[string]*Series{}}
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

// Ensure finds or makes a series of the instance.
func (in *Instance) Ensure(name string, labels model.Labels) *Series {
	key := name + "\xff" + labels.Key()
	if x := in.index[key]; x != nil {
		return x
	}
	x := &Series{Name: name, Labels: labels, edge: edge(name, labels)}
	in.index[key] = x
	in.shape++
	in.series[name] = append(in.series[name], x)
	return x
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
func (x *Series) Add(t int64, v float64) { x.Points = append(x.Points, Point{t, v}) }

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

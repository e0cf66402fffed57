package nsight

import (
	"cmp"
	"maps"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

const (
	maxKernels = 4096 // different names that are kept apart; a model has a few dozen
	topKernels = 10
	warp       = 32
)

// sum adds launches up: all, by class and by kernel.
type sum struct {
	all       *total
	classes   map[kernels.Class]*total
	kernels   map[string]*total
	unpacking float64
}

func newSum() *sum {
	return &sum{all: newTotal("", ""), classes: map[kernels.Class]*total{}, kernels: map[string]*total{}}
}

func (s *sum) add(l *launch) {
	class := kernels.ClassOf(l.name)
	of := s.classes[class]
	if of == nil {
		of = newTotal(string(class), class)
		s.classes[class] = of
	}
	name := l.name
	if s.kernels[name] == nil && len(s.kernels) >= maxKernels {
		name = "(further kernels)"
	}
	one := s.kernels[name]
	if one == nil {
		one = newTotal(name, class)
		s.kernels[name] = one
	}
	for _, t := range []*total{s.all, of, one} {
		t.add(l)
	}
	if kernels.UnpacksWeights(l.name) {
		s.unpacking += l.weight()
	}
}

// weight is the launch's duration; a file without durations counts launches.
func (l *launch) weight() float64 {
	if d, ok := l.get(duration); ok {
		return d
	}
	return 1e-9
}

// total is launches together; values are weighted by duration.
type total struct {
	name             string
	class            kernels.Class
	launches         int
	weight, seconds  float64
	sums, weights    [metrics]float64
	bounds           map[Bound]float64
	limiters, stalls map[string]float64
	stalled          float64 // all of stalls
	flop, bytes      float64
	ridge, ridged    float64
}

func newTotal(name string, class kernels.Class) *total {
	return &total{name: name, class: class, bounds: map[Bound]float64{}, limiters: map[string]float64{}, stalls: map[string]float64{}}
}

func (t *total) add(l *launch) {
	w := l.weight()
	t.launches++
	t.weight += w
	t.seconds += l.values[duration]
	for m := range metrics {
		if v, ok := l.get(m); ok {
			t.sums[m] += w * v
			t.weights[m] += w
		}
	}
	t.bounds[l.bound()] += w
	if name := l.limiter(); name != "" {
		t.limiters[name] += w
	}
	t.addStalls(l, w)
	t.addRoof(l, w)
}

func (t *total) addStalls(l *launch, w float64) {
	all := 0.0
	reasons := slices.Sorted(maps.Keys(l.stalls)) // in order, so that the same file gives the same sums
	for _, reason := range reasons {
		all += l.stalls[reason]
	}
	if all <= 0 {
		return
	}
	t.stalled += w
	for _, reason := range reasons {
		if reason != "selected" && reason != "not_selected" { // the one issues, the other could
			t.stalls[reason] += w * l.stalls[reason] / all
		}
	}
}

func (t *total) addRoof(l *launch, w float64) {
	flop, flops, ok := l.flop()
	bytes, rate, seen := l.traffic()
	if !ok || !seen {
		return
	}
	t.flop += flop
	t.bytes += bytes
	t.ridge += w * flops / rate
	t.ridged += w
}

func (t *total) mean(m metric) *float64 {
	if t.weights[m] <= 0 {
		return nil
	}
	v := t.sums[m] / t.weights[m]
	if m.ratio() {
		v = min(v, 1) // counters of several passes overshoot by a hair
	}
	return &v
}

func (t *total) group(all float64) Group {
	g := Group{
		Name: t.name, Class: t.class, Launches: t.launches, Seconds: t.seconds, Share: share(t.weight, all), Bounds: map[Bound]float64{},
		SM: t.mean(sm), Memory: t.mean(memory), DRAM: t.mean(dram), L1: t.mean(l1), L2: t.mean(l2), L1Hit: t.mean(l1Hit), L2Hit: t.mean(l2Hit),
		Tensor: t.mean(tensor), Issue: t.mean(issue), Occupancy: t.mean(occupancy), Possible: t.mean(possible), Limiter: heaviest(t.limiters),
	}
	for b, w := range t.bounds {
		if b != Unknown {
			g.Bounds[b] = share(w, t.weight)
		}
	}
	g.Bound = heaviest(g.Bounds)
	if v := t.mean(lanes); v != nil {
		*v = min(*v/warp, 1)
		g.Lanes = v
	}
	if t.stalled > 0 {
		g.Stall = heaviest(t.stalls)
		v := t.stalls[g.Stall] / t.stalled
		g.StallShare = &v
	}
	if t.bytes > 0 && t.ridged > 0 {
		intensity, ridge := t.flop/t.bytes, t.ridge/t.ridged
		g.Intensity, g.Ridge = &intensity, &ridge
	}
	return g
}

func share(part, of float64) float64 {
	if of <= 0 {
		return 0
	}
	return part / of
}

// heaviest is the key of the largest value; of equals, the first in order.
func heaviest[K ~string](m map[K]float64) K {
	var best K
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if best == "" || m[k] > m[best] {
			best = k
		}
	}
	return best
}

func (s *sum) profile() *Profile {
	p := &Profile{Launches: s.all.launches, Kernels: len(s.kernels), All: s.all.group(s.all.weight), Unpacking: share(s.unpacking, s.all.weight)}
	p.All.Name = "all"
	p.Classes = groups(s.classes, s.all.weight)
	p.Top = groups(s.kernels, s.all.weight)
	p.Top = p.Top[:min(len(p.Top), topKernels)]
	return p
}

func groups[K comparable](totals map[K]*total, all float64) []Group {
	var out []Group
	for _, t := range totals {
		out = append(out, t.group(all))
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.Name, b.Name))
	})
	return out
}

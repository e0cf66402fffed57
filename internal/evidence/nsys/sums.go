package nsys

import (
	"cmp"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
)

// shownName is how much of a kernel's name is kept.
const shownName = 300

// sums adds times up by class and by name.
type sums struct {
	all     float64
	classes map[kernels.Class]*Group
	names   map[string]*Group
}

func newSums() *sums {
	return &sums{classes: map[kernels.Class]*Group{}, names: map[string]*Group{}}
}

func (s *sums) add(name string, class kernels.Class, t tally) {
	if len(name) > shownName {
		name = strings.ToValidUTF8(name[:shownName], "") + "…"
	}
	s.all += t.ns
	if s.classes[class] == nil {
		s.classes[class] = &Group{Name: string(class), Class: class}
	}
	if s.names[name] == nil {
		if len(s.names) >= maxNames {
			name = "(further kernels)"
		}
		if s.names[name] == nil {
			s.names[name] = &Group{Name: name, Class: class}
		}
	}
	for _, g := range []*Group{s.classes[class], s.names[name]} {
		g.Count += t.count
		g.Seconds += t.ns // divided at the end: whole numbers add up in any order
	}
}

// into fills the profile's tables.
func (s *sums) into(p *Profile) {
	p.Classes = sorted(s.classes, s.all)
	p.Top = sorted(s.names, s.all)
	p.Top = p.Top[:min(len(p.Top), topRows)]
}

func sorted[K comparable](groups map[K]*Group, all float64) []Group {
	var out []Group
	for _, g := range groups {
		one := *g
		if all > 0 {
			one.Share = one.Seconds / all
		}
		one.Seconds /= 1e9
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// add adds calls of one function of the CUDA runtime or driver. Names end in a version: cudaLaunchKernel_v7000.
func (c *Calls) add(name string, count int, seconds float64) {
	name = strings.ToLower(name)
	switch {
	case strings.Contains(name, "graphlaunch"):
		c.GraphLaunches += count
		c.LaunchSeconds += seconds
	case strings.HasPrefix(name, "cudalaunch") || strings.HasPrefix(name, "culaunch"):
		if strings.Contains(name, "hostfunc") {
			return
		}
		c.Launches += count
		c.LaunchSeconds += seconds
	case strings.Contains(name, "synchronize"):
		c.SyncSeconds += seconds
	case strings.Contains(name, "malloc") || strings.Contains(name, "memalloc") || name == "cudafree" || strings.HasPrefix(name, "cudafree_") || strings.HasPrefix(name, "cumemfree"):
		c.Allocs += count
		c.AllocSeconds += seconds
	}
}

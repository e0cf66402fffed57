package samples

import (
	"slices"
	"sort"
)

// Cut gives what a store holds of some metrics inside a window. Instances without an answered scrape
// in it are left out. The samples are shared and nothing may be added to the result.
func (s *Store) Cut(w Window, metrics []string) *Store {
	out := NewStore(s.identity...)
	for _, in := range s.instances {
		scrapes := w.times(in.Scrapes)
		if len(scrapes) == 0 {
			continue
		}
		part := &Instance{Labels: in.Labels, Scrapes: scrapes, Failed: w.times(in.Failed), series: map[string][]*Series{}, index: map[uint64]*Series{}, store: out}
		for _, m := range metrics {
			for _, x := range in.series[m] {
				if ps := w.In(x.Points); len(ps) > 0 {
					part.series[m] = append(part.series[m], &Series{Name: x.Name, Labels: x.Labels, Points: ps, edge: x.edge})
				}
			}
		}
		out.byKey[in.Labels.Key()] = part
		out.instances = append(out.instances, part)
	}
	return out
}

func (w Window) times(ts []int64) []int64 {
	lo := sort.Search(len(ts), func(i int) bool { return ts[i] > w.From })
	hi := sort.Search(len(ts), func(i int) bool { return ts[i] > w.To })
	return ts[lo:hi]
}

// Same finds the instance of this store that has the identity of one of another store.
func (s *Store) Same(in *Instance) (*Instance, bool) {
	got, ok := s.byKey[in.Labels.Key()]
	return got, ok
}

// Interval is the usual time between scrapes, answered or not, inside a window, in milliseconds;
// false under two scrapes.
func (in *Instance) Interval(w Window) (int64, bool) {
	all := slices.Concat(w.times(in.Scrapes), w.times(in.Failed))
	if len(all) < 2 {
		return 0, false
	}
	slices.Sort(all)
	gaps := make([]int64, len(all)-1)
	for i := range gaps {
		gaps[i] = all[i+1] - all[i]
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2], true
}

// Drop takes instances away.
func (s *Store) Drop(unwanted func(*Instance) bool) {
	s.instances = slices.DeleteFunc(s.instances, func(in *Instance) bool {
		if !unwanted(in) {
			return false
		}
		delete(s.byKey, in.Labels.Key())
		return true
	})
}

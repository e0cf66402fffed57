package samples

import (
	"maps"
	"slices"
	"sort"
)

// Scraped records that an instance was scraped, answered or not. Who adds all samples in order of time
// and calls Scraped after each scrape, also in order of time, needs no Finish.
func (in *Instance) Scraped(t int64, answered bool) {
	if answered {
		in.Scrapes = append(in.Scrapes, t)
	} else {
		in.Failed = append(in.Failed, t)
	}
}

// Forget drops what is not younger than a time: samples, then series and instances that have nothing
// left. A store that grows by scrapes stays small when this is called every minute or so with the end
// of the longest window that is looked at. Frames of the store must not be in use: their trends move.
func (s *Store) Forget(until int64) {
	fewer := false
	for _, in := range s.instances {
		shape := in.shape
		in.forget(until)
		fewer = fewer || in.shape != shape
	}
	if fewer { // what is still shared is found again by new series, what is not must not be kept
		clear(s.labels)
	}
	s.Drop(func(in *Instance) bool { return len(in.series) == 0 && len(in.Scrapes) == 0 && len(in.Failed) == 0 })
}

func (in *Instance) forget(until int64) {
	in.Scrapes, in.Failed = younger(in.Scrapes, until), younger(in.Failed, until)
	shape := in.shape
	for name, group := range in.series {
		gone := false
		for _, x := range group {
			if n := stale(x.Points, until); n > 0 {
				x.Points = slices.Delete(x.Points, 0, n)
			}
			gone = gone || len(x.Points) == 0
		}
		if !gone {
			continue
		}
		in.shape++
		left := make([]*Series, 0, len(group)) // not in place: the old list may be in use
		for _, x := range group {
			if len(x.Points) > 0 {
				left = append(left, x)
			}
		}
		if in.series[name] = left; len(left) == 0 {
			delete(in.series, name)
		}
	}
	if in.shape != shape {
		in.reindex()
	}
}

// reindex makes the index anew: chains that lost a link are not worth mending.
func (in *Instance) reindex() {
	clear(in.index)
	for group := range maps.Values(in.series) {
		for _, x := range group {
			key := mix(hash(x.Labels), x.Name)
			x.next, in.index[key] = in.index[key], x
		}
	}
}

// stale counts the points at the front that are not younger than a time.
func stale(ps []Point, until int64) int {
	if len(ps) == 0 || ps[0].T > until {
		return 0
	}
	return sort.Search(len(ps), func(i int) bool { return ps[i].T > until })
}

func younger(ts []int64, until int64) []int64 {
	return slices.Delete(ts, 0, sort.Search(len(ts), func(i int) bool { return ts[i] > until }))
}

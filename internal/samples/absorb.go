package samples

// Absorb takes over what another store holds and this one does not know yet: of each series the samples
// younger than its last one, of each instance the scrapes younger than its last. So a store is kept up to
// date from a server that is asked again and again for the last few minutes, stretches that overlap
// included. The other store is as Finish leaves it. Nothing but labels is shared.
func (s *Store) Absorb(from *Store) {
	for _, other := range from.instances {
		in, _ := s.Instance(other.Labels)
		for name, group := range other.series {
			for _, x := range group {
				in.Ensure(name, x.Labels).absorb(x.Points)
			}
		}
		last, ok := in.Last()
		if !ok {
			last = minTime
		}
		in.Scrapes = append(in.Scrapes, after(other.Scrapes, last)...)
		in.Failed = append(in.Failed, after(other.Failed, last)...)
	}
}

func (x *Series) absorb(ps []Point) {
	if n := len(x.Points); n > 0 {
		ps = ps[stale(ps, x.Points[n-1].T):]
	}
	for _, p := range ps {
		x.Add(p.T, p.V)
	}
}

// Last is the time of the last scrape, answered or not; false where there is none.
func (in *Instance) Last() (int64, bool) {
	last, ok := int64(minTime), false
	for _, ts := range [][]int64{in.Scrapes, in.Failed} {
		if n := len(ts); n > 0 {
			last, ok = max(last, ts[n-1]), true
		}
	}
	return last, ok
}

func after(ts []int64, last int64) []int64 {
	for i, t := range ts {
		if t > last {
			return ts[i:]
		}
	}
	return nil
}

// minTime is before any sample.
const minTime = -1 << 63

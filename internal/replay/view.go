package replay

import (
	"time"

	"github.com/inferdx/inferdx/internal/samples"
)

// view is a store that shows one window of a chunk after the other, without copying a sample. It holds
// what a service that scraped would hold at that time: nothing later, and no series that has gone.
type view struct {
	identity []string
	feed     feed
	store    *samples.Store
	shown    []shownInstance
	end      time.Time // of the window shown
}

type shownInstance struct {
	in              *samples.Instance // nil while nothing of it is in the window
	scrapes, failed span
	series          []shownSeries
}

type shownSeries struct {
	s *samples.Series // nil while nothing of it is in the window
	span
}

// span are the places in a list that lie in the window.
type span struct{ lo, hi int }

// load takes the next chunk.
func (v *view) load(f feed) {
	v.feed = f
	v.shown = make([]shownInstance, len(f.instances))
	for i, in := range f.instances {
		v.shown[i].series = make([]shownSeries, len(in.series))
	}
	v.store, v.end = samples.NewStore(v.identity...), time.Time{}
}

// slide moves the window forward, to end at a time of the present. A window of a length of its own moves
// cell by cell; false says that it stays where it was.
func (v *view) slide(at time.Time) bool {
	end := at.Add(-v.feed.back)
	if v.feed.cell > 0 {
		if end = end.Truncate(v.feed.cell); end.Equal(v.end) {
			return false
		}
	}
	v.end = end
	v.move(end.UnixMilli()-v.feed.length.Milliseconds(), end.UnixMilli())
	return true
}

func (v *view) move(from, to int64) {
	changed := false
	for i := range v.shown {
		x, src := &v.shown[i], &v.feed.instances[i]
		x.scrapes.times(src.scrapes, from, to)
		x.failed.times(src.failed, from, to)
		alive := x.scrapes.any() || x.failed.any()
		for k := range x.series {
			s := &x.series[k]
			if src.series[k].regular {
				s.span = x.scrapes
			} else {
				s.points(src.series[k].Points, from, to)
			}
			changed = changed || s.any() != (s.s != nil)
			alive = alive || s.any()
		}
		changed = changed || alive != (x.in != nil)
	}
	if changed {
		v.rebuild()
	}
	for i := range v.shown {
		x, src := &v.shown[i], &v.feed.instances[i]
		if x.in == nil {
			continue
		}
		x.in.Scrapes, x.in.Failed = src.scrapes[x.scrapes.lo:x.scrapes.hi:x.scrapes.hi], src.failed[x.failed.lo:x.failed.hi:x.failed.hi]
		for k := range x.series {
			if s := &x.series[k]; s.s != nil {
				s.s.Points = src.series[k].Points[s.lo:s.hi:s.hi]
			}
		}
	}
}

// rebuild makes the store anew where a series came or went, so that its order never depends on what was
// looked at before.
func (v *view) rebuild() {
	v.store = samples.NewStore(v.identity...)
	for i := range v.shown {
		x, src := &v.shown[i], &v.feed.instances[i]
		x.in = nil
		if x.scrapes.any() || x.failed.any() {
			x.in, _ = v.store.Instance(src.labels)
		}
		for k := range x.series {
			s := &x.series[k]
			if s.s = nil; !s.any() {
				continue
			}
			if x.in == nil {
				x.in, _ = v.store.Instance(src.labels)
			}
			s.s = x.in.Ensure(src.series[k].Name, src.series[k].Labels)
		}
	}
}

func (p *span) any() bool { return p.hi > p.lo }

func (p *span) times(ts []int64, from, to int64) {
	for p.hi < len(ts) && ts[p.hi] <= to {
		p.hi++
	}
	for p.lo < p.hi && ts[p.lo] <= from {
		p.lo++
	}
}

func (p *span) points(ps []samples.Point, from, to int64) {
	for p.hi < len(ps) && ps[p.hi].T <= to {
		p.hi++
	}
	for p.lo < p.hi && ps[p.lo].T <= from {
		p.lo++
	}
}

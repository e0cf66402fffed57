package scrape

import (
	"slices"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// instance is one that the page shows; most pages show that of the target alone.
type instance struct {
	in      *samples.Instance
	shape   int
	archive ArchiveTarget
	series  []any
	points  []samples.Point
}

type given struct {
	line  *known
	point samples.Point
}

// commit adds what the page gave to the store and to the archive.
func (l *loop) commit(at int64, answered bool) (kept, late int) {
	l.pool.store.Do(func(st *samples.Store, generation int) {
		l.follow(st, generation)
		for _, g := range l.staged {
			l.bind(st, g.line)
			x := g.line.into
			if n := len(x.Points); n > 0 && x.Points[n-1].T >= g.point.T {
				late++
				continue
			}
			x.Add(g.point.T, g.point.V)
			kept++
			if of := g.line.of; of.archive != nil { // what stands for a series there outlives the store's
				if g.line.kept == nil {
					g.line.kept = of.archive.Series(x.Name, x.Labels)
				}
				of.series, of.points = append(of.series, g.line.kept), append(of.points, g.point)
			}
		}
		l.up(st, at, answered)
		for _, of := range l.instances {
			of.shape = of.in.Shape()
		}
	})
	for _, of := range l.instances { // outside of the lock: it may write to disk
		if of.archive != nil {
			of.archive.Append(at, answered, of.series, of.points)
			of.series, of.points = of.series[:0], of.points[:0]
		}
	}
	return kept, late
}

// follow forgets what it knows of the store where that was changed by others: series that were forgotten
// there would take samples that nobody sees.
func (l *loop) follow(st *samples.Store, generation int) {
	stale := l.generation != generation || l.own == nil
	for _, of := range l.instances {
		if now, ok := st.Same(of.in); !ok || now != of.in || of.in.Shape() != of.shape {
			stale = true
		}
	}
	if !stale {
		return
	}
	l.generation = generation
	for _, line := range l.order {
		line.unbind()
	}
	for _, line := range l.lines {
		line.unbind()
	}
	l.instances = map[*samples.Instance]*instance{}
	l.own, _ = st.Instance(l.target.Labels)
	l.attach(l.own)
}

// unbind forgets the series that takes the line's samples, but not what it is called.
func (k *known) unbind() {
	if k.into != nil {
		k.full = &named{k.into.Name, slices.Concat(k.into.Labels, k.of.in.Labels)}
	}
	k.into, k.of = nil, nil
}

func (l *loop) attach(in *samples.Instance) *instance {
	of := l.instances[in]
	if of == nil {
		of = &instance{in: in, shape: in.Shape()}
		of.archive = l.archive(in.Labels)
		l.instances[in] = of
	}
	return of
}

func (l *loop) archive(identity model.Labels) ArchiveTarget {
	if l.pool.archive == nil {
		return nil
	}
	if l.archives == nil {
		l.archives = map[string]ArchiveTarget{}
	}
	key := identity.Key()
	if l.archives[key] == nil {
		l.archives[key] = l.pool.archive.Target(identity)
	}
	return l.archives[key]
}

func (l *loop) bind(st *samples.Store, line *known) {
	if line.into != nil {
		return
	}
	in, rest := st.Instance(line.full.labels)
	line.of = l.attach(in)
	line.into, line.full = in.Ensure(line.full.name, rest), nil
}

// up records the scrape with every instance that the page shows.
func (l *loop) up(st *samples.Store, at int64, answered bool) {
	v := 0.0
	if answered {
		v = 1
	}
	for in := range l.instances {
		if last, ok := in.Last(); ok && last >= at {
			continue
		}
		in.Scraped(at, answered)
		if in == l.own {
			_, rest := st.Instance(l.target.Labels)
			in.Ensure("up", rest).Add(at, v)
		}
	}
}

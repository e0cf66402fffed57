package tsdb

import (
	"context"
	"errors"
	"fmt"
	"strings"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Target is what the scrapes of one target are written through. It is kept from scrape to scrape and
// is not safe for concurrent use; different targets may write at once.
type Target struct {
	db     *DB
	labels model.Labels
	up     single
	groups map[string]*group
	due    []*group // those that were given something by this scrape
}

// Target makes what the scrapes of a target are written through, by its identity: job, instance and so on.
func (db *DB) Target(identity model.Labels) *Target {
	return &Target{db: db, labels: identity, up: single{set: full("up", identity, nil)}, groups: map[string]*group{}}
}

// Series is one series of a target, found once and kept: to append to it needs no look-up.
type Series struct {
	name   string
	labels model.Labels
	alone  *single // nil until it is kept by itself
	of     *group  // nil where it is no part of a histogram
	last   samples.Point
	part   part
	given  bool // last is of the scrape that is being written
}

type part uint8

const (
	partBucket part = iota
	partSum
	partCount
)

// single is a series of the TSDB.
type single struct {
	ref   storage.SeriesRef
	set   labels.Labels
	opens int // the opening of the folder that ref is good for
}

// group are the series of one histogram.
type group struct {
	name    string
	labels  model.Labels // without le
	members []*Series
	layout  layout
	stale   bool // members came since the layout was made
	due     bool
}

// Series makes a series of the target, by its name and the labels beside the target's own, sorted.
func (t *Target) Series(name string, own model.Labels) *Series {
	s := &Series{name: name, labels: own}
	base, ok := "", false
	switch {
	case strings.HasSuffix(name, "_bucket"):
		base, ok = strings.TrimSuffix(name, "_bucket"), own.Get("le") != ""
		s.part = partBucket
	case strings.HasSuffix(name, "_sum"):
		base, ok = strings.TrimSuffix(name, "_sum"), true
		s.part = partSum
	case strings.HasSuffix(name, "_count"):
		base, ok = strings.TrimSuffix(name, "_count"), true
		s.part = partCount
	}
	if !ok {
		return s
	}
	rest := make(model.Labels, 0, len(own))
	for _, l := range own {
		if l.Name != "le" {
			rest = append(rest, l)
		}
	}
	key := base + "\xff" + rest.Key()
	if s.of = t.groups[key]; s.of == nil {
		s.of = &group{name: base, labels: rest}
		t.groups[key] = s.of
	}
	s.of.members, s.of.stale = append(s.of.members, s), true
	return s
}

// Sample is a value of a scrape.
type Sample struct {
	Series *Series
	Point  samples.Point
}

// Append keeps what one scrape gave; one that was not answered gives no samples. Values that are late or
// come twice are counted and left out. The error is about a scrape that was lost as a whole, as when
// the disk is full; the next one may be kept.
func (t *Target) Append(at int64, answered bool, given []Sample) error {
	err := t.db.clock.check(t.db.o.Now())
	if err == nil {
		err = t.db.mended()
	}
	if err != nil {
		t.db.failed.Add(uint64(len(given)) + 1)
		t.db.commits.Add(1)
		return fmt.Errorf("keep a scrape: %w", err)
	}
	t.db.mu.RLock()
	defer t.db.mu.RUnlock()
	w := writer{Appender: t.db.inner.Appender(context.Background()), opens: t.db.opens}
	up := 0.0
	if answered {
		up = 1
	}
	w.add(&t.up, samples.Point{T: at, V: up})
	for i := range given {
		s := given[i].Series
		if s.of == nil {
			t.alone(&w, s, given[i].Point)
			continue
		}
		s.last, s.given = given[i].Point, true
		if !s.of.due {
			s.of.due = true
			t.due = append(t.due, s.of)
		}
	}
	for _, g := range t.due {
		t.histogram(&w, g)
	}
	t.due = t.due[:0]
	return t.db.commit(&w)
}

func (t *Target) alone(w *writer, s *Series, p samples.Point) {
	if s.alone == nil {
		s.alone = &single{set: full(s.name, t.labels, s.labels)}
	}
	w.add(s.alone, p)
}

// histogram writes a group packed where that loses nothing, else series by series.
func (t *Target) histogram(w *writer, g *group) {
	if g.stale {
		g.stale, g.layout = false, arrange(g.members)
		if g.layout.ok {
			more := model.Labels{}
			if g.layout.written != "" {
				more = append(more, model.Label{Name: spelling, Value: g.layout.written})
			}
			g.layout.whole.set = full(g.name, t.labels, append(more, g.labels...))
		}
	}
	packed := false
	if g.layout.ok {
		if h, ok := g.layout.pack(g.layout.sum.last.T); ok {
			packed = true
			whole := w.current(&g.layout.whole)
			ref, err := w.AppendHistogram(whole.ref, whole.set, g.layout.sum.last.T, h, nil)
			whole.ref = ref
			w.count(err, uint64(len(g.members)))
		}
	}
	for _, s := range g.members {
		if s.given && !packed {
			t.alone(w, s, s.last)
		}
		s.given = false
	}
	g.due = false
}

// writer is one transaction with what came of it.
type writer struct {
	storage.Appender

	opens               int
	added, late, failed uint64
}

// current drops a reference of before the folder was opened anew.
func (w *writer) current(s *single) *single {
	if s.opens != w.opens {
		s.ref, s.opens = 0, w.opens
	}
	return s
}

func (w *writer) add(s *single, p samples.Point) {
	ref, err := w.Append(w.current(s).ref, s.set, p.T, p.V)
	s.ref = ref
	w.count(err, 1)
}

func (w *writer) count(err error, n uint64) {
	switch {
	case err == nil:
		w.added += n
	case errors.Is(err, storage.ErrOutOfOrderSample), errors.Is(err, storage.ErrDuplicateSampleForTimestamp),
		errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrTooOldSample):
		w.late += n
	default:
		w.failed += n
	}
}

func (db *DB) commit(w *writer) error {
	err := w.Commit()
	if err != nil {
		w.added, w.failed = 0, w.failed+w.added
		db.commits.Add(1)
		db.tear(err)
	}
	db.appended.Add(w.added)
	db.late.Add(w.late)
	db.failed.Add(w.failed)
	if err != nil {
		return fmt.Errorf("keep a scrape: %w", err)
	}
	return nil
}

// full is the label set of a series with its name.
func full(name string, identity, own model.Labels) labels.Labels {
	b := labels.NewScratchBuilder(1 + len(identity) + len(own))
	b.Add(common.MetricNameLabel, name)
	for _, ls := range []model.Labels{identity, own} {
		for _, l := range ls {
			if l.Value != "" {
				b.Add(l.Name, l.Value)
			}
		}
	}
	b.Sort()
	return b.Labels()
}

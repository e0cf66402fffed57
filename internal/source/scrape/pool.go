package scrape

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/relabel"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// Target is a page that is scraped again and again.
type Target struct {
	Job string
	URL *url.URL
	// Labels are the target's own, after relabelling; every series of the page gets them.
	Labels model.Labels
	// Meta are the labels that discovery gave before relabelling, for who wants to know more of it.
	Meta              map[string]string
	Interval, Timeout time.Duration
	// HonorLabels keeps labels of the page that collide with the target's.
	HonorLabels bool
	// HonorTimestamps takes timestamps that stand on the page instead of the time of the scrape.
	HonorTimestamps bool
	BodyLimit       int64 // of one page, unpacked; 0 means 64 MiB
	SampleLimit     int   // a page with more is a failed scrape; 0 means no limit
	Relabel         []*relabel.Config
	// Client is shared by the targets of a job.
	Client *httpclient.Client
}

// ID is the same for the same page under the same labels.
func (t Target) ID() string { return t.URL.String() + "\xff" + t.Labels.Key() }

// Store is where a pool puts samples. Do calls f while nobody else uses the store. The generation is
// another number when the store is another one.
type Store interface {
	Do(f func(st *samples.Store, generation int))
}

// Archive also gets what is scraped, to keep it for longer.
type Archive interface {
	// Target makes what the scrapes of an instance are written through.
	Target(identity model.Labels) ArchiveTarget
}

// ArchiveTarget takes the scrapes of one instance, one after another. What Series gives stands for a series.
type ArchiveTarget interface {
	Series(name string, labels model.Labels) any
	Append(at int64, answered bool, series []any, points []samples.Point)
}

// Scrape is what came of one scrape.
type Scrape struct {
	Target  Target
	At      time.Time
	Took    time.Duration
	Samples int // that are kept
	Late    int // not younger than the last of their series, and left out
	Missed  int // scrapes that were left out before this one
	Err     error
}

// Pool scrapes targets until they are taken away. It is safe for concurrent use.
type Pool struct {
	store   Store
	archive Archive // may be nil
	keep    func(metric string) bool
	now     func() time.Time
	told    func(Scrape)

	turn  sync.Mutex // of Sync: one takes targets away before the next one starts others
	mu    sync.Mutex
	ctx   context.Context
	loops map[string]*loop
	all   sync.WaitGroup

	foreign lines     // that no target's catalogue wants
	buffers sync.Pool // of pages: far fewer are read at once than there are targets
}

// PoolOptions are the parts of a pool. Archive and Told may be nil.
type PoolOptions struct {
	Store   Store
	Archive Archive
	// Keep says which metrics are wanted, by the name as exposed.
	Keep func(metric string) bool
	Now  func() time.Time
	// Told is told of every scrape, from several goroutines.
	Told func(Scrape)
}

// NewPool makes a pool without targets. It scrapes until ctx ends; Wait waits for that.
func NewPool(ctx context.Context, o PoolOptions) *Pool {
	if o.Told == nil {
		o.Told = func(Scrape) {}
	}
	return &Pool{store: o.Store, archive: o.Archive, keep: o.Keep, now: o.Now, told: o.Told, ctx: ctx, loops: map[string]*loop{}}
}

// Wait returns when ctx has ended and no scrape is under way.
func (p *Pool) Wait() {
	<-p.ctx.Done()
	p.mu.Lock()   // who starts a target holds it, and starts none from now on
	p.mu.Unlock() //nolint:staticcheck // see above
	p.all.Wait()
}

// Keep changes which metrics are wanted.
func (p *Pool) Keep(keep func(metric string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep = keep
	p.foreign.clear()
	for _, l := range p.loops {
		l.relearn.Store(true)
	}
}

func (p *Pool) wanted(metric string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.keep == nil || p.keep(metric)
}

// Sync scrapes those targets and no others. Targets that stay keep their schedule. It gives those that
// are scraped no more, when nothing of them will be added to the store any more.
func (p *Pool) Sync(targets []Target) (gone []Target) {
	p.turn.Lock()
	defer p.turn.Unlock()
	p.mu.Lock()
	next := map[string]Target{}
	for _, t := range targets {
		next[t.ID()] = t
	}
	var ended []*loop
	for id, l := range p.loops {
		if t, stays := next[id]; stays {
			if l.sameSettings(t) {
				continue
			}
			defer p.start(t) // under other settings
		} else {
			gone = append(gone, l.target)
		}
		l.stop()
		delete(p.loops, id)
		ended = append(ended, l)
	}
	for id, t := range next {
		if p.loops[id] == nil && !slices.ContainsFunc(ended, func(l *loop) bool { return l.target.ID() == id }) {
			p.startLocked(t)
		}
	}
	p.mu.Unlock()
	for _, l := range ended {
		<-l.ended
	}
	slices.SortFunc(gone, func(a, b Target) int { return strings.Compare(a.ID(), b.ID()) })
	return gone
}

func (p *Pool) start(t Target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startLocked(t)
}

func (p *Pool) startLocked(t Target) {
	if p.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(p.ctx)
	l := &loop{pool: p, target: t, stop: stop, ended: make(chan struct{})}
	p.loops[t.ID()] = l
	p.all.Go(func() {
		defer close(l.ended)
		l.run(ctx)
	})
}

// Health is how the scrapes of a target went.
type Health struct {
	Target Target
	Last   Scrape // zero before the first one
}

// Targets gives the health of all targets, by job and URL.
func (p *Pool) Targets() []Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []Health
	for _, l := range p.loops {
		h := Health{Target: l.target}
		if last := l.last.Load(); last != nil {
			h.Last = *last
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Health) int {
		if c := strings.Compare(a.Target.Job, b.Target.Job); c != 0 {
			return c
		}
		return strings.Compare(a.Target.ID(), b.Target.ID())
	})
	return out
}

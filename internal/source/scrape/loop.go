package scrape

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"reflect"
	"slices"
	"sync/atomic"
	"time"
	"unique"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// loop scrapes one target of a pool.
type loop struct {
	pool    *Pool
	target  Target
	stop    context.CancelFunc
	ended   chan struct{}
	last    atomic.Pointer[Scrape]
	relearn atomic.Bool

	order      []*known          // the wanted lines as the page had them last
	lines      map[string]*known // those that are not in that order, by text
	staged     []given
	generation int
	instances  map[*samples.Instance]*instance
	own        *samples.Instance        // of the target's labels
	archives   map[string]ArchiveTarget // by the key of an instance's labels
}

// known is a line of the page. There are hundreds of each target, so it is small.
type known struct {
	text string          // as on the page, shared with the same lines of other targets
	full *named          // until it is bound; what it is called afterwards the series knows
	into *samples.Series // nil when it is not bound
	of   *instance
	kept any // in the archive
}

// named is a line's name and all of its labels.
type named struct {
	name   string
	labels model.Labels
}

// unwanted stands for every line that is not.
var unwanted = &known{}

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

func (l *loop) sameSettings(t Target) bool {
	a, b := l.target, t
	a.Meta, b.Meta = nil, nil
	return reflect.DeepEqual(a, b)
}

// run scrapes at an offset into the interval that depends on the target, so that many are spread out. A
// scrape that takes too long leaves scrapes out; a pause of the process is made up for by one.
func (l *loop) run(ctx context.Context) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.target.ID()))
	every := l.target.Interval
	due := time.Now().Add(time.Duration(h.Sum64() % uint64(every))) //nolint:gosec // an interval is above 0
	for {
		if !sleep(ctx, time.Until(due)) {
			return
		}
		missed := int(time.Since(due) / every)
		due = due.Add(time.Duration(missed+1) * every)
		if !l.once(ctx, missed) {
			return
		}
	}
}

// once is false when ctx ended: that says nothing about the target.
func (l *loop) once(ctx context.Context, missed int) bool {
	begin := time.Now()
	s := Scrape{Target: l.target, At: l.pool.now().Round(0), Missed: missed}
	s.Err = l.read(ctx, s.At.UnixMilli())
	if s.Err != nil && ctx.Err() != nil {
		return false
	}
	if s.Err != nil {
		l.staged = l.staged[:0]
	}
	s.Samples, s.Late = l.commit(s.At.UnixMilli(), s.Err == nil)
	s.Took = time.Since(begin)
	l.last.Store(&s)
	l.pool.told(s)
	return true
}

// read fetches and parses the page.
func (l *loop) read(ctx context.Context, at int64) error {
	ctx, stop := context.WithTimeout(ctx, l.target.Timeout)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.target.URL.String(), nil)
	if err != nil {
		return errors.New("cannot make a request of this URL")
	}
	req.Header.Set("Accept", accept)
	buf, _ := l.pool.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer l.pool.buffers.Put(buf)
	limit := l.target.BodyLimit
	resp, err := l.target.Client.Read(ctx, req, limit, *buf)
	if err != nil {
		return err
	}
	*buf = resp.Body
	return l.parse(page{resp.Body, resp.Header.Get("Content-Type")}, at)
}

func (l *loop) parse(p page, at int64) error {
	if l.relearn.Swap(false) {
		l.lines, l.order = nil, nil
	}
	l.staged = l.staged[:0]
	at0 := 0
	return walk(p, func(textparse.Parser) {}, func(parser textparse.Parser) error {
		text, stamp, v := parser.Series()
		line := l.line(text, &at0, parser)
		if line == unwanted {
			return nil
		}
		if n := l.target.SampleLimit; n > 0 && len(l.staged) >= n {
			return fmt.Errorf("the page has more than %d samples, which sample_limit allows", n)
		}
		t := at
		if l.target.HonorTimestamps && stamp != nil {
			t = *stamp
		}
		l.staged = append(l.staged, given{line, samples.Point{T: t, V: v}})
		return nil
	})
}

// line finds what is known of a line. Pages keep their order from scrape to scrape, so that it mostly is the
// next one; a map of all would take more memory than the lines themselves.
func (l *loop) line(text []byte, next *int, parser textparse.Parser) *known {
	if i := *next; i < len(l.order) && l.order[i].text == string(text) {
		*next = i + 1
		return l.order[i]
	}
	plain := len(l.target.Relabel) == 0
	if plain && l.pool.foreign.has(text) {
		return unwanted
	}
	if line := l.lines[string(text)]; line != nil {
		return line
	}
	for i := *next; i < len(l.order); i++ { // lines before it have left the page
		if l.order[i].text == string(text) {
			*next = i + 1
			return l.order[i]
		}
	}
	line := l.learn(parser)
	if line == unwanted && plain && l.pool.foreign.add(string(text)) {
		return unwanted
	}
	if line != unwanted {
		line.text = unique.Make(string(text)).Value()
	}
	if line != unwanted && *next == len(l.order) {
		l.order, *next = append(l.order, line), len(l.order)+1
		return line
	}
	if l.lines == nil {
		l.lines = map[string]*known{}
	}
	l.lines[string(text)] = line
	return line
}

// learn makes what is known of a line that was never seen on this page.
func (l *loop) learn(parser textparse.Parser) *known {
	var ls labels.Labels
	parser.Labels(&ls)
	if name := ls.Get(common.MetricNameLabel); name == "up" || len(l.target.Relabel) == 0 && !l.pool.wanted(name) {
		return unwanted
	}
	b := labels.NewBuilder(labels.EmptyLabels())
	var name string
	for _, x := range join2(l.target.Labels, pageLabels(ls, &name), l.target.HonorLabels) {
		b.Set(x.Name, x.Value)
	}
	b.Set(common.MetricNameLabel, name)
	if !relabel.ProcessBuilder(b, l.target.Relabel...) {
		return unwanted
	}
	var own string
	all := pageLabels(b.Labels(), &own)
	if own == "up" || !l.pool.wanted(own) {
		return unwanted
	}
	return &known{full: &named{unique.Make(own).Value(), all}}
}

func pageLabels(ls labels.Labels, name *string) model.Labels {
	out := make(model.Labels, 0, ls.Len())
	ls.Range(func(x labels.Label) {
		switch {
		case x.Name == common.MetricNameLabel:
			*name = x.Value
		case x.Value != "":
			out = append(out, model.Label{Name: x.Name, Value: x.Value})
		}
	})
	return out
}

// join2 adds a target's labels to those of a series. Where both have one, the page's is kept beside it as
// exported_, or instead of it where that is honoured.
func join2(own, of model.Labels, honor bool) model.Labels {
	if !honor {
		return join(own, of)
	}
	out := append(make(model.Labels, 0, len(own)+len(of)), of...)
	for _, x := range own {
		if of.Get(x.Name) == "" {
			out = append(out, x)
		}
	}
	out.Sort()
	return out
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

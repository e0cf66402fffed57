package signals

import (
	"slices"
	"sort"
	"time"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Request says which frame is wanted.
type Request struct {
	At     time.Time
	Window time.Duration
	// Settings gives the configured numbers (SLOs) of a target; nil uses the catalogue's defaults.
	Settings func(model.Labels) map[string]float64
	// Facts adds what is known outside the metrics: launch arguments, logs, defaults by version.
	// It gets what the metrics' labels say of the target, and answers with the target's own facts and
	// those it may share with others. nil adds nothing.
	Facts func(Target) (own, shared map[string]model.Fact)
	Join  Join
	// Group are the labels that make one service of several targets; none means model_name.
	Group  []string
	Faults []model.Fault
	// Without hides signals as if nobody exported them.
	Without []string
	// PromQL evaluates the users' own signals over the same samples and gives numbers by the key of
	// the instance's labels. It is called only where Catalog.Own lists any.
	PromQL func(query string, at time.Time) (map[string]float64, error)
}

// Target is what Facts is told of an engine.
type Target struct {
	Labels model.Labels
	Engine model.Engine
	Info   map[string]string // labels of the info series
	GPU    map[string]string // labels of the first joined GPU series, nil when none
	// GPUMemoryMiB is the memory of one joined GPU, 0 when not seen.
	GPUMemoryMiB float64
	// RunningMax is the largest batch seen, 0 when not seen.
	RunningMax float64
}

// Frame evaluates the catalogue at one instant.
func (c *Catalog) Frame(st *samples.Store, req Request) *model.Frame {
	a := &assembly{c: c, req: req, to: req.At.UnixMilli()}
	a.from = a.to - req.Window.Milliseconds()
	a.sort(st)
	a.entities()
	a.b = model.NewFrame(req.At, req.Window, &a.es)
	for _, f := range req.Faults {
		a.b.AddFault(f)
	}
	for _, t := range a.targets {
		a.read(t)
	}
	for _, t := range a.targets {
		a.facts(t)
	}
	a.evaluate()
	c.Derive(a.b)
	for _, t := range a.targets {
		a.b.SetMissing(t.id, c.missing(a.b, t))
	}
	return a.b.Frame()
}

type assembly struct {
	c        *Catalog
	req      Request
	from, to int64
	es       model.Entities
	b        *model.FrameBuilder
	targets  []*target
	gpus     []*gpu
	hosts    []attached // host, process and container instances
}

// target is one server with everything that was joined to it.
type target struct {
	id     model.EntityID
	in     *samples.Instance
	d      *dialect // nil when it never answered
	ranks  map[string]model.EntityID
	gpus   []*gpu
	side   []attached
	unseen map[string]string // kind of exporter -> why it was not joined
	info   map[string]string
}

type gpu struct {
	id     model.EntityID
	in     *samples.Instance
	d      *dialect
	labels model.Labels
	uuid   string
}

type attached struct {
	in   *samples.Instance
	d    *dialect
	keep func(*samples.Series) bool
}

// window is the stretch of an instance that was really observed. Shorter histories than the wanted
// window are not stretched: a rate over 34 s of samples is a rate over 34 s.
func (a *assembly) window(in *samples.Instance) samples.Window {
	w := samples.Window{From: a.from, To: a.to}
	first := firstIn(in.Scrapes, w)
	if f := firstIn(in.Failed, w); f > 0 && (first == 0 || f < first) {
		first = f
	}
	if first > 0 {
		w.From = max(w.From, first-1)
	}
	return w
}

func firstIn(ts []int64, w samples.Window) int64 {
	i := sort.Search(len(ts), func(i int) bool { return ts[i] > w.From })
	if i < len(ts) && ts[i] <= w.To {
		return ts[i]
	}
	return 0
}

func (a *assembly) span(in *samples.Instance) model.Span {
	var s model.Span
	for _, t := range in.Scrapes {
		if t <= a.from || t > a.to {
			continue
		}
		if s.Scrapes == 0 {
			s.First = time.UnixMilli(t)
		}
		s.Last = time.UnixMilli(t)
		s.Scrapes++
	}
	for _, t := range in.Failed {
		if t > a.from && t <= a.to {
			s.Failed++
		}
	}
	return s
}

// read evaluates every direct signal of a target, its ranks and what is joined to it.
func (a *assembly) read(t *target) {
	span := a.span(t.in)
	a.b.SetSpan(t.id, span)
	a.scrapes(t, span)
	settings := a.settings(t)
	if t.d != nil {
		r := a.reader(t.in, t.d, nil, settings)
		a.signals(t.id, r)
		a.trends(t.id, r)
		t.info = a.info(r)
		for rank, id := range t.ranks {
			label := t.d.Rank
			keep := func(s *samples.Series) bool { return s.Labels.Get(label) == rank }
			a.signals(id, a.reader(t.in, t.d, keep, settings))
		}
	}
	for _, x := range t.side {
		r := a.reader(x.in, x.d, x.keep, settings)
		a.signals(t.id, r)
		a.trends(t.id, r)
	}
	for _, g := range t.gpus {
		a.signals(g.id, a.reader(g.in, g.d, func(s *samples.Series) bool { return gpuID(s.Labels) == g.uuid }, settings))
	}
	a.foldGPUs(t)
}

func (a *assembly) settings(t *target) map[string]float64 {
	var set map[string]float64
	if a.req.Settings != nil {
		set = a.req.Settings(a.es.Get(t.id).Labels)
	}
	for _, id := range a.c.settings {
		v, ok := set[id]
		if !ok {
			v = *a.c.meanings[id].Setting
		}
		a.b.Set(t.id, id, model.Known(v))
		for _, r := range t.ranks {
			a.b.Set(r, id, model.Known(v))
		}
	}
	return set
}

func (a *assembly) reader(in *samples.Instance, d *dialect, keep func(*samples.Series) bool, settings map[string]float64) *reader {
	return &reader{
		cat: a.c, d: d, in: in, keep: keep, w: a.window(in), settings: settings,
		hists: map[string]histogram{}, found: map[string][]*samples.Series{},
	}
}

func (a *assembly) signals(id model.EntityID, r *reader) {
	for _, sid := range r.d.order {
		if slices.Contains(a.req.Without, sid) {
			continue
		}
		if v, ok := r.value(r.d.Signals[sid]); ok {
			a.b.Set(id, sid, v)
		}
	}
}

// scrapes says how the target answered: these signals exist for every target.
func (a *assembly) scrapes(t *target, s model.Span) {
	if n := s.Scrapes + s.Failed; n > 0 {
		a.b.Set(t.id, "scrape_failed_ratio", model.Known(float64(s.Failed)/float64(n)))
	}
	lastOK := last(t.in.Scrapes, a.to)
	lastFailed := last(t.in.Failed, a.to)
	down := 0.0
	if lastFailed > lastOK {
		down = 1
		since := lastFailed
		for i := len(t.in.Failed) - 1; i >= 0 && t.in.Failed[i] > lastOK; i-- {
			since = t.in.Failed[i]
		}
		a.b.Set(t.id, "down_s", model.Known(float64(a.to-since)/1000))
	}
	a.b.Set(t.id, "down", model.Known(down))
	a.b.Set(t.id, "observed_s", model.Known(s.Observed().Seconds()))
	a.b.Set(t.id, "scrapes", model.Known(float64(s.Scrapes)))
}

func last(ts []int64, to int64) int64 {
	i := sort.Search(len(ts), func(i int) bool { return ts[i] > to })
	if i == 0 {
		return 0
	}
	return ts[i-1]
}

// trends keeps the samples of the signals that charts and onset need: the folded series for gauges,
// the rate between scrapes for counters.
func (a *assembly) trends(id model.EntityID, r *reader) {
	for _, sid := range r.d.order {
		if !a.c.meanings[sid].Trend {
			continue
		}
		src := r.d.Signals[sid]
		if out := r.trend(src); len(out) > 0 {
			a.b.SetTrend(id, sid, out)
		}
	}
}

func (a *assembly) info(r *reader) map[string]string {
	out := map[string]string{}
	for _, n := range r.d.Info {
		for _, s := range r.named(n, nil) {
			for _, l := range s.Labels {
				if _, ok := out[l.Name]; !ok {
					out[l.Name] = l.Value
				}
			}
		}
	}
	return out
}

func (a *assembly) facts(t *target) {
	if a.req.Facts == nil {
		return
	}
	e := a.es.Get(t.id)
	x := Target{Labels: e.Labels, Engine: e.Engine, Info: t.info}
	if len(t.gpus) > 0 {
		x.GPU = t.gpus[0].labels.Map()
		used, okUsed := a.b.Get(t.gpus[0].id, "gpu_memory_used_mib")
		free, okFree := a.b.Get(t.gpus[0].id, "gpu_memory_free_mib")
		if okUsed && okFree {
			x.GPUMemoryMiB = used.V + free.V
		}
	}
	if v, ok := a.b.Get(t.id, "running_max"); ok {
		x.RunningMax = v.V
	}
	own, shared := a.req.Facts(x)
	a.b.SetFacts(t.id, own, shared)
	if f, ok := own["engine_version"]; ok {
		a.es.SetEngine(t.id, model.Engine{Name: e.Engine.Name, Version: f.Text})
	}
}

// Derive computes the formulas for every entity that has their operands. What is set already stays.
func (c *Catalog) Derive(b *model.FrameBuilder) {
	slots := make([]model.Slot, len(c.formulas))
	exprs := make([]*expression.Over, len(c.formulas))
	for i, f := range c.formulas {
		slots[i], exprs[i] = b.Slot(f.id), f.expr.Within(b)
	}
	for _, e := range b.Entities().All() {
		if e.Scope == model.ScopeGroup {
			continue
		}
		for i, at := range slots {
			if _, set := b.In(at, e.ID); set {
				continue
			}
			if v, ok := exprs[i].Number(e.ID); ok {
				b.Put(at, e.ID, v)
			}
		}
	}
}

func sortPoints(ps []samples.Point) []samples.Point {
	slices.SortFunc(ps, func(x, y samples.Point) int { return int(x.T - y.T) })
	return ps
}

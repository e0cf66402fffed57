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
	// Known says what a target that has not answered inside the window was called when it did, by the labels of
	// its instance: one that goes on not answering stays who it was. nil knows none.
	Known func(instance model.Labels) (model.Labels, bool)
	// Without hides signals as if nobody exported them.
	Without []string
	// Binding remembers what series feed which signals; nil binds them for this frame alone.
	Binding *Binding
	// PromQL evaluates the users' own signals over the same samples and gives numbers by the key of
	// the instance's labels. It is called only where Catalog.Own lists any.
	PromQL func(query string, at time.Time) (map[string]float64, error)
	// Past is the plan of the earlier windows that are compared with; nil needs none.
	Past *History
	// Earlier are their samples where the store of the present does not hold them.
	Earlier []Earlier
}

// Target is what Facts is told of an engine.
type Target struct {
	Labels model.Labels
	Engine model.Engine
	Info   map[string]string // labels of the info series
	GPU    map[string]string // labels of the first joined GPU series, nil when none
	// GPUs counts the joined ones.
	GPUs int
	// GPUMemoryMiB is the memory of one joined GPU, 0 when not seen.
	GPUMemoryMiB float64
	// Shown are the settings that gauges show, by fact.
	Shown map[string]float64
	// RunningMax is the largest batch seen, 0 when not seen.
	RunningMax float64
}

// Frame evaluates the catalogue at one instant. Trends are read from the store when they are asked
// for: the store must not change as long as the frame is in use.
func (c *Catalog) Frame(st *samples.Store, req Request) *model.Frame {
	a := c.assembly(st, req)
	a.b = model.NewFrame(req.At, req.Window, &a.es)
	for _, f := range req.Faults {
		a.b.AddFault(f)
	}
	a.place()
	for _, t := range a.targets {
		a.read(t)
	}
	for _, t := range a.targets {
		a.facts(t)
	}
	a.evaluate()
	a.compare(st)
	c.Derive(a.b)
	core := make([]model.Slot, len(c.core))
	for i, m := range c.core {
		core[i] = a.b.Slot(m.id)
	}
	for _, t := range a.targets {
		a.b.SetMissing(t.id, a.missing(t, core))
	}
	a.b.TrendsFrom(a.trend)
	a.req.Binding.end(len(st.Instances()))
	return a.b.Frame()
}

// assembly finds out what there is to read.
func (c *Catalog) assembly(st *samples.Store, req Request) *assembly {
	if req.Binding == nil {
		req.Binding = NewBinding()
	}
	a := &assembly{c: c, req: req, to: req.At.UnixMilli()}
	a.from = a.to - req.Window.Milliseconds()
	req.Binding.begin(c)
	a.sort(st)
	a.entities()
	return a
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
	routers  []attached
	alone    map[string]bool
	slots    map[*dialect][]model.Slot // by statistic; NoSlot where the signal is hidden
	settings []model.Slot              // by Catalog.settings
	readers  map[*dialect]*reader      // reused from entity to entity
	byID     []*target                 // by entity; nil where it is no target
}

// target is one server with everything that was joined to it.
type target struct {
	id    model.EntityID
	in    *samples.Instance
	bound *bound
	d     *dialect     // nil when it never answered
	self  *identity    // nil when it never answered
	known model.Labels // of one that has not answered in the window, as it was called when it did
	ranks []ranked
	gpus  []*gpu
	side  []attached
	noGPU string // why no GPU was joined
	info  map[string]string
	shown map[string]float64
}

// ranked is one data-parallel engine of a target.
type ranked struct {
	rank string
	id   model.EntityID
}

type gpu struct {
	id     model.EntityID
	in     *samples.Instance
	d      *dialect
	labels model.Labels
	uuid   string
	host   string // of the exporter
}

type attached struct {
	in    *samples.Instance
	bound *bound
	d     *dialect
	of    string // the part that keep leaves
	keep  func(*samples.Series) bool
}

// place finds where the frame keeps each signal, once for all entities.
func (a *assembly) place() {
	a.slots, a.readers = map[*dialect][]model.Slot{}, map[*dialect]*reader{}
	for _, d := range a.c.dialects {
		slots := make([]model.Slot, len(d.stats))
		for i := range d.stats {
			if slots[i] = model.NoSlot; !slices.Contains(a.req.Without, d.stats[i].id) {
				slots[i] = a.b.Slot(d.stats[i].id)
			}
		}
		a.slots[d] = slots
		a.readers[d] = newReader(a.c, d)
	}
	for _, id := range a.c.settings {
		a.settings = append(a.settings, a.b.Slot(id))
	}
	a.byID = make([]*target, a.es.Len())
	for _, t := range a.targets {
		a.byID[t.id] = t
	}
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

func (a *assembly) facts(t *target) {
	if a.req.Facts == nil {
		return
	}
	e := a.es.Get(t.id)
	x := Target{Labels: e.Labels, Engine: e.Engine, Info: t.info, Shown: t.shown, GPUs: len(t.gpus)}
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
	least := make([]model.Slot, len(c.formulas))
	for i, f := range c.formulas {
		slots[i], exprs[i], least[i] = b.Slot(f.id), f.expr.Within(b), model.NoSlot
		if f.least.Of.S != "" {
			least[i] = b.Slot(f.least.Of.S)
		}
	}
	for _, e := range b.Entities().All() {
		if e.Scope == model.ScopeGroup {
			continue
		}
		for i, at := range slots {
			if _, set := b.In(at, e.ID); set {
				continue
			}
			if of, seen := b.In(least[i], e.ID); least[i] != model.NoSlot && (!seen || of.V < c.formulas[i].least.N) {
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

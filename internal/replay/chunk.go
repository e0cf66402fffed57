package replay

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/rules/signals"
)

const (
	// firstChunk is read to learn how much there is.
	firstChunk   = 15 * time.Minute
	longestChunk = 6 * time.Hour
	// chunkSamples is what a chunk should hold: 16 bytes each, and two chunks are in memory.
	chunkSamples = 4_000_000
)

// chunk is a stretch of the past that was read, with the windows before its first step.
type chunk struct {
	steps  []time.Time
	feeds  []feed // the present, then the earlier windows of the plan
	faults []model.Fault
	err    error // of the present: nothing of it could be read
}

func (c *chunk) last() time.Time { return c.steps[len(c.steps)-1] }

// feed are the samples of one window as it slides, in an order that depends on nothing but them.
type feed struct {
	back, length time.Duration
	// cell is how far a window of its own length moves on at a time; 0 moves with the steps.
	cell      time.Duration
	instances []instance
}

type instance struct {
	labels          model.Labels
	scrapes, failed []int64
	series          []series
}

type series struct {
	*samples.Series

	// regular says that every answered scrape gave a sample and nothing else did.
	regular bool
}

// readAhead reads chunk by chunk, one of them ahead of who takes them.
func (o Options) readAhead(ctx context.Context) <-chan *chunk {
	out := make(chan *chunk)
	go func() {
		defer close(out)
		length := firstChunk
		for next := o.From.Add(o.Step); ; {
			ch := &chunk{}
			for end := next.Add(length); next.Before(o.To) && next.Before(end); next = next.Add(o.Step) {
				ch.steps = append(ch.steps, next)
			}
			if final := !next.Before(o.To); final {
				ch.steps = append(ch.steps, o.To)
			}
			n := o.read(ctx, ch)
			select {
			case out <- ch:
			case <-ctx.Done():
				return
			}
			if !ch.last().Before(o.To) {
				return
			}
			length = o.nextLength(length, n)
		}
	}()
	return out
}

// nextLength aims at chunks of chunkSamples.
func (o Options) nextLength(length time.Duration, n int) time.Duration {
	fitting := time.Duration(float64(length) * chunkSamples / float64(max(n, 1)))
	return min(max(fitting, o.Window, o.Step), max(longestChunk, o.Step), 4*length)
}

// read fills a chunk and says how many samples it holds.
func (o Options) read(ctx context.Context, ch *chunk) int {
	stretch := ch.last().Sub(ch.steps[0])
	n := 0
	take := func(f feed, names []string) error {
		st, faults, err := o.Source.Read(ctx, ch.last().Add(-f.back), stretch+f.length+f.cell, names)
		ch.faults = append(ch.faults, faults...)
		if err == nil {
			f.instances = flatten(st, f.cell, &n)
		}
		ch.feeds = append(ch.feeds, f)
		return err
	}
	ch.err = take(feed{length: o.Window}, o.Pipeline.Content.Signals.Metrics())
	for _, w := range o.windows() {
		if err := take(feed{back: w.Back, length: w.Span(o.Window), cell: w.Cell()}, w.Metrics); err != nil {
			what := "of " + w.Back.String() + " before"
			if w.Length > 0 {
				what = "over " + w.Length.String()
			}
			ch.faults = append(ch.faults, model.Fault{Source: "the past " + what, Err: err.Error()})
		}
	}
	return n
}

// windows are those that are read beside the present.
func (o Options) windows() []signals.EarlierWindow {
	return slices.DeleteFunc(slices.Clone(o.Pipeline.History().Windows()), func(w signals.EarlierWindow) bool { return w.Length == o.Window })
}

// flatten brings a store into an order of its own. A cell leaves only what counters need.
func flatten(st *samples.Store, cell time.Duration, n *int) []instance {
	out := make([]instance, 0, len(st.Instances()))
	for _, in := range st.Instances() {
		x := instance{labels: in.Labels, scrapes: in.Scrapes, failed: in.Failed}
		pick := samples.Sparse{Cell: cell.Milliseconds()}
		if cell > 0 {
			x.scrapes, x.failed = pick.Times(in.Scrapes), pick.Times(in.Failed)
		}
		for _, name := range in.Names() {
			group := slices.Clone(in.Named(name))
			slices.SortFunc(group, compareSeries)
			for _, s := range group {
				if cell > 0 {
					thin := *s
					thin.Points = pick.Thin(s.Points)
					s = &thin
				}
				x.series = append(x.series, series{s, regular(s.Points, x.scrapes)})
				*n += len(s.Points)
			}
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b instance) int { return compareLabels(a.labels, b.labels) })
	return out
}

// compareSeries puts the buckets of a histogram in order of their edges, which spares who reads them the
// sorting.
func compareSeries(a, b *samples.Series) int {
	if n := len(a.Labels); n != len(b.Labels) || a.Labels.Get("le") == "" {
		return compareLabels(a.Labels, b.Labels)
	}
	for i, x := range a.Labels {
		y := b.Labels[i]
		if x.Name == "le" && y.Name == "le" {
			continue
		}
		if c := cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value)); c != 0 {
			return c
		}
	}
	v, _ := strconv.ParseFloat(a.Labels.Get("le"), 64)
	w, _ := strconv.ParseFloat(b.Labels.Get("le"), 64)
	return cmp.Or(cmp.Compare(v, w), compareLabels(a.Labels, b.Labels))
}

func regular(ps []samples.Point, scrapes []int64) bool {
	if len(ps) != len(scrapes) {
		return false
	}
	for i, p := range ps {
		if p.T != scrapes[i] {
			return false
		}
	}
	return true
}

func compareLabels(a, b model.Labels) int {
	return slices.CompareFunc(a, b, func(x, y model.Label) int {
		return cmp.Or(strings.Compare(x.Name, y.Name), strings.Compare(x.Value, y.Value))
	})
}

// Held is a source whose samples are all in memory, such as a recording.
type Held struct{ Store *samples.Store }

// Read implements Source.
func (h Held) Read(_ context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	w := samples.Window{From: at.Add(-window).UnixMilli(), To: at.UnixMilli()}
	out := samples.NewStore()
	names = append(slices.Clone(names), "up")
	slices.Sort(names)
	for _, in := range h.Store.Instances() {
		scrapes, failed := inside(in.Scrapes, w), inside(in.Failed, w)
		if len(scrapes)+len(failed) == 0 {
			continue
		}
		part, _ := out.Instance(in.Labels)
		part.Scrapes, part.Failed = scrapes, failed
		for _, name := range slices.Compact(names) {
			for _, s := range in.Named(name) {
				if ps := w.In(s.Points); len(ps) > 0 {
					part.Ensure(s.Name, s.Labels).Points = slices.Clip(ps)
				}
			}
		}
	}
	return out, nil, nil
}

func inside(ts []int64, w samples.Window) []int64 {
	lo, _ := slices.BinarySearch(ts, w.From+1)
	hi, _ := slices.BinarySearch(ts, w.To+1)
	return slices.Clip(ts[lo:hi])
}

// Interval is the usual time between scrapes of a store's instances, the shortest of them; false where
// none was scraped twice.
func Interval(st *samples.Store) (time.Duration, bool) {
	shortest := int64(math.MaxInt64)
	for _, in := range st.Instances() {
		if ms, ok := in.Interval(samples.Window{From: math.MinInt64, To: math.MaxInt64}); ok && ms > 0 {
			shortest = min(shortest, ms)
		}
	}
	return time.Duration(shortest) * time.Millisecond, shortest < math.MaxInt64
}

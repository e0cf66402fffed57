package signals

import (
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
)

// History is the plan of the other windows that some content reads: which, and what is read of each. It is read-only and safe for concurrent use. A nil History needs nothing.
type History struct{ windows []EarlierWindow }

// EarlierWindow ends Back before the present one and has the same length, or ends with it and has a Length of
// its own.
type EarlierWindow struct {
	Back, Length time.Duration
	// Signals are the names that it gives, as content writes them: ttft_p99_s_1d_ago.
	Signals []string
	// Metrics are those that must be read of it, as exposed; `up` needs no mention.
	Metrics []string

	words string
	of    map[string]string // name -> signal
	cat   *Catalog          // reduced to what is needed
}

// Span is how much there is to read, given the length of the present window.
func (w *EarlierWindow) Span(present time.Duration) time.Duration {
	if w.Length > 0 {
		return w.Length
	}
	return present
}

// Cell is how fine a window of its own length has to be known: what is read of it may be picked by
// samples.Sparse, and it may end so much before the present. 0 for other windows, which are needed whole.
func (w *EarlierWindow) Cell() time.Duration { return w.Length / 30 }

// Earlier are the samples of another window, where the store of the present does not hold them.
type Earlier struct {
	Back, Length time.Duration
	Store        *samples.Store
	// Still is there instead of a store where the window does not move with the looks.
	Still *Still
	// PromQL is as in Request, over this store.
	PromQL func(query string, at time.Time) (map[string]float64, error)
	// Binding is kept beside a store that holds the window wanted, the metrics of the plan and nothing
	// else, by who asks again and again; nil for every other store.
	Binding *Binding
}

// History plans what must be read for the names that a content refers to; those without a time
// need nothing. The catalogue's own formulas are added.
func (c *Catalog) History(names []string) *History {
	h := &History{}
	byTime := map[[2]time.Duration]*EarlierWindow{}
	for _, n := range c.timed(names) {
		a, ok, err := c.Timed(n)
		if !ok || err != nil {
			continue // refused when the content was checked
		}
		key := [2]time.Duration{a.Back, a.Length}
		w := byTime[key]
		if w == nil {
			w = &EarlierWindow{Back: a.Back, Length: a.Length, words: words(a.Text), of: map[string]string{}}
			byTime[key] = w
		}
		w.Signals = append(w.Signals, n)
		w.of[n] = a.Signal
	}
	for _, key := range slices.SortedFunc(maps.Keys(byTime), func(a, b [2]time.Duration) int { return slices.Compare(a[:], b[:]) }) {
		w := byTime[key]
		ids := map[string]bool{}
		for _, signal := range w.of {
			maps.Copy(ids, c.closure(signal))
		}
		w.cat = c.only(ids)
		w.Metrics = w.cat.read()
		h.windows = append(h.windows, *w)
	}
	return h
}

// Windows lists the other windows: those that end at present by their length, then the earlier ones, the nearest first.
func (h *History) Windows() []EarlierWindow {
	if h == nil {
		return nil
	}
	return h.windows
}

// Retention is how long samples must be kept so that every comparison has its past; the window alone
// where there is none.
func (h *History) Retention(window time.Duration) time.Duration {
	longest := window
	for _, w := range h.Windows() {
		longest = max(longest, w.Back+w.Span(window))
	}
	return longest
}

// only is the catalogue reduced to some signals. Engines stay known, as they are what entities are.
func (c *Catalog) only(ids map[string]bool) *Catalog {
	out := *c
	out.core, out.dialects, out.formulas = nil, nil, nil
	unwanted := func(id string) bool { return !ids[id] }
	out.own = slices.DeleteFunc(slices.Clone(c.own), unwanted)
	for _, f := range c.formulas {
		if ids[f.id] {
			out.formulas = append(out.formulas, f)
		}
	}
	for _, d := range c.dialects {
		if part := d.only(c, ids); d.Kind == "engine" || len(part.Signals) > 0 {
			out.dialects = append(out.dialects, part)
		}
	}
	return &out
}

// only is a dialect reduced to some signals and those that they take their thresholds from.
func (d *dialect) only(c *Catalog, ids map[string]bool) *dialect {
	part := &dialect{Dialect: d.Dialect, matchers: d.matchers, places: map[string]int{}}
	part.Signals = map[string]SignalSource{}
	for id, src := range d.Signals {
		if !ids[id] {
			continue
		}
		part.Signals[id] = src
		if other, ok := d.Signals[src.Above]; ok {
			part.Signals[src.Above] = other
		}
	}
	part.compile(c)
	return part
}

// read lists the metrics behind the signals of a reduced catalogue, and those that tell what an
// instance is.
func (c *Catalog) read() []string {
	seen := map[string]bool{}
	if len(c.own) > 0 {
		for _, n := range c.ownMetrics {
			seen[n] = true
		}
	}
	for _, d := range c.dialects {
		for _, m := range d.Markers {
			for _, n := range spellings(m) {
				seen[n] = true
			}
		}
		for _, src := range d.Signals {
			d.metrics(src, seen)
		}
	}
	return keys(seen)
}

// metrics adds those that a signal is read from.
func (d *dialect) metrics(src SignalSource, seen map[string]bool) {
	series := []string{src.Of.S}
	for _, w := range src.While {
		series = append(series, w.Of)
	}
	for _, id := range series {
		def := d.Series[id]
		suffixes := []string{""}
		if def.kind() == "histogram" {
			suffixes = []string{"_bucket", "_sum", "_count"}
		}
		for _, name := range def.names() {
			for _, n := range spellings(name) {
				for _, suffix := range suffixes {
					seen[n+suffix] = true
				}
			}
		}
	}
}

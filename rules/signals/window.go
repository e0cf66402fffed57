package signals

import (
	"sort"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Still is a window that does not move with the looks: its frame is made by the first of them, which lets go
// of the samples, and read by the others. It is not safe for concurrent use.
type Still struct {
	at    time.Time
	store *samples.Store
	frame *model.Frame
	gone  instances
}

// NewStill takes the samples of a window that ends at a time.
func NewStill(at time.Time, st *samples.Store) *Still { return &Still{at: at, store: st} }

// when words a window for the faults of its frame.
func (w *EarlierWindow) when() string {
	if w.Length > 0 {
		return ", over " + w.words
	}
	return ", " + w.words + " ago"
}

// spanned says whether three quarters of a window at least lie between answered scrapes that are no further
// apart than a twentieth of it, or than three of the present intervals. What a counter gained over a longer
// gap is known, but not what was lost when the server was started anew in it.
func spanned(scrapes []int64, w samples.Window, interval int64) bool {
	length := w.To - w.From
	near := max(length/20, 3*interval)
	var seen int64
	lo := sort.Search(len(scrapes), func(i int) bool { return scrapes[i] > w.From })
	for i := lo + 1; i < len(scrapes) && scrapes[i] <= w.To; i++ {
		if gap := scrapes[i] - scrapes[i-1]; gap <= near {
			seen += gap
		}
	}
	return 4*seen >= 3*length
}

// present gives the signals of a window that is the frame's own: what is known of the present already, of
// the targets for which the window is covered.
func (a *assembly) present(w *EarlierWindow) {
	w.cat.Derive(a.b)
	own := samples.Window{From: a.from, To: a.to}
	give := func(id model.EntityID) {
		for _, name := range w.Signals {
			if v, ok := a.b.Get(id, w.of[name]); ok && !a.hidden(name) {
				a.b.Set(id, name, v)
			}
		}
	}
	for _, t := range a.targets {
		interval, _ := t.in.Interval(own)
		if !spanned(t.in.Scrapes, own, interval) {
			continue
		}
		give(t.id)
		for _, r := range t.ranks {
			give(r.id)
		}
	}
}

package service

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

// excerpt says which samples of the past are read.
type excerpt struct {
	at     time.Time // the window's end
	window time.Duration
	names  []string                // of metrics; nil: of all
	only   func(model.Labels) bool // picks instances; nil: all
	sparse bool                    // only what counters need, see samples.Sparse
}

// reader gives samples of the past.
type reader interface {
	Read(ctx context.Context, w excerpt) (*samples.Store, []model.Fault, error)
}

// pasts reads from several readers as from one.
type pasts struct {
	identity []string
	readers  []reader
}

// Read gives what all readers have. It fails only where none could be read.
func (p pasts) Read(ctx context.Context, w excerpt) (*samples.Store, []model.Fault, error) {
	out := samples.NewStore(p.identity...)
	var faults []model.Fault
	var first error
	read := 0
	for _, r := range p.readers {
		st, fs, err := r.Read(ctx, w)
		faults = append(faults, fs...)
		if err != nil {
			if first == nil {
				first = err
			}
			faults = append(faults, model.Fault{Source: "the past", Err: err.Error()})
			continue
		}
		out.Absorb(st)
		read++
	}
	if read == 0 && first != nil {
		return nil, faults, first
	}
	return out, faults, nil
}

// refresh is how often the other windows are read anew. They move on by as much.
const refresh = time.Minute

// history keeps the windows beside the present that the content reads. They are read beside the
// evaluations, so that a slow server delays none.
type history struct {
	plan   *signals.History
	from   reader
	window time.Duration
	own    bool // users' own signals are evaluated over it, too

	mu   sync.Mutex
	at   time.Time
	kept []signals.Earlier
	read map[time.Duration]time.Time // when the windows of a length of their own were read, by that length
}

// update reads the windows for the looks of the next minutes. Those of a length of their own move on by a
// thirtieth of it, and are not read while they stand.
func (h *history) update(ctx context.Context, at time.Time) []model.Fault {
	var kept []signals.Earlier
	var faults []model.Fault
	read := map[time.Duration]time.Time{}
	for _, w := range h.plan.Windows() {
		var e signals.Earlier
		var fs []model.Fault
		var ok bool
		switch {
		case w.Length == h.window: // the present is that
			continue
		case w.Length > 0:
			if e, ok = h.standing(w, at); ok {
				read[w.Length] = h.read[w.Length]
			} else if e, fs, ok = h.still(ctx, w, at); ok {
				read[w.Length] = at
			}
		default:
			e, fs, ok = h.moving(ctx, w, at)
		}
		if faults = append(faults, fs...); ok {
			kept = append(kept, e)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.kept, h.read = at, kept, read
	return faults
}

// standing finds a window that need not be read yet.
func (h *history) standing(w signals.EarlierWindow, at time.Time) (signals.Earlier, bool) {
	if then, ok := h.read[w.Length]; !ok || at.Before(then) || at.Sub(then) >= w.Cell() {
		return signals.Earlier{}, false
	}
	i := slices.IndexFunc(h.kept, func(e signals.Earlier) bool { return e.Length == w.Length })
	return h.kept[max(i, 0)], i >= 0
}

// still reads a window of a length of its own, that ends now.
func (h *history) still(ctx context.Context, w signals.EarlierWindow, at time.Time) (signals.Earlier, []model.Fault, bool) {
	st, faults, err := h.from.Read(ctx, excerpt{at: at, window: w.Length, names: w.Metrics, sparse: true})
	if err != nil {
		return signals.Earlier{}, faults, false
	}
	return signals.Earlier{Length: w.Length, Still: signals.NewStill(at, st)}, faults, true
}

// moving reads an earlier window, and twice the time until the next update beyond it, so that a look in
// between finds its whole window.
func (h *history) moving(ctx context.Context, w signals.EarlierWindow, at time.Time) (signals.Earlier, []model.Fault, bool) {
	st, faults, err := h.from.Read(ctx, excerpt{at: at.Add(-w.Back + 2*refresh), window: h.window + 2*refresh, names: w.Metrics})
	if err != nil {
		return signals.Earlier{}, faults, false
	}
	e := signals.Earlier{Back: w.Back, Store: st}
	if h.own {
		e.PromQL = promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance
	}
	return e, faults, true
}

// windows are the other windows for a look at a time; none where they are too old for it.
func (h *history) windows(at time.Time) []signals.Earlier {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := at.Sub(h.at); d < -refresh || d > 3*refresh {
		return nil
	}
	return h.kept
}

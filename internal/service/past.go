package service

import (
	"context"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

// reader gives samples of the past: of a window that ended at a time, of some metrics (nil: of all), and
// of the instances that only accepts (nil: of all).
type reader interface {
	Read(ctx context.Context, at time.Time, window time.Duration, names []string, only func(model.Labels) bool) (*samples.Store, []model.Fault, error)
}

// pasts reads from several readers as from one.
type pasts struct {
	identity []string
	readers  []reader
}

// Read gives what all readers have. It fails only where none could be read.
func (p pasts) Read(ctx context.Context, at time.Time, window time.Duration, names []string, only func(model.Labels) bool) (*samples.Store, []model.Fault, error) {
	out := samples.NewStore(p.identity...)
	var faults []model.Fault
	var first error
	read := 0
	for _, r := range p.readers {
		st, fs, err := r.Read(ctx, at, window, names, only)
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

// refresh is how often the earlier windows are read anew. They move on by as much.
const refresh = time.Minute

// history keeps the earlier windows that the content compares the present with. They are read beside the
// evaluations, so that a slow server delays none.
type history struct {
	plan   *signals.History
	from   reader
	window time.Duration
	own    bool // users' own signals are evaluated over it, too

	mu   sync.Mutex
	at   time.Time
	kept []signals.Earlier
}

// update reads the windows for the looks of the next minutes.
func (h *history) update(ctx context.Context, at time.Time) []model.Fault {
	var kept []signals.Earlier
	var faults []model.Fault
	for _, w := range h.plan.Windows() {
		// Twice the time until the next update, so that a look in between finds its whole window.
		st, fs, err := h.from.Read(ctx, at.Add(-w.Back+2*refresh), h.window+2*refresh, w.Metrics, nil)
		faults = append(faults, fs...)
		if err != nil {
			continue
		}
		e := signals.Earlier{Back: w.Back, Store: st}
		if h.own {
			e.PromQL = promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance
		}
		kept = append(kept, e)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at, h.kept = at, kept
	return faults
}

// windows are the earlier windows for a look at a time; none where they are too old for it.
func (h *history) windows(at time.Time) []signals.Earlier {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d := at.Sub(h.at); d < -refresh || d > 3*refresh {
		return nil
	}
	return h.kept
}

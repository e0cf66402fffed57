package replay

import (
	"context"
	"sync"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules/signals"
)

// gang looks at several steps at once. Frames and diagnoses are made side by side, each worker over a
// store of its own; judging goes through them in order of time, as the ledger is passed from one worker
// to the next.
type gang struct {
	o       Options
	workers []*worker
	ledger  *ledger
}

type worker struct {
	o        Options
	views    []*view            // the present, then the earlier windows
	bindings []*signals.Binding // beside them
	still    []*signals.Still   // likewise, of the windows that do not move with every step
}

func newGang(o Options) *gang {
	g := &gang{o: o, ledger: newLedger(o)}
	for range o.Workers {
		w := &worker{o: o}
		for range 1 + len(o.windows()) {
			w.views = append(w.views, &view{identity: o.Identity})
			w.bindings, w.still = append(w.bindings, signals.NewBinding()), append(w.still, nil)
		}
		g.workers = append(g.workers, w)
	}
	return g
}

// look goes through a chunk. What it gives is in order of time; nothing once ctx has ended.
func (g *gang) look(ctx context.Context, ch *chunk) []*look {
	out := make([]*look, len(ch.steps))
	n := len(g.workers)
	turns := make([]chan *ledger, n)
	for i := range turns {
		turns[i] = make(chan *ledger, 1)
	}
	turns[0] <- g.ledger
	var wait sync.WaitGroup
	for k, w := range g.workers {
		wait.Go(func() {
			for i, f := range ch.feeds {
				w.views[i].load(f)
			}
			for i := k; i < len(ch.steps); i += n {
				out[i] = w.frame(ch.steps[i])
				select {
				case <-ctx.Done():
					return
				case l := <-turns[k]:
					out[i].judge(l)
					turns[(k+1)%n] <- l
				}
				w.diagnose(out[i])
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return out
}

// look is what was seen at one step.
type look struct {
	at       time.Time
	frame    *model.Frame    // until it was diagnosed
	symptoms []model.Symptom // likewise
	state    engine.State
	notes    []string
	// blind says that nothing was scraped any more: there was nothing to judge.
	blind     bool
	targets   []sight
	actives   []active
	diagnoses []model.Diagnosis // for Options.Messages
}

func (w *worker) frame(at time.Time) *look {
	for i, v := range w.views {
		if moved := v.slide(at); moved && v.feed.cell > 0 {
			w.still[i] = signals.NewStill(v.end, v.store)
		}
	}
	r := w.o.Request
	r.At, r.Window, r.Binding = at, w.o.Window, w.bindings[0]
	for i, v := range w.views[1:] {
		e := signals.Earlier{Back: v.feed.back, Store: v.store, Binding: w.bindings[i+1]}
		if v.feed.cell > 0 {
			e = signals.Earlier{Length: v.feed.length, Still: w.still[i+1], Binding: w.bindings[i+1]}
		}
		if w.o.PromQL != nil && v.feed.cell == 0 {
			e.PromQL = w.o.PromQL(v.store)
		}
		r.Earlier = append(r.Earlier, e)
	}
	if w.o.PromQL != nil {
		r.PromQL = w.o.PromQL(w.views[0].store)
	}
	l := &look{at: at}
	l.frame, l.notes = w.o.Pipeline.Frame(w.views[0].store, r)
	l.blind = blind(l.frame)
	return l
}

// judge is the part that must happen in order. A frame that shows nothing new is not judged: the state
// is held, as it is while a service does not run.
func (l *look) judge(with *ledger) {
	if !l.blind {
		l.symptoms = with.judge(l.frame)
	}
	l.state = with.state
}

// diagnose boils the frame down to what is told.
func (w *worker) diagnose(l *look) {
	var ds []model.Diagnosis
	if !l.blind {
		ds = w.o.Pipeline.Engine.Diagnose(l.frame, l.symptoms)
	}
	l.summarise(ds, w.o.Pipeline.Content.Rules)
	if w.o.Messages != nil {
		l.diagnoses = ds
	}
	l.frame, l.symptoms = nil, nil
}

// blind says that no target of a frame was scraped of late.
func blind(f *model.Frame) bool {
	for _, x := range f.Entities.All() {
		if x.Scope == model.ScopeTarget && !unseen(f, x.ID) {
			return false
		}
	}
	return true
}

// unseen says that three scrapes or more are missing: neither answered nor failed, they did not happen.
func unseen(f *model.Frame, id model.EntityID) bool {
	s := f.Span(id)
	if down, ok := f.Get(id, "down"); ok && down.V > 0 && s.Failed > 0 {
		return false
	}
	if s.Scrapes == 0 {
		return true
	}
	interval := f.Window / 5
	if s.Scrapes > 1 {
		interval = s.Observed() / time.Duration(s.Scrapes-1)
	}
	return f.At.Sub(s.Last) > max(3*interval, 5*time.Second)
}

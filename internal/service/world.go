package service

import (
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/rules/signals"
)

// world is what is known of the present: the samples of the longest window, from all sources. Who reads
// or writes them holds its lock; a frame needs it until nothing asks for trends any more.
type world struct {
	sync.Mutex

	identity []string
	samples  *samples.Store
	binding  *signals.Binding
	resets   int
}

func newWorld(identity []string) *world {
	w := &world{identity: identity}
	w.clear()
	return w
}

// clear forgets everything. Who holds on to parts of the old store sees by resets that it is gone.
func (w *world) clear() {
	w.samples, w.binding = samples.NewStore(w.identity...), signals.NewBinding()
	w.resets++
}

// forget drops what no window reaches any more.
func (w *world) forget(at time.Time, keep time.Duration) {
	w.Lock()
	defer w.Unlock()
	w.samples.Forget(at.Add(-keep).UnixMilli())
}

// Do implements scrape.Store.
func (w *world) Do(f func(st *samples.Store, generation int)) {
	w.Lock()
	defer w.Unlock()
	f(w.samples, w.resets)
}

package service

import (
	"runtime"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/source/scrape"
)

// A server that is sick and well by turns must leave nothing behind: neither samples nor goroutines nor
// what is remembered of problems.
func TestFault48FlappingLeavesMemoryAndGoroutinesFlat(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nreceivers: [{name: r, webhook: {url: 'http://127.0.0.1:1'}}]\n")
	var turns []string
	for range 40 {
		turns = append(turns, "seqs8-c64", "base-c64")
	}
	f := &feeder{w: w, p: acts(t, t0, 15*time.Minute, turns...), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	measure := func() (heap uint64, goroutines int) {
		w.world.forget(w.wall, w.parts.Load().window)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapInuse, runtime.NumGoroutine()
	}
	live := func(d time.Duration) {
		for end := w.wall.Add(d); w.wall.Before(end); {
			f.live(5 * time.Minute)
			w.world.forget(w.wall, w.parts.Load().window)
		}
	}
	live(2 * time.Hour)
	heap, goroutines := measure()
	live(8 * time.Hour)
	heapLater, goroutinesLater := measure()
	// The archive holds two hours in memory and grows for three; a sample is a byte or two there.
	if heapLater > heap+heap/2+8<<20 || goroutinesLater > goroutines+5 {
		t.Errorf("after 2 h %d MiB and %d goroutines, after 10 h %d MiB and %d", heap>>20, goroutines, heapLater>>20, goroutinesLater)
	}
	if n := len(w.mind.sent); n > 4 {
		t.Errorf("%d rows of messages are remembered", n)
	}
	t.Logf("%d MiB, then %d MiB", heap>>20, heapLater>>20)
}

package otlp

import (
	"errors"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrFull says that a batch has more spans than may be kept at all: the sender should send fewer at once.
var ErrFull = errors.New("too many spans are kept at once")

// Limits bound what a Window keeps.
type Limits struct {
	// Span is how long a request is kept after its span arrived.
	Span time.Duration
	// PerSender is how many requests are kept of a sender, and eight times as many spans below them: with more, the oldest
	// leave early.
	PerSender int
	// Total is how many spans, of 200 bytes each, and Senders how many senders are kept in all.
	Total, Senders int
}

// Taken says what became of the spans of a batch, each counted once.
type Taken struct {
	// Kept are those of requests and their parts, Twice came before, Other are about no request of an inference server.
	Kept, Twice, Other int
	// Evicted requests, kept before, had to leave before their time; Strangers came from more senders than are kept.
	Evicted, Strangers int
}

// Window keeps the requests that arrived lately. It is safe for concurrent use.
type Window struct {
	mu      sync.Mutex
	limits  Limits
	senders map[string]*kept
	known   map[spanKey]bool
	total   int
	last    time.Time
}

// kept is what is kept of a sender, in the order of arrival.
type kept struct {
	Sender

	requests []arrived[request]
	pieces   []arrived[piece]
	heard    time.Time
	evicted  time.Time // when a request had to leave early for the last time
}

type arrived[T any] struct {
	span T
	at   int64 // Unix nanoseconds
}

// NewWindow keeps nothing yet.
func NewWindow(l Limits) *Window {
	return &Window{limits: l, senders: map[string]*kept{}, known: map[spanKey]bool{}}
}

// Limit sets other limits; what is beyond them leaves with what comes next.
func (w *Window) Limit(l Limits) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limits = l
}

// Clear forgets everything.
func (w *Window) Clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.senders, w.known, w.total = map[string]*kept{}, map[spanKey]bool{}, 0
}

// Len is how many spans are kept.
func (w *Window) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}

// Add keeps what a message holds that arrived at a time. peer is the address of who sent it, where that is a server itself.
// On ErrFull nothing was kept.
func (w *Window) Add(b *Batch, peer string, at time.Time) (Taken, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slide(at)
	t := Taken{Other: b.Others}
	if n := b.Size(); n > w.limits.Total {
		return Taken{}, ErrFull
	} else if n > 0 {
		w.room(n, at, &t)
	}
	for _, key := range slices.Sorted(maps.Keys(b.groups)) {
		g := b.groups[key]
		g.Peer = peer
		k := w.senders[g.key()]
		if k == nil && len(w.senders) >= w.limits.Senders {
			t.Strangers += len(g.requests) + len(g.pieces)
			continue
		}
		if k == nil {
			k = &kept{Sender: g.Sender}
			w.senders[g.key()] = k
		}
		k.heard = at
		w.take(k, g, at, &t)
	}
	return t, nil
}

// room makes some for spans to come, at the cost of the sender of which most is kept: one that sends much must not keep others from
// being heard.
func (w *Window) room(n int, at time.Time, t *Taken) {
	for w.total+n > w.limits.Total {
		var most *kept
		for _, key := range slices.Sorted(maps.Keys(w.senders)) {
			if k := w.senders[key]; most == nil || len(k.requests)+len(k.pieces) > len(most.requests)+len(most.pieces) {
				most = k
			}
		}
		was := w.total
		w.drop(most, (len(most.requests)+7)/8)
		w.cut(most, (len(most.pieces)+7)/8)
		most.evicted = at
		t.Evicted += was - w.total
	}
}

func (w *Window) take(k *kept, g *group, at time.Time, t *Taken) {
	now := at.UnixNano()
	for _, r := range g.requests {
		key := spanKey{r.trace, r.span}
		if r.span != (spanID{}) {
			if w.known[key] {
				t.Twice++
				continue
			}
			w.known[key] = true
		}
		k.requests = append(k.requests, arrived[request]{r, now})
		w.total++
		t.Kept++
	}
	for _, p := range g.pieces {
		k.pieces = append(k.pieces, arrived[piece]{p, now})
		w.total++
		t.Kept++
	}
	if n := len(k.requests) - w.limits.PerSender; n > 0 {
		w.drop(k, n)
		k.evicted = at
		t.Evicted += n
	}
	if n := len(k.pieces) - stagesOf*w.limits.PerSender; n > 0 {
		w.cut(k, n)
		k.evicted = at
		t.Evicted += n
	}
}

// drop forgets the oldest requests of a sender.
func (w *Window) drop(k *kept, n int) {
	for _, r := range k.requests[:n] {
		delete(w.known, spanKey{r.span.trace, r.span.span})
	}
	k.requests = slices.Delete(k.requests, 0, n)
	w.total -= n
}

// cut forgets the oldest spans below a sender's requests.
func (w *Window) cut(k *kept, n int) {
	k.pieces = slices.Delete(k.pieces, 0, n)
	w.total -= n
}

// slide drops what left the window. A clock that was set back keeps what it was; one that jumped ahead drops it.
func (w *Window) slide(at time.Time) {
	if at.Sub(w.last).Abs() < time.Second {
		return
	}
	w.last = at
	from := at.Add(-w.limits.Span).UnixNano()
	for key, k := range w.senders {
		w.drop(k, before(k.requests, from))
		w.cut(k, before(k.pieces, from))
		if len(k.requests)+len(k.pieces) == 0 && at.Sub(k.heard) > w.limits.Span {
			delete(w.senders, key)
		}
		k.requests, k.pieces = shrunk(k.requests), shrunk(k.pieces)
	}
}

// shrunk gives back memory that a rush needed.
func shrunk[T any](all []T) []T {
	if cap(all) > 1024 && len(all) < cap(all)/4 {
		return slices.Clip(slices.Clone(all))
	}
	return all
}

// before counts what arrived up to a time.
func before[T any](all []arrived[T], from int64) int {
	n := 0
	for n < len(all) && all[n].at <= from {
		n++
	}
	return n
}

// View is what was kept of a time, by target. targets are all that are watched, with all of their labels.
func (w *Window) View(m Matcher, targets []map[string]string, from, to time.Time) *View {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.slide(to)
	v := newView(targets)
	for _, key := range slices.Sorted(maps.Keys(w.senders)) {
		k := w.senders[key]
		recent, late := onTime(k.requests, to.Sub(from))
		rs, ps := within(recent, from, to), within(k.pieces, from, to)
		if len(rs)+len(ps) > 0 {
			v.add(m, k.Sender, rs, ps, k.evicted.After(from), late)
		}
	}
	v.finish()
	return v
}

// within copies what arrived in (from, to].
func within[T any](all []arrived[T], from, to time.Time) []T {
	var out []T
	for _, x := range all[before(all, from.UnixNano()):] {
		if x.at <= to.UnixNano() {
			out = append(out, x.span)
		}
	}
	return out
}

// nobody is the server of requests that fit no target.
const nobody = math.MaxUint32

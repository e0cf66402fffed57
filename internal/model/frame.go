package model

import (
	"iter"
	"maps"
	"strconv"
	"time"
)

// SignalID is a canonical quantity of the catalogue, with its unit in the name: ttft_p99_s.
type SignalID = string

// Fault is a source that failed. It is a finding, not an error: the rest of the frame stands.
type Fault struct {
	Source string // what was read: a URL, a file, a query
	Err    string // what happened, ready for the user
}

// Fact is something read outside the metrics' numbers: a launch flag, a log line, a label's text.
type Fact struct {
	// Text is the value as written; Num and IsNum hold it as a number where it is one
	// (booleans are 1 and 0).
	Text  string
	Num   float64
	IsNum bool
	// From says where it was read: "args", "log", "metric label", "default of 0.25", "inferred".
	From string
	// Explicit is true when the operator set it, false for defaults and inferences.
	Explicit bool
	// Inferred marks a value deduced from behaviour (a cap from its plateau).
	Inferred bool
}

// Measured is the fact of a number that was measured or counted.
func Measured(v float64, from string) Fact {
	return Fact{Text: strconv.FormatFloat(v, 'f', -1, 64), Num: v, IsNum: true, From: from}
}

// Missing is a signal that could not be seen, and how to get it exported.
type Missing struct {
	Signal string `json:"signal"`
	Needs  string `json:"needs"`
}

// Point is one sample of a trend.
type Point struct {
	T time.Time
	V float64
}

// Span is how much of an entity was really observed inside the window.
type Span struct {
	First, Last time.Time // first and last answered scrape
	Scrapes     int       // answered scrapes
	Failed      int       // scrapes that failed
}

// Observed is the time between the first and the last answered scrape.
func (s Span) Observed() time.Duration {
	if s.Scrapes < 2 {
		return 0
	}
	return s.Last.Sub(s.First)
}

// Frame is everything known at one instant, for all entities. It is built once by a FrameBuilder
// and never changed afterwards.
type Frame struct {
	At       time.Time
	Window   time.Duration
	Entities *Entities
	Faults   []Fault

	slots   map[SignalID]Slot
	columns [][]cell        // by slot; nil when no entity has the signal
	details []detail        // by entity
	told    map[string]bool // names of facts that some entity has
	trends  func(EntityID, SignalID) []Point
}

// WithoutTrends is the frame to keep: it does not hold on to what it was made from.
func (f *Frame) WithoutTrends() *Frame {
	out, es := *f, *f.Entities // the entities may lie inside their maker
	out.trends, out.Entities = nil, &es
	return &out
}

// Slot is where a frame keeps a signal: asking by slot many times costs less than asking by name.
// A slot is good for the frame that gave it.
type Slot int

// NoSlot is where a frame keeps what no entity has.
const NoSlot Slot = -1

// cell is a value without pointers, so that the garbage collector passes a frame's columns by.
type cell struct {
	v, n, most float64
	how        uint8 // 1 + Bound, 0 when not seen
}

// detail is what is known of one entity beside its signals.
type detail struct {
	facts, shared map[string]Fact // shared are facts of many entities, as defaults of a version
	missing       []Missing
	trends        map[SignalID][]Point
	span          Span
}

// Get returns a signal of an entity; false means that it was not seen.
func (f *Frame) Get(id EntityID, s SignalID) (Value, bool) { return f.In(f.Slot(s), id) }

// Slot finds a signal's slot, NoSlot when no entity has the signal.
func (f *Frame) Slot(s SignalID) Slot {
	if at, ok := f.slots[s]; ok {
		return at
	}
	return NoSlot
}

// In is Get by slot.
func (f *Frame) In(at Slot, id EntityID) (Value, bool) {
	if at < 0 || int(id) >= len(f.columns[at]) {
		return Value{}, false
	}
	c := &f.columns[at][id]
	if c.how == 0 {
		return Value{}, false
	}
	return Value{V: c.v, N: c.n, Most: c.most, Bound: Bound(c.how - 1)}, true
}

// Fact returns a fact of an entity, looking at its parents when it has none of its own.
func (f *Frame) Fact(id EntityID, name string) (Fact, bool) {
	for id != NoEntity {
		if int(id) < len(f.details) {
			d := &f.details[id]
			if x, ok := d.facts[name]; ok {
				return x, true
			}
			if x, ok := d.shared[name]; ok {
				return x, true
			}
		}
		id = f.Entities.list[id].Parent
	}
	return Fact{}, false
}

// Facts returns a copy of the facts of one entity by name.
func (f *Frame) Facts(id EntityID) map[string]Fact {
	return maps.Collect(f.AllFacts(id))
}

// AllFacts goes through the facts of one entity, in no order.
func (f *Frame) AllFacts(id EntityID) iter.Seq2[string, Fact] {
	d := f.detail(id)
	return func(yield func(string, Fact) bool) {
		for name, x := range d.facts {
			if !yield(name, x) {
				return
			}
		}
		for name, x := range d.shared {
			if _, own := d.facts[name]; !own && !yield(name, x) {
				return
			}
		}
	}
}

// Told says whether any entity has a fact of that name.
func (f *Frame) Told(name string) bool { return f.told[name] }

func (f *Frame) detail(id EntityID) detail {
	if int(id) < len(f.details) {
		return f.details[id]
	}
	return detail{}
}

// Missing lists what could not be seen of an entity.
func (f *Frame) Missing(id EntityID) []Missing { return f.detail(id).missing }

// Trend returns the samples of a signal inside the window, oldest first; nil when not kept. It may be
// computed when asked for: see FrameBuilder.TrendsFrom.
func (f *Frame) Trend(id EntityID, s SignalID) []Point {
	if ps, ok := f.detail(id).trends[s]; ok || f.trends == nil {
		return ps
	}
	return f.trends(id, s)
}

// Span says how much of an entity was observed.
func (f *Frame) Span(id EntityID) Span { return f.detail(id).span }

// Signals lists the ids that at least one entity has, in no order.
func (f *Frame) Signals() []SignalID {
	out := make([]SignalID, 0, len(f.columns))
	for s, at := range f.slots {
		if f.columns[at] != nil {
			out = append(out, s)
		}
	}
	return out
}

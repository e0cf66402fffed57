package model

import (
	"maps"
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

	columns map[SignalID][]cell
	facts   map[EntityID]map[string]Fact
	shared  map[EntityID]map[string]Fact // facts of many entities, as defaults of a version
	missing map[EntityID][]Missing
	trends  map[EntityID]map[SignalID][]Point
	spans   map[EntityID]Span
}

type cell struct {
	Value
	seen bool
}

// Get returns a signal of an entity; false means that it was not seen.
func (f *Frame) Get(id EntityID, s SignalID) (Value, bool) {
	col := f.columns[s]
	if int(id) >= len(col) || !col[id].seen {
		return Value{}, false
	}
	return col[id].Value, true
}

// Fact returns a fact of an entity, looking at its parents when it has none of its own.
func (f *Frame) Fact(id EntityID, name string) (Fact, bool) {
	for id != NoEntity {
		if x, ok := f.facts[id][name]; ok {
			return x, true
		}
		if x, ok := f.shared[id][name]; ok {
			return x, true
		}
		id = f.Entities.Get(id).Parent
	}
	return Fact{}, false
}

// Facts returns a copy of the facts of one entity by name.
func (f *Frame) Facts(id EntityID) map[string]Fact {
	out := maps.Clone(f.shared[id])
	if out == nil {
		out = map[string]Fact{}
	}
	maps.Copy(out, f.facts[id])
	return out
}

// Missing lists what could not be seen of an entity.
func (f *Frame) Missing(id EntityID) []Missing { return f.missing[id] }

// Trend returns the samples of a signal inside the window, oldest first; nil when not kept.
func (f *Frame) Trend(id EntityID, s SignalID) []Point { return f.trends[id][s] }

// Span says how much of an entity was observed.
func (f *Frame) Span(id EntityID) Span { return f.spans[id] }

// Signals lists the ids that at least one entity has, in no order.
func (f *Frame) Signals() []SignalID {
	out := make([]SignalID, 0, len(f.columns))
	for s := range f.columns {
		out = append(out, s)
	}
	return out
}

package model

import (
	"math"
	"time"
)

// FrameBuilder collects a frame. It is not safe for concurrent use.
type FrameBuilder struct{ f *Frame }

// NewFrame starts a frame over the given entities.
func NewFrame(at time.Time, window time.Duration, es *Entities) *FrameBuilder {
	return &FrameBuilder{f: &Frame{
		At: at, Window: window, Entities: es,
		columns: map[SignalID][]cell{},
		facts:   map[EntityID]map[string]Fact{},
		shared:  map[EntityID]map[string]Fact{},
		missing: map[EntityID][]Missing{},
		trends:  map[EntityID]map[SignalID][]Point{},
		spans:   map[EntityID]Span{},
	}}
}

// Set records a value. NaN and infinities are dropped: they are not values.
func (b *FrameBuilder) Set(id EntityID, s SignalID, v Value) {
	if math.IsNaN(v.V) || math.IsInf(v.V, 0) {
		return
	}
	col := b.f.columns[s]
	if len(col) < b.f.Entities.Len() {
		col = append(col, make([]cell, b.f.Entities.Len()-len(col))...)
		b.f.columns[s] = col
	}
	col[id] = cell{v, true}
}

// Get reads back what was set so far.
func (b *FrameBuilder) Get(id EntityID, s SignalID) (Value, bool) { return b.f.Get(id, s) }

// Fact reads back a fact set so far.
func (b *FrameBuilder) Fact(id EntityID, name string) (Fact, bool) { return b.f.Fact(id, name) }

// SetFact records a fact, replacing an earlier one of that name.
func (b *FrameBuilder) SetFact(id EntityID, name string, x Fact) {
	m := b.f.facts[id]
	if m == nil {
		m = map[string]Fact{}
		b.f.facts[id] = m
	}
	m[name] = x
}

// SetFacts gives an entity its own facts and those it shares with others; own ones win. Neither map
// may be changed afterwards.
func (b *FrameBuilder) SetFacts(id EntityID, own, shared map[string]Fact) {
	b.f.facts[id], b.f.shared[id] = own, shared
}

// SetMissing lists what an entity lacks.
func (b *FrameBuilder) SetMissing(id EntityID, m []Missing) { b.f.missing[id] = m }

// SetTrend keeps the samples of a signal for charts and onset.
func (b *FrameBuilder) SetTrend(id EntityID, s SignalID, ps []Point) {
	m := b.f.trends[id]
	if m == nil {
		m = map[SignalID][]Point{}
		b.f.trends[id] = m
	}
	m[s] = ps
}

// SetSpan records how much of an entity was observed.
func (b *FrameBuilder) SetSpan(id EntityID, s Span) { b.f.spans[id] = s }

// AddFault records a source that failed.
func (b *FrameBuilder) AddFault(x Fault) { b.f.Faults = append(b.f.Faults, x) }

// Entities gives the entities of the frame being built.
func (b *FrameBuilder) Entities() *Entities { return b.f.Entities }

// Frame returns the finished frame; the builder must not be used afterwards.
func (b *FrameBuilder) Frame() *Frame { return b.f }

package model

import (
	"math"
	"reflect"
	"time"
)

// FrameBuilder collects a frame. It is not safe for concurrent use.
type FrameBuilder struct {
	f      *Frame
	shared map[uintptr]bool // maps of shared facts whose names are noted
}

// NewFrame starts a frame over the given entities.
func NewFrame(at time.Time, window time.Duration, es *Entities) *FrameBuilder {
	return &FrameBuilder{
		f:      &Frame{At: at, Window: window, Entities: es, slots: map[SignalID]Slot{}, told: map[string]bool{}},
		shared: map[uintptr]bool{},
	}
}

// Slot finds or makes the slot of a signal.
func (b *FrameBuilder) Slot(s SignalID) Slot {
	at, ok := b.f.slots[s]
	if !ok {
		at = Slot(len(b.f.columns))
		b.f.slots[s] = at
		b.f.columns = append(b.f.columns, nil)
	}
	return at
}

// Set records a value. NaN and infinities are dropped: they are not values.
func (b *FrameBuilder) Set(id EntityID, s SignalID, v Value) { b.Put(b.Slot(s), id, v) }

// Put is Set by slot.
func (b *FrameBuilder) Put(at Slot, id EntityID, v Value) {
	if math.IsNaN(v.V) || math.IsInf(v.V, 0) {
		return
	}
	col := b.f.columns[at]
	if n := b.f.Entities.Len(); len(col) < n {
		col = append(make([]cell, 0, n), col...)[:n]
		b.f.columns[at] = col
	}
	col[id] = cell{v: v.V, n: v.N, most: v.Most, how: uint8(v.Bound) + 1}
}

// In reads back by slot what was set so far.
func (b *FrameBuilder) In(at Slot, id EntityID) (Value, bool) { return b.f.In(at, id) }

// Get reads back what was set so far.
func (b *FrameBuilder) Get(id EntityID, s SignalID) (Value, bool) { return b.f.Get(id, s) }

// Fact reads back a fact set so far.
func (b *FrameBuilder) Fact(id EntityID, name string) (Fact, bool) { return b.f.Fact(id, name) }

// SetFact records a fact, replacing an earlier one of that name.
func (b *FrameBuilder) SetFact(id EntityID, name string, x Fact) {
	d := b.detail(id)
	if d.facts == nil {
		d.facts = map[string]Fact{}
	}
	d.facts[name] = x
	b.f.told[name] = true
}

// SetFacts gives an entity its own facts and those it shares with others; own ones win. Neither map
// may be changed afterwards.
func (b *FrameBuilder) SetFacts(id EntityID, own, shared map[string]Fact) {
	d := b.detail(id)
	d.facts, d.shared = own, shared
	for name := range own {
		b.f.told[name] = true
	}
	if at := reflect.ValueOf(shared).Pointer(); !b.shared[at] { // few maps for many entities
		b.shared[at] = true
		for name := range shared {
			b.f.told[name] = true
		}
	}
}

// SetMissing lists what an entity lacks.
func (b *FrameBuilder) SetMissing(id EntityID, m []Missing) { b.detail(id).missing = m }

// SetTrend keeps the samples of a signal for charts and onset.
func (b *FrameBuilder) SetTrend(id EntityID, s SignalID, ps []Point) {
	d := b.detail(id)
	if d.trends == nil {
		d.trends = map[SignalID][]Point{}
	}
	d.trends[s] = ps
}

// TrendsFrom computes the trends that were not set when they are asked for, as few ever are. What
// they are computed from must not change as long as the frame is in use.
func (b *FrameBuilder) TrendsFrom(trends func(EntityID, SignalID) []Point) { b.f.trends = trends }

// SetSpan records how much of an entity was observed.
func (b *FrameBuilder) SetSpan(id EntityID, s Span) { b.detail(id).span = s }

func (b *FrameBuilder) detail(id EntityID) *detail {
	if n := b.f.Entities.Len(); len(b.f.details) < n {
		b.f.details = append(make([]detail, 0, n), b.f.details...)[:n]
	}
	return &b.f.details[id]
}

// AddFault records a source that failed.
func (b *FrameBuilder) AddFault(x Fault) { b.f.Faults = append(b.f.Faults, x) }

// Entities gives the entities of the frame being built.
func (b *FrameBuilder) Entities() *Entities { return b.f.Entities }

// Frame returns the finished frame; the builder must not be used afterwards.
func (b *FrameBuilder) Frame() *Frame { return b.f }

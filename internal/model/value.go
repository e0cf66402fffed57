// Package model holds the words of a diagnosis: values, entities, frames and the diagnosis itself.
// It is pure: no I/O, no clock.
package model

// Bound says how a value relates to the truth.
type Bound uint8

// The three bounds. A quantile that falls into a histogram's first bucket is AtMost that bucket's
// upper edge, one that falls into the +Inf bucket is AtLeast the last finite edge.
const (
	Exact Bound = iota
	AtMost
	AtLeast
)

// String gives the word used in the JSON contract.
func (b Bound) String() string {
	switch b {
	case AtMost:
		return "at_most"
	case AtLeast:
		return "at_least"
	default:
		return "exact"
	}
}

// MarshalText implements encoding.TextMarshaler.
func (b Bound) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// Value is a known quantity. V is never NaN: what was not seen is absent from the frame instead.
// N is the number of observations behind a quantile or mean, 0 where that has no meaning.
type Value struct {
	V     float64
	Bound Bound
	N     float64
	// Most is the upper end of a value that is AtLeast V, where one is known; 0 when none is.
	Most float64
}

// Known wraps an exact number.
func Known(v float64) Value { return Value{V: v} }

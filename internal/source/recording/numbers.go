package recording

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/prometheus/prometheus/model/value"
)

// view lends bytes as a string for a call that does not keep it.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parseValue reads a sample's value as textparse does: no hex floats, no underscores, one kind of
// NaN (Prometheus's staleness marker is another and cannot be written in text).
func parseValue(b []byte) (float64, error) {
	if len(b) == 0 || bytes.ContainsAny(b, "pP_") {
		return 0, fmt.Errorf("bad value %s", excerpt(b))
	}
	v, err := strconv.ParseFloat(view(b), 64)
	if err != nil {
		return 0, fmt.Errorf("bad value %s", excerpt(b))
	}
	if math.IsNaN(v) {
		v = math.Float64frombits(value.NormalNaN)
	}
	return v, nil
}

// parseTime reads seconds as milliseconds. Decimals are read exactly: by way of a float, as
// textparse does it, 1.001 may lose its millisecond.
func parseTime(b []byte) (int64, bool) {
	digits := b
	if len(digits) > 0 && digits[0] == '-' {
		digits = digits[1:]
	}
	var ms int64
	decimals := -1 // digits after the dot; -1 before it
	for i, c := range digits {
		switch {
		case c == '.' && decimals < 0 && i > 0:
			decimals = 0
		case c < '0' || c > '9' || i > 14 || decimals == 3:
			return roundTime(b)
		default:
			ms = ms*10 + int64(c-'0')
			if decimals >= 0 {
				decimals++
			}
		}
	}
	if len(digits) == 0 {
		return 0, false
	}
	for i := max(decimals, 0); i < 3; i++ {
		ms *= 10
	}
	if len(digits) != len(b) {
		ms = -ms
	}
	return ms, true
}

// roundTime reads the rarer forms: exponents, more than three decimals.
func roundTime(b []byte) (int64, bool) {
	v, err := parseValue(b)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1e15 {
		return 0, false
	}
	return int64(math.Round(v * 1000)), true
}

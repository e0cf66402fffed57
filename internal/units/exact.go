package units

import "github.com/inferdx/inferdx/internal/model"

// Seconds writes an exact time: "5.1 ms".
func Seconds(v float64) string { return Format(v, "s", model.Exact) }

// Percent writes an exact ratio: "97 %".
func Percent(v float64) string { return Format(v, "ratio", model.Exact) }

// Bytes writes an exact number of bytes: "656 MiB".
func Bytes(n int64) string { return Format(float64(n), "bytes", model.Exact) }

// Count writes an exact number of things, in groups of three digits: "9,563".
func Count[N int | int64 | float64](n N) string { return Format(float64(n), "count", model.Exact) }

package units_test

import (
	"math"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

func TestQuantitiesReadAsPeopleSayThem(t *testing.T) {
	type q struct {
		v    float64
		unit string
		b    model.Bound
	}
	for _, c := range []struct {
		name string
		in   q
		want string
	}{
		{"seconds", q{8.43, "s", model.Exact}, "8.4 s"},
		{"whole seconds keep their precision", q{8, "s", model.Exact}, "8.0 s"},
		{"tens of seconds", q{12.7, "s", model.Exact}, "13 s"},
		{"hundreds of seconds", q{163.4, "s", model.Exact}, "163 s"},
		{"part of a second", q{0.381, "s", model.Exact}, "0.38 s"},
		{"small seconds", q{0.013, "s", model.Exact}, "13 ms"},
		{"milliseconds keep two digits", q{0.005, "s", model.Exact}, "5.0 ms"},
		{"rounding up to the next unit", q{0.0996, "s", model.Exact}, "0.10 s"},
		{"rounding up a digit", q{9.96, "s", model.Exact}, "10 s"},
		{"microseconds", q{0.00004, "s", model.Exact}, "40 µs"},
		{"long times", q{754, "s", model.Exact}, "12 min 34 s"},
		{"no time at all", q{0, "s", model.Exact}, "0 s"},
		{"an improvement", q{-2.5, "s", model.Exact}, "-2.5 s"},
		{"milliseconds", q{13.2, "ms", model.Exact}, "13 ms"},
		{"many milliseconds", q{8430, "ms", model.Exact}, "8.4 s"},
		{"the first bucket", q{0.3, "s", model.AtMost}, "below 0.3 s"},
		{"a bucket's odd edge", q{0.075, "s", model.AtMost}, "below 75 ms"},
		{"the last bucket", q{160, "s", model.AtLeast}, "above 160 s"},
		{"an edge of three digits", q{2.56, "s", model.AtLeast}, "above 2.56 s"},
		{"an edge of four digits", q{2560, "s", model.AtLeast}, "above 42 min 40 s"},
		{"a ratio", q{0.968, "ratio", model.Exact}, "97 %"},
		{"nearly full is not full", q{0.9973, "ratio", model.Exact}, "99.7 %"},
		{"full", q{1, "ratio", model.Exact}, "100 %"},
		{"more than full", q{1.304, "ratio", model.Exact}, "130 %"},
		{"few percent", q{0.0112, "ratio", model.Exact}, "1.1 %"},
		{"five percent", q{0.05, "ratio", model.Exact}, "5 %"},
		{"no percent", q{0, "ratio", model.Exact}, "0 %"},
		{"requests", q{53, "requests", model.Exact}, "53"},
		{"a mean of requests", q{7.48, "requests", model.Exact}, "7.5"},
		{"tokens", q{131072, "tokens", model.Exact}, "131,072"},
		{"a mean of tokens", q{3900.4, "tokens", model.Exact}, "3,900"},
		{"token rate", q{4612, "tokens/s", model.Exact}, "4,610 tokens/s"},
		{"request rate", q{3.14, "requests/s", model.Exact}, "3.1 requests/s"},
		{"a broken number of seconds", q{1e20, "s", model.Exact}, "1e+20 s"},
		{"a broken number of seconds below 0", q{-1e300, "s", model.Exact}, "-1e+300 s"},
		{"one request a second", q{1.04, "requests/s", model.Exact}, "1 request/s"},
		{"memory", q{640, "MiB", model.Exact}, "640 MiB"},
		{"much memory", q{4608, "MiB", model.Exact}, "4.5 GiB"},
		{"memory of a card", q{141, "GiB", model.Exact}, "141 GiB"},
		{"little of a big unit", q{0.25, "GiB", model.Exact}, "256 MiB"},
		{"bytes", q{1 << 30, "bytes", model.Exact}, "1 GiB"},
		{"clock", q{1980, "MHz", model.Exact}, "1,980 MHz"},
		{"power", q{699.6, "W", model.Exact}, "700 W"},
		{"temperature", q{81, "C", model.Exact}, "81 °C"},
		{"cores", q{1.85, "cores", model.Exact}, "1.9"},
		{"a count", q{1000, "count", model.Exact}, "1,000"},
		{"a unit of the user's", q{12.34, "wombats", model.Exact}, "12 wombats"},
		{"not a number", q{math.NaN(), "s", model.Exact}, "unknown"},
		{"infinite", q{math.Inf(1), "s", model.AtLeast}, "unknown"},
	} {
		if got := units.Format(c.in.v, c.in.unit, c.in.b); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDurationsHaveAtMostTwoParts(t *testing.T) {
	for _, c := range []struct {
		in   time.Duration
		want string
	}{
		{34*time.Second + 200*time.Millisecond, "34 s"},
		{5 * time.Minute, "5 min"},
		{260 * time.Second, "4 min 20 s"},
		{125 * time.Minute, "2 h 5 min"},
		{73 * time.Hour, "3 d 1 h"},
		{0, "0 s"},
	} {
		if got := units.Duration(c.in); got != c.want {
			t.Errorf("%v: got %q, want %q", c.in, got, c.want)
		}
	}
}

func TestEveryNumberCanBeWritten(t *testing.T) {
	for _, unit := range []string{"s", "ms", "ratio", "requests", "bytes", "MiB", "GiB", "C", "W", "tokens/s", ""} {
		for _, v := range []float64{0, 1e-320, 1e19, 1e300, math.MaxFloat64, math.Inf(1), math.NaN()} {
			for _, x := range []float64{v, -v} {
				if units.Format(x, unit, model.Exact) == "" {
					t.Errorf("%g %s is written as nothing", x, unit)
				}
			}
		}
	}
	_ = units.Duration(math.MinInt64)
}

// Package units writes quantities the way people say them. It is pure.
package units

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Format writes a value with its unit: "8.4 s", "13 ms", "97 %", "below 0.3 s" when it is at most,
// "above 160 s" when it is at least. Counted things (requests, tokens, count, cores) are bare numbers,
// because the sentence around them names them and gets their plural right; an unknown unit is
// written as it is. A value that is no number is "unknown".
func Format(v float64, unit string, b model.Bound) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "unknown"
	}
	exact := b == model.Exact
	var s string
	switch unit {
	case "s":
		s = seconds(v, exact)
	case "ms":
		s = seconds(v/1000, exact)
	case "ratio":
		s = percent(v) + " %"
	case "requests", "tokens", "count", "cores", "":
		s = number(v)
	case "bytes":
		s = binary(v, 0)
	case "MiB":
		s = binary(v, 2)
	case "GiB":
		s = binary(v, 3)
	case "C":
		s = number(v) + " °C"
	case "MHz", "W":
		s = grouped(math.Round(v)) + " " + unit
	default: // tokens/s, requests/s and whatever a user's own signal is measured in
		s = number(significant(v, 3))
		if s == "1" {
			unit = strings.Replace(unit, "s/s", "/s", 1) // 1 request/s
		}
		s += " " + unit
	}
	switch b {
	case model.AtMost:
		return bound(unit, "at most ", "below ") + s
	case model.AtLeast:
		return bound(unit, "at least ", "above ") + s
	default:
		return s
	}
}

// bound picks the words for a bound: things are counted, everything else is measured.
func bound(unit, counted, measured string) string {
	switch unit {
	case "requests", "tokens", "count", "cores", "":
		return counted
	}
	return measured
}

// Duration writes a span of time in at most two whole parts: "34 s", "4 min 20 s", "2 h 5 min", "3 d".
func Duration(d time.Duration) string {
	d = max(d.Round(time.Second), -longest) // the least value has no negative
	if d < 0 {
		return "-" + Duration(-d)
	}
	day := 24 * time.Hour
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return parts(int(d/time.Minute), "min", int(d%time.Minute/time.Second), "s")
	case d < 2*day:
		d = d.Round(time.Minute)
		return parts(int(d/time.Hour), "h", int(d%time.Hour/time.Minute), "min")
	default:
		d = d.Round(time.Hour)
		return parts(int(d/day), "d", int(d%day/time.Hour), "h")
	}
}

// longest is the longest time that is written as one, some 290 years; what is longer is a broken number.
const longest = time.Duration(1<<63 - 1)

func parts(a int, unitA string, b int, unitB string) string {
	s := strconv.Itoa(a) + " " + unitA
	if b > 0 {
		s += " " + strconv.Itoa(b) + " " + unitB
	}
	return s
}

// seconds keeps two significant digits. The edge of a histogram bucket is exact, so a bound drops
// the zeros that would only claim precision.
func seconds(v float64, exact bool) string {
	abs, unit := math.Abs(v), "s"
	switch {
	case abs == 0:
		return "0 s"
	case abs >= longest.Seconds():
		return strconv.FormatFloat(v, 'g', 3, 64) + " s"
	case abs >= 600:
		return Duration(time.Duration(v * float64(time.Second)))
	case abs < 99.5e-6:
		v, unit = v*1e6, "µs"
	case abs < 0.0995:
		v, unit = v*1e3, "ms"
	}
	s := twoDigits(v)
	if !exact {
		s = trim(twoDigits(v))
		if r := significant(v, 3); math.Abs(r) < 100 { // 0.075 s and 2.56 s are common edges
			s = strconv.FormatFloat(r, 'f', -1, 64)
		}
	}
	return s + " " + unit
}

func percent(v float64) string {
	p := v * 100
	abs := math.Abs(p)
	switch {
	case abs > 99 && abs < 100: // 99.7 % full is not full
		return trim(strconv.FormatFloat(math.Trunc(p*10)/10, 'f', 1, 64))
	case abs >= 9.95:
		return grouped(math.Round(p))
	default:
		return trim(twoDigits(p))
	}
}

// number writes a count: whole ones exactly, others with two significant digits below 100.
func number(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 99.5 {
		return grouped(math.Round(v))
	}
	return trim(twoDigits(v))
}

func binary(v float64, power int) string {
	names := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	for math.Abs(v) >= 1000 && power < len(names)-1 {
		v, power = v/1024, power+1
	}
	for v != 0 && math.Abs(v) < 1 && power > 0 {
		v, power = v*1024, power-1
	}
	return number(v) + " " + names[power]
}

// twoDigits never uses an exponent and keeps every digit before the point.
func twoDigits(v float64) string {
	if v == 0 {
		return "0"
	}
	v = significant(v, 2)
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 1-exponent(v)), 64)
}

// significant rounds to n digits, never to fewer than stand before the point.
func significant(v float64, n int) float64 {
	if v == 0 {
		return 0
	}
	e := exponent(v)
	if e >= n-1 && n < 3 {
		return math.Round(v)
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', n-1, 64), 64)
	if err != nil {
		return v
	}
	return r
}

func exponent(v float64) int { return int(math.Floor(math.Log10(math.Abs(v)) + 1e-12)) }

func trim(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// grouped writes a whole number with commas at the thousands.
func grouped(v float64) string {
	s := strconv.FormatFloat(v, 'f', 0, 64)
	if s == "-0" {
		return "0"
	}
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

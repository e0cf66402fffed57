package recording

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	common "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Write writes a finished store as Read reads it. types gives the type of each metric family, by
// the name in its # TYPE line (`x` or, as the older text format has it, `x_total` for counters);
// what is not in it is written as unknown.
func Write(w io.Writer, st *samples.Store, types map[string]string) error {
	out := bufio.NewWriterSize(w, 1<<16)
	var line []byte
	family := ""
	for _, m := range metrics(st, types) {
		if m.family != family {
			family = m.family
			line = append(appendName(append(line[:0], "# TYPE "...), family), ' ')
			_, _ = out.Write(append(append(line, m.kind...), '\n'))
		}
		for _, in := range st.Instances() {
			for _, s := range in.Named(m.name) {
				line = appendSeries(line[:0], m.name, in.Labels, s.Labels)
				writePoints(out, line, s.Points)
			}
		}
	}
	_, _ = out.WriteString("# EOF\n")
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write recording: %w", err)
	}
	return nil
}

func writePoints(out *bufio.Writer, series []byte, points []samples.Point) {
	n := len(series)
	for _, p := range points {
		series = append(appendValue(append(series[:n], ' '), p.V), ' ')
		_, _ = out.Write(append(appendTime(series, p.T), '\n'))
	}
}

type metric struct{ family, kind, name string }

// metrics lists the store's metrics so that families are contiguous.
func metrics(st *samples.Store, types map[string]string) []metric {
	known := map[string]string{}
	for family, kind := range types {
		if k, ok := kinds[kind]; ok {
			known[familyName(family, k)] = k
		}
	}
	seen := map[string]bool{}
	var out []metric
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			if !seen[name] {
				seen[name] = true
				family, kind := familyOf(name, known)
				out = append(out, metric{family, kind, name})
			}
		}
	}
	slices.SortFunc(out, func(a, b metric) int {
		return cmp.Or(strings.Compare(a.family, b.family), strings.Compare(a.kind, b.kind), strings.Compare(a.name, b.name))
	})
	return out
}

// kinds are the types of OpenMetrics, by their names here and in the older text format.
var kinds = map[string]string{
	"counter": "counter", "gauge": "gauge", "histogram": "histogram", "gaugehistogram": "gaugehistogram",
	"summary": "summary", "info": "info", "stateset": "stateset", "unknown": "unknown", "untyped": "unknown",
}

// suffixes are what the samples of a type add to the family's name.
var suffixes = map[string][]string{
	"counter":        {"_total", "_created", ""},
	"histogram":      {"_bucket", "_count", "_sum", "_created"},
	"gaugehistogram": {"_bucket", "_gcount", "_gsum"},
	"summary":        {"", "_count", "_sum", "_created"},
	"info":           {"_info"},
}

// familyName strips what OpenMetrics does not count as part of a family's name.
func familyName(name, kind string) string {
	switch kind {
	case "counter":
		return strings.TrimSuffix(name, "_total")
	case "info":
		return strings.TrimSuffix(name, "_info")
	}
	return name
}

func familyOf(name string, known map[string]string) (family, kind string) {
	if k, ok := known[name]; ok && (suffixes[k] == nil || slices.Contains(suffixes[k], "")) {
		return name, k
	}
	for _, suffix := range []string{"_bucket", "_count", "_sum", "_total", "_created", "_gcount", "_gsum", "_info"} {
		base, ok := strings.CutSuffix(name, suffix)
		if k := known[base]; ok && slices.Contains(suffixes[k], suffix) {
			return base, k
		}
	}
	return name, "unknown"
}

func appendName(b []byte, name string) []byte {
	if common.LegacyValidation.IsValidMetricName(name) {
		return append(b, name...)
	}
	return appendQuoted(b, name)
}

// appendSeries writes name{labels}; names that need it are quoted, as Prometheus 3 does.
func appendSeries(b []byte, name string, own, rest model.Labels) []byte {
	legacy := common.LegacyValidation.IsValidMetricName(name)
	if legacy {
		b = append(b, name...)
		if len(own)+len(rest) == 0 {
			return b
		}
	}
	open := len(b)
	b = append(b, '{')
	if !legacy {
		b = append(appendQuoted(b, name), ',')
	}
	for _, ls := range []model.Labels{own, rest} {
		for _, l := range ls {
			if common.LegacyValidation.IsValidLabelName(l.Name) {
				b = append(b, l.Name...)
			} else {
				b = appendQuoted(b, l.Name)
			}
			b = append(appendQuoted(append(b, '='), l.Value), ',')
		}
	}
	if len(b) == open+1 {
		return append(b, '}')
	}
	b[len(b)-1] = '}'
	return b
}

var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendQuoted(b []byte, s string) []byte {
	return append(append(append(b, '"'), escapes.Replace(s)...), '"')
}

func appendValue(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

func appendTime(b []byte, ms int64) []byte {
	if ms < 0 {
		b, ms = append(b, '-'), -ms
	}
	b = append(strconv.AppendInt(b, ms/1000, 10), '.')
	frac := ms % 1000
	return append(b, byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
}

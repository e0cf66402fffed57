package ruletest

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	prom "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"

	"github.com/inferdx/inferdx/internal/model"
)

// value is one scrape of a series; a missing one was not exported.
type value struct {
	v       float64
	missing bool
}

// maxValues bounds a series, so that a slip of the pen does not take minutes.
const maxValues = 10_000

const aNumber = `[-+]?(?:[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+(?:[eE][-+]?[0-9]+)?|[iI]nf|NaN)`

var (
	word     = regexp.MustCompile(`\S+`)
	sequence = regexp.MustCompile(`^(` + aNumber + `)([-+](?:[0-9]+\.?[0-9]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+))?(?:x([0-9]+))?$`)
	gap      = regexp.MustCompile(`^_(?:x([0-9]+))?$`)
)

// notationError says where in the text the notation is wrong.
type notationError struct {
	off, width int
	msg        string
}

// parseValues reads promtool's notation for unit tests: "1+2x3" is 1 3 5 7, "5x3" four times 5, "_" no
// sample, "_x3" three of them, "stale" the end of the series. It is written here because the parser
// of promql brings 98 packages along and takes no position.
func parseValues(s string) ([]value, *notationError) {
	var out []value
	for _, at := range word.FindAllStringIndex(s, -1) {
		w := s[at[0]:at[1]]
		fail := func(msg string) ([]value, *notationError) { return nil, &notationError{at[0], len(w), msg} }
		if w == "stale" {
			out = append(out, value{v: math.NaN()})
			continue
		}
		if m := gap.FindStringSubmatch(w); m != nil {
			n := 1
			if m[1] != "" {
				n, _ = strconv.Atoi(m[1])
			}
			if n > maxValues-len(out) {
				return fail(fmt.Sprintf("more than %d samples", maxValues))
			}
			for range n {
				out = append(out, value{missing: true})
			}
			continue
		}
		m := sequence.FindStringSubmatch(w)
		if m == nil || m[2] != "" && m[3] == "" {
			return fail(fmt.Sprintf("%q is no series value", w))
		}
		first, _ := strconv.ParseFloat(m[1], 64)
		step, _ := strconv.ParseFloat(m[2], 64) // 0 when there is none
		n, _ := strconv.Atoi(m[3])
		if n >= maxValues-len(out) {
			return fail(fmt.Sprintf("more than %d samples", maxValues))
		}
		for i := range n + 1 { // one more than n: promtool's value for time 0
			out = append(out, value{v: first + float64(i)*step})
		}
	}
	return out, nil
}

// parseMetric reads a metric name with labels, as the exposition format writes it.
func parseMetric(s string) (name string, ls model.Labels, err error) {
	p := textparse.NewOpenMetricsParser([]byte(s+" 1\n# EOF\n"), labels.NewSymbolTable())
	entry, err := p.Next()
	if err != nil || entry != textparse.EntrySeries || strings.Contains(s, "\n") {
		return "", nil, fmt.Errorf("%q is no metric with labels", s)
	}
	var all labels.Labels
	p.Labels(&all)
	if twice, ok := all.HasDuplicateLabelNames(); ok {
		return "", nil, fmt.Errorf("label %s stands twice", twice)
	}
	all.Range(func(l labels.Label) {
		if l.Name == prom.MetricNameLabel {
			name = l.Value
		} else if l.Value != "" {
			ls = append(ls, model.Label{Name: l.Name, Value: l.Value})
		}
	})
	for _, d := range []model.Label{{Name: "instance", Value: "a:8000"}, {Name: "job", Value: "vllm"}} {
		if ls.Get(d.Name) == "" {
			ls = append(ls, d)
		}
	}
	ls.Sort()
	return name, ls, nil
}

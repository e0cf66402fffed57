package render

import (
	"math"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

const sparkColumns = 10

// sparkline draws samples over equal parts of time, from zero to their highest, and says the last
// one in figures. A part without a sample stays blank: nothing was seen there.
func sparkline(ps []model.Point) string {
	seen := make([]model.Point, 0, len(ps))
	top := 0.0
	for _, p := range ps {
		if isNumber(p.V) {
			seen = append(seen, p)
			top = max(top, p.V)
		}
	}
	if len(seen) < 2 {
		return ""
	}
	cols := means(seen, min(sparkColumns, len(seen)))
	var b strings.Builder
	for _, v := range cols {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case top == 0 || v <= 0:
			b.WriteRune('▁')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[int(math.Round(v/top*7))])
		}
	}
	return b.String() + " " + units.Format(seen[len(seen)-1].V, "count", model.Exact)
}

// means averages samples over n equal parts of their time; NaN marks an empty part.
func means(ps []model.Point, n int) []float64 {
	sum, count := make([]float64, n), make([]float64, n)
	first, span := ps[0].T, ps[len(ps)-1].T.Sub(ps[0].T)
	for i, p := range ps {
		k := i * n / len(ps)
		if span > 0 {
			k = int(float64(n-1)*float64(p.T.Sub(first))/float64(span) + 0.5)
		}
		k = min(max(k, 0), n-1)
		sum[k] += p.V
		count[k]++
	}
	for k := range sum {
		sum[k] /= count[k]
	}
	return sum
}

package signals

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// trend is a signal scrape by scrape: a gauge's samples, a counter's rate between scrapes, a
// histogram's rate of observations or, for stat mean, their mean between scrapes.
func (r *reader) trend(src SignalSource) []model.Point {
	switch r.d.Series[src.Of.S].kind() {
	case "gauge":
		return points(r.total(src.Of.S))
	case "counter":
		return rates(r.total(src.Of.S))
	}
	for _, n := range r.d.Series[src.Of.S].Histogram {
		counts := r.sum(r.named(n+"_count", r.d.matchers[src.Of.S]))
		if len(counts) == 0 {
			continue
		}
		if src.Stat.S == "mean" {
			return means(r.sum(r.named(n+"_sum", r.d.matchers[src.Of.S])), counts)
		}
		return rates(counts)
	}
	return nil
}

func points(ps []samples.Point) []model.Point {
	out := make([]model.Point, len(ps))
	for i, p := range ps {
		out[i] = model.Point{T: time.UnixMilli(p.T), V: p.V}
	}
	return out
}

func rates(ps []samples.Point) []model.Point {
	var out []model.Point
	for i := 1; i < len(ps); i++ {
		if ps[i].V < ps[i-1].V || ps[i].T == ps[i-1].T {
			continue
		}
		v := (ps[i].V - ps[i-1].V) * 1000 / float64(ps[i].T-ps[i-1].T)
		out = append(out, model.Point{T: time.UnixMilli(ps[i].T), V: v})
	}
	return out
}

// means pairs sums and counts of the same scrapes; a scrape without an observation has no mean.
func means(sums, counts []samples.Point) []model.Point {
	var out []model.Point
	for i := 1; i < len(counts) && i < len(sums); i++ {
		n := counts[i].V - counts[i-1].V
		if n > 0 && sums[i].T == counts[i].T {
			out = append(out, model.Point{T: time.UnixMilli(counts[i].T), V: (sums[i].V - sums[i-1].V) / n})
		}
	}
	return out
}

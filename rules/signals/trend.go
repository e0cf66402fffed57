package signals

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// trend is a signal scrape by scrape: a gauge's samples, a counter's rate between scrapes, a
// histogram's rate of observations or, for stat mean, their mean between scrapes.
func (f *feed) trend(signal string, w samples.Window) []model.Point {
	at, ok := f.d.places[signal]
	if !ok || !f.d.stats[at].trend {
		return nil
	}
	src := &f.d.stats[at]
	switch f.d.defs[src.def].kind {
	case "gauge":
		return points(sum(f.series(src.def, w), w))
	case "counter":
		return rates(sum(f.series(src.def, w), w))
	}
	for i := range f.defs[src.def] {
		c := &f.defs[src.def][i]
		counts := sum(live(c.counts, w), w)
		if len(counts) == 0 {
			continue
		}
		if src.Stat.S == "mean" {
			return means(sum(live(c.sums, w), w), counts)
		}
		return rates(counts)
	}
	return nil
}

func points(ps []samples.Point) []model.Point {
	if len(ps) == 0 {
		return nil
	}
	out := make([]model.Point, len(ps))
	for i, p := range ps {
		out[i] = model.Point{T: time.UnixMilli(p.T), V: p.V}
	}
	return out
}

func rates(ps []samples.Point) []model.Point {
	if len(ps) < 2 {
		return nil
	}
	out := make([]model.Point, 0, len(ps)-1)
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
	if len(counts) < 2 {
		return nil
	}
	out := make([]model.Point, 0, len(counts)-1)
	for i := 1; i < len(counts) && i < len(sums); i++ {
		n := counts[i].V - counts[i-1].V
		if n > 0 && sums[i].T == counts[i].T {
			out = append(out, model.Point{T: time.UnixMilli(counts[i].T), V: (sums[i].V - sums[i-1].V) / n})
		}
	}
	return out
}

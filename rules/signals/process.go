package signals

import (
	"github.com/inferdx/inferdx/internal/samples"
)

// process is the part of a window that the process that runs now was scraped in: from the first scrape after
// its start was seen to change. Two processes may have different settings, so that a mean over both is of
// neither; with few scrapes left, figures are unknown, which is the truth.
func (f *feed) process(w samples.Window) samples.Window {
	if f.d.started < 0 {
		return w
	}
	for _, s := range f.series(f.d.started, w) {
		ps := w.In(s.Points)
		for i := len(ps) - 1; i > 0; i-- {
			if ps[i].V > ps[i-1].V {
				w.From = max(w.From, ps[i].T-1)
				break
			}
		}
	}
	return w
}

// ofStarts says that a statistic counts starts, and so needs what was before them.
func (s *statistic) ofStarts() bool { return s.Stat.S == "changes" || s.Stat.S == "resets" }

// facts are the settings that gauges show, at the last scrape; of several engines in one server, the largest.
func (f *feed) facts(w samples.Window) map[string]float64 {
	out := map[string]float64{}
	for _, x := range f.d.facts {
		product, known := 1.0, true
		for _, def := range x.defs {
			v, ok := f.shown(def, w)
			product, known = product*v, known && ok
		}
		if known {
			out[x.name] = product
		}
	}
	return out
}

func (f *feed) shown(def int, w samples.Window) (largest float64, ok bool) {
	for _, s := range f.series(def, w) {
		if v, is := (samples.Over{Fold: "last"}).Apply(w.In(s.Points)); is && (!ok || v > largest) {
			largest, ok = v, true
		}
	}
	return largest, ok
}

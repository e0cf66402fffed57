package service

import (
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/selfmetrics"
)

// adopted counts for the parts that are used from now on.
func (s *Service) adopted(p *parts) {
	m := s.o.Metrics
	m.Reloaded(true, p.setup.Hash, s.o.Now())
	m.Interval(p.interval)
	m.Receivers(p.receivers.Receivers())
}

// count tells the metrics what a look came to.
func (s *Service) count(p *parts, got seen, told plan.Decision) {
	m := s.o.Metrics
	m.Stored(s.keep.writable())
	up := map[string]bool{}
	for _, h := range s.sources.all() {
		if !h.Beside && (h.up() || h.Failures > 0) { // else nobody has read it yet
			up[h.Name] = h.up()
		}
	}
	m.Sources(up)
	targets := map[string]int{"up": 0, "down": 0, "unknown": 0}
	if pool := s.scraping.pool.Load(); pool != nil {
		for _, h := range pool.Targets() {
			switch {
			case h.Last.At.IsZero():
				targets["unknown"]++
			case h.Last.Err != nil:
				targets["down"]++
			default:
				targets["up"]++
			}
		}
	}
	m.Counts(selfmetrics.Counts{Targets: targets, Diagnoses: got.diagnoses})
	for reason, n := range told.Suppressed { // what is kept back from look to look is counted once
		for range n - s.suppressed[reason] {
			m.Suppressed(reason)
		}
	}
	s.suppressed = told.Suppressed
}

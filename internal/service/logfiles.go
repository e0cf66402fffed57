package service

import (
	"maps"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/source/tail"
)

// logSources are the log files that the configuration names, and whose they are.
func logSources(c *config.Config) []tail.Source {
	var out []tail.Source
	for _, f := range c.LogFiles {
		fixed := map[string]string{}
		for name, value := range f.Labels {
			fixed[string(name)] = value
		}
		out = append(out, tail.Source{Path: string(f.Path), Labels: func(path string) (map[string]string, bool) {
			own, ok := f.PathLabels.Of(path)
			labels := maps.Clone(fixed)
			maps.Copy(labels, own)
			return labels, ok
		}})
	}
	return out
}

// logsRead takes down how following the log files goes.
func (s *Service) logsRead() {
	at := s.o.Now()
	for _, h := range s.logs.Read() {
		s.sources.told(h.Name, at, nil, h.Err)
		s.o.Metrics.LogRead(h.Name, h.Files, h.Fresh)
		if h.Err != nil {
			s.o.Metrics.SourceFailed(h.Name, reason(h.Err))
			s.log.Debug("a log file cannot be read", "source", h.Name, "err", h.Err)
		}
	}
}

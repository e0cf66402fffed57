package service

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// patience is how many reads of a source may fail before it is called dead: a restart of Prometheus
// takes less than three intervals, and its rules too wait for more than one failed evaluation.
const patience = 3

// sourceHealth is how reading one source went.
type sourceHealth struct {
	Name   string
	LastOK time.Time
	// Since is when it began to fail, zero while it answers; Failures counts the reads since then.
	Since    time.Time
	Failures int
	Err      string
	// Faults are of the last read that answered in part.
	Faults []model.Fault
	// Beside says that it only adds to what metrics show: without it less is explained, and nothing is unseen.
	Beside bool
}

// dead says that the source has failed so often that it is a finding.
func (h sourceHealth) dead() bool { return h.Failures >= patience }

// blinds says that what it showed of servers is not seen any more.
func (h sourceHealth) blinds() bool { return h.dead() && !h.Beside }

// up says that the last read succeeded.
func (h sourceHealth) up() bool { return h.Failures == 0 && !h.LastOK.IsZero() }

// sources is the health of all sources. It is safe for concurrent use.
type sources struct {
	mu     sync.Mutex
	byName map[string]*sourceHealth
}

// told records one read.
func (s *sources) told(name string, at time.Time, faults []model.Fault, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = map[string]*sourceHealth{}
	}
	h := s.byName[name]
	if h == nil {
		h = &sourceHealth{Name: name}
		s.byName[name] = h
	}
	h.Faults = faults
	if err == nil {
		h.LastOK, h.Since, h.Failures, h.Err = at, time.Time{}, 0, ""
		return
	}
	if h.Failures++; h.Since.IsZero() {
		h.Since = at
	}
	h.Err = err.Error()
}

// only forgets all sources but those. Of those that are new nothing is known yet. beside are those of them that only add to metrics.
func (s *sources) only(names []string, beside ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byName == nil {
		s.byName = map[string]*sourceHealth{}
	}
	for _, name := range names {
		if s.byName[name] == nil {
			s.byName[name] = &sourceHealth{Name: name}
		}
		s.byName[name].Beside = slices.Contains(beside, name)
	}
	for name := range s.byName {
		if !slices.Contains(names, name) {
			delete(s.byName, name)
		}
	}
}

// all is the health of every source, by name.
func (s *sources) all() []sourceHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]sourceHealth, 0, len(s.byName))
	for _, h := range s.byName {
		x := *h
		x.Faults = slices.Clone(h.Faults)
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b sourceHealth) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// scopeSource is the scope of a finding about a source. No rule and no playbook has it.
const scopeSource model.Scope = "source"

// findings are what is to be said of the sources: of each that it is dead, that nobody knows, or that it is healthy.
func findings(all []sourceHealth, at time.Time) []model.Diagnosis {
	var out []model.Diagnosis
	for _, h := range all {
		if h.dead() {
			out = append(out, blind(h, at))
			continue
		}
		if h.LastOK.IsZero() { // since the start: that it was dead before has not ended by that
			out = append(out, model.Diagnosis{
				Target: map[string]string{"source": h.Name}, Scope: scopeSource, Status: model.Unknown, Name: h.Name, UnknownScore: 1,
				Summary: "the source " + h.Name + " has not been read yet", Fingerprint: "source-unread/" + h.Name,
			})
			continue
		}
		out = append(out, model.Diagnosis{
			Target: map[string]string{"source": h.Name}, Scope: scopeSource, Status: model.Healthy, Name: h.Name,
			Summary: "the source " + h.Name + " is read", Fingerprint: "source-read/" + h.Name,
		})
	}
	return out
}

// blind is the finding that a source is dead: what it showed is as it was, nobody knows how it is.
func blind(h sourceHealth, at time.Time) model.Diagnosis {
	if h.Beside {
		return unheard(h, at)
	}
	last := "it has not answered since inferdx was started"
	if !h.LastOK.IsZero() {
		last = "it answered last at " + h.LastOK.UTC().Format(time.RFC3339)
	}
	d := unreadable(h, at, model.Down, model.Critical, "source cannot be read",
		fmt.Sprintf("%d reads failed one after another, the last with: %s", h.Failures, h.Err), last)
	d.Summary = "the source " + h.Name + " cannot be read: what runs behind it is not seen"
	d.Notes = []string{"nothing that it showed before counts as healthy or as resolved until it can be read again"}
	return d
}

// unheard is the finding that a log cannot be read: the servers are still seen, and what only their logs tell is not.
func unheard(h sourceHealth, at time.Time) model.Diagnosis {
	d := unreadable(h, at, model.Degraded, model.Warning, "log cannot be read",
		fmt.Sprintf("%d looks failed one after another, the last with: %s", h.Failures, h.Err))
	d.Summary = "the " + h.Name + " cannot be read: what only logs tell of its servers is not known"
	return d
}

// unreadable is what findings of sources that cannot be read have in common.
func unreadable(h sourceHealth, at time.Time, status model.Status, severity model.Severity, title string, evidence ...string) model.Diagnosis {
	since := h.Since.UTC()
	symptom := model.Symptom{
		ID: "source-unreadable", Title: title, Severity: severity, State: model.Firing,
		Since: since, HeldSeconds: max(at.Sub(since), 0).Seconds(), Scope: scopeSource, Entity: model.NoEntity, Traced: true,
	}
	for _, text := range evidence {
		symptom.Evidence = append(symptom.Evidence, model.Evidence{Text: text})
	}
	return model.Diagnosis{
		Target: map[string]string{"source": h.Name}, Scope: scopeSource, Status: status, Name: h.Name,
		Fingerprint: "source-unreadable/" + h.Name, Onset: &since, UnknownScore: 1, Symptoms: []model.Symptom{symptom},
	}
}

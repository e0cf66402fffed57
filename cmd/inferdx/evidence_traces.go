package main

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
)

// traced adds what the traces tell to a request.
func (e *evidence) traced(r *pipeline.Request) error {
	t, err := openTraces(e.traces)
	if err != nil {
		return fmt.Errorf("--traces: %w", err)
	}
	e.read = t
	measured(r)
	maps.Copy(r.Measured, t.Facts())
	r.Examples = func(_ map[string]string, hurts model.Harm) []model.Example {
		return t.Examples(hurts, pipeline.MostExamples)
	}
	return nil
}

// apart gives each of several servers its own traces, as far as these tell whose they are. What is left out is returned in words.
func (e *evidence) apart(p *pipeline.Pipeline, st *samples.Store, r *pipeline.Request) []string {
	if e.read == nil {
		return nil
	}
	f, _ := p.Frame(st, *r) // for its targets alone
	var targets []map[string]string
	for _, x := range f.Entities.All() {
		if x.Scope == model.ScopeTarget {
			targets = append(targets, x.Labels.Map())
		}
	}
	if len(targets) < 2 {
		return nil
	}
	v := e.read.By(targets)
	for name := range e.read.Facts() {
		delete(r.Measured, name)
	}
	r.MeasuredOf = v.Facts
	r.Examples = func(target map[string]string, hurts model.Harm) []model.Example {
		return v.Examples(target, hurts, pipeline.MostExamples)
	}
	return v.LeftOut()
}

// openTraces reads files together, and says of the first one that is of another kind what it is.
func openTraces(paths []string) (*otlp.Traces, error) {
	t, err := otlp.Open(paths...)
	if err == nil {
		return t, nil
	}
	for _, path := range paths {
		if m := misfile("traces", path, err); errors.As(m, new(*misfiled)) {
			return nil, m
		}
	}
	return nil, err
}

// clocksApart is by how much the clocks of those who send spans may differ from the one that stamped the samples.
const clocksApart = time.Minute

// timely leaves out traces that are of another time than what is looked at, and says so in a note.
func (e *evidence) timely(r *pipeline.Request) {
	if e.read == nil {
		return
	}
	from, to, ok := e.read.Stretch()
	since := r.At.Add(-r.Window)
	if !ok || !to.Before(since.Add(-clocksApart)) && !from.After(r.At.Add(clocksApart)) {
		return
	}
	for name := range e.read.Facts() {
		delete(r.Measured, name)
	}
	r.Examples, e.read = nil, nil
	r.Notes = append(r.Notes, fmt.Sprintf("the traces are of %s to %s, the servers were watched from %s to %s: nothing of them is counted",
		from.Format(time.DateTime), to.Format(time.DateTime), since.UTC().Format(time.DateTime), r.At.UTC().Format(time.DateTime)))
}

package main

import (
	"fmt"
	"maps"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// traced adds what the traces tell to a request.
func (e *evidence) traced(r *pipeline.Request) error {
	t, err := otlp.Open(e.traces...)
	if err != nil {
		return fmt.Errorf("--traces: %w", err)
	}
	measured(r)
	maps.Copy(r.Measured, t.Facts())
	r.Examples = func(_ map[string]string, hurts model.Harm) []model.Example {
		return t.Examples(hurts, pipeline.MostExamples)
	}
	return nil
}

// sorted tells the files that hold traces, which are read together, from the others. What cannot be read is one of the others.
func sorted(paths []string) (traces, others []string) {
	for _, path := range paths {
		if head, err := packed.Head(path, 64<<10); err == nil && otlp.Recognise(head) {
			traces = append(traces, path)
		} else {
			others = append(others, path)
		}
	}
	return traces, others
}

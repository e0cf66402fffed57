package main

import (
	"fmt"
	"maps"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/packed"
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
	return nil
}

// sorted tells the files that hold traces, which are read together, and results of benchmarks from the others. What cannot be read is
// one of the others.
func sorted(paths []string) (traces, results, others []string) {
	for _, path := range paths {
		head, err := packed.Head(path, 64<<10)
		switch {
		case err == nil && otlp.Recognise(head):
			traces = append(traces, path)
		case err == nil && bench.Recognise(head):
			results = append(results, path)
		default:
			others = append(others, path)
		}
	}
	return traces, results, others
}

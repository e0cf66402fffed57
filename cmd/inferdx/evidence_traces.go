package main

import (
	"fmt"
	"maps"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/evidence/profiles"
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

// sorted tells the files that hold traces, which are read together, and logs from the others. What cannot be read is one of the others.
func sorted(paths []string) (traces, logs, others []string) {
	for _, path := range paths {
		head, err := packed.Head(path, 64<<10)
		switch {
		case err != nil:
			others = append(others, path)
		case otlp.Recognise(head):
			traces = append(traces, path)
		case !profiles.Recognise(head) && isLog(path):
			logs = append(logs, path)
		default:
			others = append(others, path)
		}
	}
	return traces, logs, others
}

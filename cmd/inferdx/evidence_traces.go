package main

import (
	"fmt"
	"maps"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
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

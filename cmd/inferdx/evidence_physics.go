package main

import (
	"fmt"

	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/shape"
)

// physics reads the model's shape and the GPU that the user names.
func (e *evidence) physics(r *pipeline.Request) error {
	if e.model != "" {
		s, err := shape.Open(e.model)
		if err != nil {
			return fmt.Errorf("--model-config: %w", misfile("model-config", e.model, err))
		}
		r.Model = func(model.Labels) *shape.Shape { return s }
	}
	if e.gpu == "" {
		return nil
	}
	g, ok := hardware.Find(e.gpu)
	if !ok {
		var err error
		if g, err = hardware.Parse(e.gpu); err != nil {
			return usage("as --gpu-spec 'NVIDIA H200', or --gpu-spec 'half: 9.89e14, bandwidth: 4.8e12'", "--gpu-spec: %w", err)
		}
	}
	r.GPU = func(model.Labels) *hardware.GPU { return &g }
	return nil
}

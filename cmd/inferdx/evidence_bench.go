package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// benchmarked adds what the results of benchmarks tell to a request.
func (e *evidence) benchmarked(r *pipeline.Request) error {
	files, err := openBenchmarks(e.benchmarks)
	if err != nil {
		return fmt.Errorf("--benchmark: %w", err)
	}
	r.Benchmark = func(from, to time.Time) (map[string]model.Fact, []string) { return bench.During(files, from, to) }
	return nil
}

// openBenchmarks reads every file and says all that is wrong with them.
func openBenchmarks(paths []string) ([]*bench.File, error) {
	var out []*bench.File
	var faults []error
	for _, path := range paths {
		f, err := bench.Open(path)
		if err != nil {
			faults = append(faults, misfile("benchmark", path, err))
			continue
		}
		out = append(out, f)
	}
	return out, errors.Join(faults...)
}

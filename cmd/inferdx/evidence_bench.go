package main

import (
	"errors"

	"github.com/inferdx/inferdx/internal/evidence/bench"
)

// openBenchmarks reads every file and says all that is wrong with them.
func openBenchmarks(paths []string) ([]*bench.File, error) {
	var out []*bench.File
	var faults []error
	for _, path := range paths {
		f, err := bench.Open(path)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, f)
	}
	return out, errors.Join(faults...)
}

package main

import (
	"errors"

	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/model"
)

// logged gives the facts of the logs of one server; nil of no file.
func logged(paths []string) (map[string]model.Fact, error) {
	if len(paths) == 0 {
		return nil, nil
	}
	all, err := openLogs(paths)
	if err != nil {
		return nil, err
	}
	return logs.Together(all...), nil
}

// openLogs reads every file and says all that is wrong with them.
func openLogs(paths []string) ([]*logs.Log, error) {
	var out []*logs.Log
	var faults []error
	for _, path := range paths {
		l, err := logs.Open(path)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, l)
	}
	return out, errors.Join(faults...)
}

// isLog says whether a file is the log of a server or of the kernel.
func isLog(path string) bool {
	head, err := packed.Head(path, 1<<20)
	return err == nil && logs.Recognise(head)
}

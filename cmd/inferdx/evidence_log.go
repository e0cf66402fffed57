package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// logged adds what the logs tell to a request: of FILE to every server, of INSTANCE=FILE to that one.
func (e *evidence) logged(r *pipeline.Request) error {
	byServer := map[string][]string{}
	for _, flag := range e.logs {
		instance, path := serverOf(flag)
		byServer[instance] = append(byServer[instance], path)
	}
	told := map[string]map[string]model.Fact{}
	var faults []error
	for instance, paths := range byServer {
		all, err := openLogs(paths)
		if err != nil {
			faults = append(faults, fmt.Errorf("--log: %w", err))
			continue
		}
		told[instance] = logs.Together(all...)
	}
	if len(faults) > 0 {
		return errors.Join(faults...)
	}
	r.Log = told[""]
	if len(told) > 1 || r.Log == nil && len(told) == 1 {
		r.LogOf = func(target model.Labels) map[string]model.Fact { return told[target.Get("instance")] }
	}
	return nil
}

// serverOf splits INSTANCE=FILE; a file of that whole name is meant where there is one.
func serverOf(flag string) (instance, path string) {
	instance, path, ok := strings.Cut(flag, "=")
	if _, err := os.Stat(flag); !ok || err == nil || instance == "" || strings.ContainsAny(instance, `/\`) {
		return "", flag
	}
	return instance, path
}

// openLogs reads every file and says all that is wrong with them.
func openLogs(paths []string) ([]*logs.Log, error) {
	var out []*logs.Log
	var faults []error
	for _, path := range paths {
		l, err := logs.Open(path)
		if err != nil {
			faults = append(faults, misfile("log", path, err))
			continue
		}
		out = append(out, l)
	}
	return out, errors.Join(faults...)
}

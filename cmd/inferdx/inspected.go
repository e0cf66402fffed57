package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/logs"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/profiles"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
)

// findings are what was read of some files.
type findings struct {
	Version    string             `json:"version"`
	Logs       []*logs.Log        `json:"logs,omitempty"`
	Traces     *otlp.Traces       `json:"traces,omitempty"`
	Benchmarks []*bench.File      `json:"benchmarks,omitempty"`
	Profiles   []profiles.Profile `json:"profiles,omitempty"`
	// Together is what several profiles show beside each other; nil where that is nothing.
	Together *torchtrace.Ranks `json:"together,omitempty"`
}

// inspected reads files, each told by its content, and says all that is wrong with them.
func inspected(paths []string) (findings, error) {
	of := map[string][]string{}
	for _, path := range paths {
		kind := evidenceKind(path)
		switch kind {
		case "log", "traces", "benchmark":
		default: // the reader of profiles says what is wrong with what nobody reads
			kind = "profile"
		}
		of[kind] = append(of[kind], path)
	}
	out := findings{Version: "1"}
	var faults [4]error
	out.Logs, faults[0] = openLogs(of["log"])
	if len(of["traces"]) > 0 { // they are read together
		out.Traces, faults[1] = openTraces(of["traces"])
	}
	out.Benchmarks, faults[2] = openBenchmarks(of["benchmark"])
	out.Profiles, faults[3] = openProfiles(of["profile"])
	if r := profiles.Ranks(out.Profiles); r != nil && r.Finding() != "" {
		out.Together = r
	}
	return out, errors.Join(faults[:]...)
}

// writeText writes what profiles show together, then one after the other.
func (in findings) writeText(w io.Writer, link string) error {
	if in.Together != nil {
		_, _ = fmt.Fprintln(w, in.Together.Finding()+"\n")
	}
	var parts []func(io.Writer) error
	for _, l := range in.Logs {
		parts = append(parts, l.WriteText)
	}
	if in.Traces != nil {
		parts = append(parts, func(w io.Writer) error { return in.Traces.WriteText(w, link) })
	}
	for _, b := range in.Benchmarks {
		parts = append(parts, b.WriteText)
	}
	for _, p := range in.Profiles {
		parts = append(parts, p.WriteText)
	}
	for i, write := range parts {
		if i > 0 {
			_, _ = fmt.Fprintln(w)
		}
		if err := write(w); err != nil {
			return err
		}
	}
	return nil
}

// writeJSON writes nothing where nothing could be read: the fault says it all.
func (in findings) writeJSON(w io.Writer) error {
	if len(in.Profiles) == 0 && in.Traces == nil && len(in.Logs) == 0 && len(in.Benchmarks) == 0 {
		return nil
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(in)
}

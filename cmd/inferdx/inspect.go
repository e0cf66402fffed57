package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/profiles"
)

// inspect says what profiles, traces and benchmark results show by themselves, without a server's metrics.
func (a *app) inspect() *cobra.Command {
	var format, link string
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what profiles, traces and benchmark results of a server show",
		Long: `Reads profiles, traces and benchmark results, each told by its content, and says what they show: PyTorch profiles (several are the
ranks of one model), PyTorch memory snapshots and summaries, Nsight Compute pages, Nsight Systems exports, OTLP traces of requests
(several files are read together), results of vLLM's and SGLang's benchmarks, GuideLLM, AIPerf and inference-perf. What they mean for a
diagnosis: inferdx diagnose --profile, --traces, --benchmark.`,
		Example: `  inferdx inspect rank0.pt.trace.json.gz rank1.pt.trace.json.gz
  inferdx inspect ncu-raw.csv --format json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if len(args) == 0 {
				return usage("inferdx inspect FILE", "no file is named")
			}
			traces, results, others := sorted(args)
			ps, err := openProfiles(others)
			bs, fault := openBenchmarks(results)
			err = errors.Join(err, fault)
			var t *otlp.Traces
			if len(traces) > 0 {
				var fault error
				t, fault = otlp.Open(traces...)
				err = errors.Join(err, fault)
			}
			if format == "json" {
				return errors.Join(a.inspectJSON(ps, t, bs), err)
			}
			return errors.Join(a.inspectText(ps, t, bs, link), err)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVar(&link, "trace-link", "", "address of a trace, as https://jaeger.example/trace/{trace_id}")
	return cmd
}

func (a *app) inspectText(ps []profiles.Profile, t *otlp.Traces, bs []*bench.File, link string) error {
	var parts []func(io.Writer) error
	if t != nil {
		parts = append(parts, func(w io.Writer) error { return t.WriteText(w, link) })
	}
	for _, b := range bs {
		parts = append(parts, b.WriteText)
	}
	for _, p := range ps {
		parts = append(parts, p.WriteText)
	}
	for i, write := range parts {
		if i > 0 {
			_, _ = fmt.Fprintln(a.out)
		}
		if err := write(a.out); err != nil {
			return err
		}
	}
	if r := profiles.Ranks(ps); r != nil && r.Finding() != "" {
		_, _ = fmt.Fprintln(a.out, "\n"+r.Finding())
	}
	return nil
}

func (a *app) inspectJSON(ps []profiles.Profile, t *otlp.Traces, bs []*bench.File) error {
	if len(ps) == 0 && t == nil && len(bs) == 0 {
		return nil
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version    string             `json:"version"`
		Profiles   []profiles.Profile `json:"profiles,omitempty"`
		Traces     *otlp.Traces       `json:"traces,omitempty"`
		Benchmarks []*bench.File      `json:"benchmarks,omitempty"`
	}{"1", ps, t, bs})
}

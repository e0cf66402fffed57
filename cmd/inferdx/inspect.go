package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/evidence/profiles"
	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
)

// inspect says what profiles show by themselves, without a server's metrics.
func (a *app) inspect() *cobra.Command {
	var format, link string
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what profiles and traces of a server show",
		Long: `Reads profiles and traces, each told by its content, and says what they show: PyTorch profiles (several are the ranks of one
model, or one with CUDA graphs and one without), the tables that PyTorch prints of them, PyTorch memory snapshots and summaries, Nsight
Compute pages, Nsight Systems exports, OTLP traces of requests (several files are read together). What they mean for a diagnosis: inferdx diagnose --profile, --traces.`,
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
			traces, others := sorted(args)
			ps, err := openProfiles(others)
			var t *otlp.Traces
			if len(traces) > 0 {
				var fault error
				t, fault = otlp.Open(traces...)
				err = errors.Join(err, fault)
			}
			if format == "json" {
				return errors.Join(a.inspectJSON(ps, t), err)
			}
			return errors.Join(a.inspectText(ps, t, link), err)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVar(&link, "trace-link", "", "address of a trace, as https://jaeger.example/trace/{trace_id}")
	return cmd
}

func (a *app) inspectText(ps []profiles.Profile, t *otlp.Traces, link string) error {
	if r := profiles.Ranks(ps); r != nil && r.Finding() != "" {
		_, _ = fmt.Fprintln(a.out, r.Finding()+"\n")
	}
	if t != nil {
		if err := t.WriteText(a.out, link); err != nil {
			return err
		}
	}
	for i, p := range ps {
		if i > 0 || t != nil {
			_, _ = fmt.Fprintln(a.out)
		}
		if err := p.WriteText(a.out); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) inspectJSON(ps []profiles.Profile, t *otlp.Traces) error {
	if len(ps) == 0 && t == nil {
		return nil
	}
	ranks := profiles.Ranks(ps)
	if ranks != nil && ranks.Finding() == "" {
		ranks = nil
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version  string             `json:"version"`
		Profiles []profiles.Profile `json:"profiles,omitempty"`
		Together *torchtrace.Ranks  `json:"together,omitempty"`
		Traces   *otlp.Traces       `json:"traces,omitempty"`
	}{"1", ps, ranks, t})
}

package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/config"
)

// inspect says what profiles, traces, logs and benchmark results show by themselves, without a server's metrics.
func (a *app) inspect() *cobra.Command {
	var format, link string
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what profiles, traces, logs and benchmark results show",
		Long: `Reads files of several kinds, each told by its content, and says what they show: PyTorch profiles (several are the ranks of one
model, or one with CUDA graphs and one without), the tables that PyTorch prints of them, PyTorch memory snapshots and summaries, Nsight
Compute pages, Nsight Systems exports, OTLP traces of requests (several files are read together), logs of vLLM, SGLang and the kernel,
results of vLLM's and SGLang's benchmarks, GuideLLM, AIPerf and inference-perf. What they mean for a diagnosis: inferdx diagnose
--profile, --traces, --log, --benchmark.`,
		Example: `  inferdx inspect rank0.pt.trace.json.gz rank1.pt.trace.json.gz
  inferdx inspect server.log result.json
  inferdx inspect ncu-raw.csv --format json`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "json"); err != nil {
				return err
			}
			if len(args) == 0 {
				return usage("inferdx inspect FILE", "no file is named")
			}
			if link != "" {
				if err := config.CheckTraceLink(link); err != nil {
					return usage("as https://jaeger.example/trace/{trace_id}", "--trace-link: %w", err)
				}
			}
			in, err := inspected(args)
			if format == "json" {
				return errors.Join(in.writeJSON(a.out), err)
			}
			return errors.Join(in.writeText(a.out, link), err)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().StringVar(&link, "trace-link", "", "address of a trace, as https://jaeger.example/trace/{trace_id}")
	return cmd
}

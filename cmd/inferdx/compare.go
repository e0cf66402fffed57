package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/render"
)

// comparison are the flags of `inferdx compare`.
type comparison struct {
	prometheus    prometheus
	http          httpFlags
	before, after string
	target        string
	objectives    evidence
	cost          float64
	looks         looks
	folders       folders
}

func (a *app) compare() *cobra.Command {
	o := &comparison{}
	cmd := &cobra.Command{
		Use:   "compare BEFORE AFTER | RECORDING --before FROM/TO --after FROM/TO | --prometheus URL --before FROM/TO --after FROM/TO",
		Short: "Say whether a change helped",
		Long: `Compares what a server was seen doing before and after a change: latencies, throughput, lost requests,
each with an interval that says how sure it is, under a load that is checked to be the same.

BEFORE and AFTER are recordings as 'inferdx record' writes them, or folders that hold metrics.om.gz; or both are results of the same
benchmark (vllm bench, sglang.bench_serving, GuideLLM, AIPerf, inference-perf), of which --target names a run where there are several.
The ends of a range are RFC 3339, seconds since 1970, now, or -10m (before now, or before the end of the
recording); in a recording also 30s (after its start). An empty end is the recording's own.

Exit status: 0 improved or unchanged, 1 could not be read, 2 usage, 3 worse, 4 cannot tell.`,
		Example: `  inferdx compare before.om.gz after.om.gz
  inferdx compare bench-before.json bench-after.json
  inferdx compare incident.om.gz --before 0s/40s --after 60s/
  inferdx compare --prometheus http://prometheus:9090 --target h200-0:8000 --before -2h/-1h --after -30m/now`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCompare(cmd, o, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.before, "before", "", "the stretch before the change, as FROM/TO")
	f.StringVar(&o.after, "after", "", "the stretch after it, as FROM/TO")
	f.StringVar(&o.target, "target", "", "the server, where there are several: its instance, a label's value, or LABEL=VALUE; of a benchmark the run: its name, or #2")
	o.prometheus.flags(f)
	o.objectives.objectiveFlags(f)
	f.Float64Var(&o.cost, "cost-per-hour", 0, "what the server costs in an hour; adds the cost per million output tokens")
	o.looks.flags(f)
	f.StringArrayVar(&o.folders.signals, "signals", nil, "folder with meaning/*.yaml and dialects/*.yaml of your own (repeatable)")
	o.http.flags(f)
	return cmd
}

func (a *app) runCompare(cmd *cobra.Command, o *comparison, args []string) error {
	if err := o.check(args); err != nil {
		return err
	}
	if isBench, err := o.benchmarks(args); err != nil {
		return err
	} else if isBench {
		return a.compareBenchmarks(cmd, o, args)
	}
	options, err := o.options(cmd)
	if err != nil {
		return err
	}
	c, err := o.folders.load()
	if err != nil {
		return err
	}
	stretches, err := o.read(cmd.Context(), args, c)
	if err != nil {
		return err
	}
	before, after, err := pickBoth(c.Signals, o.target, stretches)
	if err != nil {
		return err
	}
	result := compare.Run(
		compare.Read(c.Signals, before, stretches[0].Range),
		compare.Read(c.Signals, after, stretches[1].Range), options)
	result.Notes = append(result.Notes, faultsOf(stretches)...)
	return a.answer(o, result)
}

func (o *comparison) check(args []string) error {
	switch {
	case o.prometheus.url != "" && len(args) > 0:
		return usage("`inferdx compare --help` shows the three ways", "recordings and --prometheus cannot be compared with each other")
	case len(args) > 2:
		return usage("`inferdx compare --help` shows the usage", "unexpected argument %q", args[2])
	case o.prometheus.url == "" && len(args) == 0:
		return usage("as `inferdx compare before.om.gz after.om.gz`", "inferdx compare needs BEFORE and AFTER, or --prometheus")
	case len(args) < 2 && (o.before == "" || o.after == ""):
		return usage("as --before 0s/40s --after 60s/ in a recording, --before -2h/-1h --after -30m/now with --prometheus",
			"one recording or --prometheus needs --before and --after")
	case len(o.prometheus.match) > 0 && o.prometheus.url == "":
		return usage("--match belongs to --prometheus", "--match needs --prometheus")
	case o.prometheus.offset < 0:
		return usage("as 30s", "--query-offset must not be negative")
	case o.cost < 0:
		return usage("as 2.5", "--cost-per-hour must not be negative")
	}
	return o.looks.check()
}

func (o *comparison) options(cmd *cobra.Command) (compare.Options, error) {
	set, err := o.objectives.settings(cmd.Flags())
	return compare.Options{
		TTFT: set["slo_ttft_p99_s"], TPOT: set["slo_tpot_p99_s"], E2E: set["slo_e2e_p99_s"], CostPerHour: o.cost,
	}, err
}

// faultsOf are the queries that failed on either side.
func faultsOf(stretches [2]stretch) []string {
	var out []string
	for i, s := range stretches {
		for _, f := range s.faults {
			out = append(out, fmt.Sprintf("%s: %s: %s", [2]string{"before", "after"}[i], f.Source, f.Err))
		}
	}
	return out
}

func (l *looks) printComparison(w io.Writer, r compare.Result) error {
	switch l.format {
	case "json":
		return render.CompareJSON(w, r)
	case "markdown":
		return render.CompareMarkdown(w, r)
	default:
		return render.CompareText(w, r, render.TextOptions{Width: width(w), Colour: l.colour(w)})
	}
}

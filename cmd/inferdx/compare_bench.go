package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/evidence/bench"
	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// benchmarks says whether the two files are results of benchmarks. One alone is a fault of usage.
func (o *comparison) benchmarks(args []string) (bool, error) {
	found := 0
	for _, path := range args {
		if head, err := packed.Head(metricsOf(path), 64<<10); err == nil && bench.Recognise(head) {
			found++
		}
	}
	switch {
	case found == 0:
		return false, nil
	case found != len(args) || found != 2:
		return false, usage("compare two recordings, or the results of two benchmarks", "one of the files is the result of a benchmark and the other is not")
	case o.before != "" || o.after != "":
		return false, usage("leave --before and --after out", "the result of a benchmark has no stretches")
	}
	return true, nil
}

// compareBenchmarks compares one run of each file.
func (a *app) compareBenchmarks(cmd *cobra.Command, o *comparison, args []string) error {
	options, err := o.options(cmd)
	if err != nil {
		return err
	}
	files, err := openBenchmarks(args)
	if err != nil {
		return err
	}
	before, after, err := pair(files[0], files[1], o.target)
	if err != nil {
		return err
	}
	return a.answer(o, compare.Clients(clientOf(files[0], before), clientOf(files[1], after), options))
}

// pair chooses the runs that are compared: the only ones, or the only ones with the same load. Of a sweep --target names one.
func pair(before, after *bench.File, target string) (b, a *bench.Run, err error) {
	var runs [2][]*bench.Run
	for i, f := range []*bench.File{before, after} {
		for k, r := range f.Runs {
			if target == "" || target == r.Name || target == fmt.Sprintf("#%d", k+1) || strings.EqualFold(target, r.Workload) {
				runs[i] = append(runs[i], r)
			}
		}
		if len(runs[i]) == 0 {
			return nil, nil, usage("runs: "+runNames(f.Runs), "%s has no run that --target %q fits", f.Path, target)
		}
	}
	if len(runs[0]) == 1 && len(runs[1]) == 1 {
		return runs[0][0], runs[1][0], nil
	}
	found := 0
	for _, x := range runs[0] {
		for _, y := range runs[1] {
			if x.SameLoad(y) {
				b, a, found = x, y, found+1
			}
		}
	}
	if found == 1 {
		return b, a, nil
	}
	return nil, nil, usage("before: "+runNames(runs[0])+"; after: "+runNames(runs[1]), "there are several runs, and --target must name one")
}

func runNames(runs []*bench.Run) string {
	var out []string
	for i, r := range runs {
		name := r.Name
		if name == "" {
			name = fmt.Sprintf("#%d", i+1)
		}
		out = append(out, name)
	}
	return strings.Join(out, ", ")
}

// clientOf gives a run to the comparison.
func clientOf(f *bench.File, r *bench.Run) compare.Client {
	name := filepath.Base(f.Path)
	if len(f.Runs) > 1 {
		name += " " + r.Name
	}
	c := compare.Client{
		Name: name, Words: r.Summary(), Tool: r.Tool, Model: r.Model, Workload: r.Workload, From: r.Start, To: r.End,
		Rate: r.Rate, Cap: r.Cap, Unlimited: r.Unlimited || r.Kind == bench.Throughput, Prompt: r.Input.Mean, Output: r.Output.Mean,
		Completed: r.Completed, Failed: r.Failed, Figures: r.Figures(),
	}
	if q := r.Requests; q != nil {
		c.Requests = map[string][]float64{"ttft": q.TTFT, "tpot": q.TPOT, "e2e": q.E2E}
	}
	return c
}

// answer prints a comparison and gives the exit status.
func (a *app) answer(o *comparison, r compare.Result) error {
	if err := o.looks.printComparison(a.out, r); err != nil {
		return err
	}
	switch r.Verdict {
	case compare.Worse:
		return status(exitFindings)
	case compare.CannotTell:
		return status(exitUnknown)
	}
	return nil
}

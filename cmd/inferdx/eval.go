package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/internal/eval"
)

// evaluation are the flags of `inferdx eval`.
type evaluation struct {
	format     string
	splits     []string
	conditions []string
	margins    bool
	fit        bool
	verbose    bool
	folders    folders
}

func newEvalCommand(a *app) *cobra.Command {
	o := &evaluation{}
	cmd := &cobra.Command{
		Use:   "eval [DIR]",
		Short: "Measure the diagnosis on recordings with known causes",
		Long: `Diagnoses every recording below DIR (default the built-in ones) and says how often the right cause
came first (AC@1) or among the first three (AC@3; any one listed cause is a hit), the mean reciprocal
rank, false alarms on healthy servers, abstentions and calibration, beside what simpler methods reach.

DIR holds one folder a recording, with metrics.om.gz and scenario.yaml; DIR/cases holds incidents in
figures. Recordings with split: heldout (kept for tests), probe (made afterwards to break the rules) or simulated
are reported apart and take no part in --fit and --margins.`,
		Example: `  inferdx eval
  inferdx eval corpus --split given --verbose
  inferdx eval --margins --fit`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error { return a.runEval(o, args) },
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.format, "format", "text", "text or json")
	f.StringSliceVar(&o.splits, "split", nil, strings.Join(eval.SplitNames(), ", ")+" (repeatable; default every one, each apart)")
	f.StringSliceVar(&o.conditions, "condition", nil, "conditions by name, or all (repeatable; default what is known, from everything to the server's own page)")
	f.BoolVar(&o.margins, "margins", false, "print the nearest corpus value of each threshold, and what moving it by a fifth does")
	f.BoolVar(&o.fit, "fit", false, "fit temperature and bias, load families and rigs left out in turn")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "list every look that came out wrong")
	o.folders.flags(f)
	return cmd
}

func (a *app) runEval(o *evaluation, args []string) error {
	if err := oneOf("format", o.format, "text", "json"); err != nil {
		return err
	}
	for _, s := range o.splits {
		if err := oneOf("split", s, eval.SplitNames()...); err != nil {
			return err
		}
	}
	conditions, err := o.names()
	if err != nil {
		return err
	}
	dir, err := evalFolder(args)
	if err != nil {
		return err
	}
	r, err := eval.Measure(eval.Options{
		Corpus: dir, Splits: o.splits, Conditions: conditions, Content: o.folders.load, Margins: o.margins, Fit: o.fit,
	})
	if errors.Is(err, eval.ErrNoRecordings) {
		return usage("a corpus has one folder a recording, with metrics.om.gz and scenario.yaml", "%w", err)
	}
	if err != nil {
		return err
	}
	if o.format == "text" {
		return r.Text(a.out, o.verbose)
	}
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func (o *evaluation) names() ([]string, error) {
	var known []string
	for _, c := range eval.Conditions() {
		known = append(known, c.Name)
	}
	if len(o.conditions) == 1 && o.conditions[0] == "all" {
		return known, nil
	}
	for _, c := range o.conditions {
		if err := oneOf("condition", c, known...); err != nil {
			return nil, err
		}
	}
	return o.conditions, nil
}

func evalFolder(args []string) (fs.FS, error) {
	switch len(args) {
	case 0:
		return corpus.Recordings(), nil
	case 1:
	default:
		return nil, usage("`inferdx eval --help` shows the usage", "unexpected argument %q", args[1])
	}
	if info, err := os.Stat(args[0]); err != nil || !info.IsDir() {
		return nil, usage("give the folder that holds the recordings' folders", "%s is no folder", args[0])
	}
	return os.DirFS(args[0]), nil
}

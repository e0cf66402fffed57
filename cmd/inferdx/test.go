package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/ruletest"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/rules"
)

func (a *app) test() *cobra.Command {
	return group("test", "Run the tests of rules and playbooks", a.testRules())
}

func (a *app) testRules() *cobra.Command {
	var o folders
	var strict, verbose bool
	cmd := &cobra.Command{
		Use:   "rules [DIR...]",
		Short: "Run the tests that lie beside rules and playbooks",
		Long: `Runs ID.test.yaml beside each ID.yaml of the given folders; without any folder, those of the built-in
rules and playbooks. Exit status: 0 when all pass, 1 when not, 2 usage.`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.rules = append(o.rules, args...)
			return a.runTests(&o, strict || len(o.rules)+len(o.playbooks) == 0, verbose)
		},
	}
	o.flags(cmd.Flags())
	cmd.Flags().BoolVar(&strict, "strict", false, "a rule that lacks a test, or its test one of the three cases, is a fault")
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "list every case")
	return cmd
}

func (a *app) runTests(o *folders, strict, verbose bool) error {
	c, err := o.load()
	var faults yamlpos.Problems
	if errors.As(err, &faults) {
		_, _ = fmt.Fprintln(a.err, printable(faults.Error()))
		return &failure{
			code: exitFailure, hints: o.misplaced(),
			err: fmt.Errorf("nothing was tested: the rules or playbooks have %s", count(len(faults), "fault")),
		}
	}
	if err != nil {
		return err
	}
	own, err := o.systems()
	if err != nil {
		return err
	}
	results, err := ruletest.Run(c, pipeline.New(c, nil, engine.Fit{}), own...)
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	lacking := ruletest.Require(own...)
	paths := append(append([]string{}, o.rules...), o.playbooks...)
	failed := 0
	for _, r := range results {
		word := "ok  "
		if r.Err != nil {
			failed++
			word = "FAIL"
			_, _ = fmt.Fprintf(a.err, "%s: %s\n", printable(r.Name), printable(located(r.Err, paths).Error()))
		}
		if verbose {
			_, _ = fmt.Fprintf(a.out, "%s %s:%d %s\n", word, r.File, r.Line, printable(r.Name))
		}
	}
	if strict {
		faults = append(faults, lacking...)
	} else if len(lacking) > 0 {
		_, _ = fmt.Fprintln(a.err, "warning: "+printable(located(lacking, paths).Error()))
	}
	if len(faults) > 0 {
		_, _ = fmt.Fprintln(a.err, printable(located(faults, paths).Error()))
	}
	if failed+len(faults) > 0 {
		return unreadable("", "%d of %s failed, %s in test files", failed, count(len(results), "case"), count(len(faults), "fault"))
	}
	_, err = fmt.Fprintf(a.out, "%s passed\n", count(len(results), "case"))
	return err
}

// systems are the folders whose tests are run: the user's, or the built-in ones where none is given.
func (o *folders) systems() ([]fs.FS, error) {
	mine, err := open("rules", o.rules)
	if err != nil {
		return nil, err
	}
	books, err := open("playbooks", o.playbooks)
	if err != nil {
		return nil, err
	}
	if mine = append(mine, books...); len(mine) > 0 {
		return mine, nil
	}
	return []fs.FS{rules.Builtin(), playbooks.Builtin()}, nil
}

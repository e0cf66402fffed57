package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

func (a *app) check() *cobra.Command {
	return group("check", "Check files and report all their faults at once", a.checkRules(), a.checkConfig())
}

func (a *app) checkRules() *cobra.Command {
	var o folders
	cmd := &cobra.Command{
		Use:   "rules [DIR...]",
		Short: "Check symptom rules and playbooks",
		Long: `Checks the symptom rules of the given folders and the playbooks of --playbooks together with the
built-in ones; without any folder, the built-in ones. Every fault of every file is reported with its
place. Exit status: 0 without a fault, 1 with some, 2 usage (a folder without any .yaml file, too).`,
		RunE: func(_ *cobra.Command, args []string) error {
			o.rules = append(o.rules, args...)
			c, err := o.load()
			var ps yamlpos.Problems
			if errors.As(err, &ps) {
				_, _ = fmt.Fprintln(a.err, printable(ps.Error()))
				return &failure{code: exitFailure, err: errors.New(count(len(ps), "fault")), hints: o.misplaced()}
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.out, "no fault in %s\n", inventory(c))
			return err
		},
	}
	o.flags(cmd.Flags())
	return cmd
}

func inventory(c *content.Content) string {
	knobs := 0
	for _, e := range c.Knobs.Engines() {
		knobs += len(c.Knobs.IDs(e))
	}
	return fmt.Sprintf("%s, %s, %s and %s", count(len(c.Rules.All()), "symptom"), count(len(c.Playbooks.All()), "cause"),
		count(len(c.Signals.IDs()), "signal"), count(knobs, "knob"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

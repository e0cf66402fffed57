package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

func (a *app) checkConfig() *cobra.Command {
	var warningsFail bool
	cmd := &cobra.Command{
		Use:   "config FILE...",
		Short: "Check configuration files of serve",
		Long: `Checks configuration files of serve as serve itself does, with the rules, playbooks, signals,
templates and secrets that they name. Every fault of every file is reported with its place. Exit status:
0 without a fault, 1 with some, 2 usage, 3 with warnings alone under --lint-fatal.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("`inferdx check config inferdx.yml`", "%s needs a file", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(_ *cobra.Command, files []string) error {
			faults, warnings := 0, 0
			for _, file := range files {
				s, err := setup.Load(file)
				if s != nil {
					warnings += len(s.Warnings)
					a.warn(s.Warnings)
				}
				var ps yamlpos.Problems
				switch {
				case errors.As(err, &ps):
					faults += len(ps)
					_, _ = fmt.Fprintln(a.err, printable(ps.Error()))
				case err != nil:
					return err
				default:
					if err := buildable(s); err != nil { // no place in the file is to blame for what its files hold
						faults++
						_, _ = fmt.Fprintln(a.err, printable(file+": "+err.Error()))
						continue
					}
					_, _ = fmt.Fprintf(a.out, "%s: no fault in %s, with %s\n", printable(file), configured(s.Config), inventory(s.Content))
				}
			}
			switch {
			case faults > 0:
				return unreadable("", "%s", count(faults, "fault"))
			case warnings > 0 && warningsFail:
				return status(exitFindings)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&warningsFail, "lint-fatal", false, "end with status 3 where there are warnings")
	return cmd
}

// buildable makes the receivers as serve does, and lets go of them. Nothing is sent.
func buildable(s *setup.Setup) error {
	set, err := receivers.Build(s.Config, s.Templates, receivers.Options{})
	if err != nil {
		return err
	}
	set.Close()
	return nil
}

func (a *app) warn(ps config.Warnings) {
	for _, p := range ps {
		_, _ = fmt.Fprintln(a.err, "warning: "+printable(p.Error()))
	}
}

func configured(c *config.Config) string {
	return fmt.Sprintf("%s, %s and %s", count(len(c.URLs)+len(c.ScrapeConfigs), "scrape job"),
		count(len(c.Prometheus), "Prometheus server"), count(len(c.Receivers), "receiver"))
}

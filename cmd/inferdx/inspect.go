package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/evidence/profiles"
)

// inspect says what profiles show by themselves, without a server's metrics.
func (a *app) inspect() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what a profile of a server shows",
		Long: `Reads profiles, each told by its content, and says what they show: PyTorch traces (several are the ranks of one model),
PyTorch memory snapshots and summaries, Nsight Compute pages, Nsight Systems exports. What they mean for a diagnosis:
inferdx diagnose --profile.`,
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
			ps, err := openProfiles(args)
			if format == "json" {
				return errors.Join(a.inspectJSON(ps), err)
			}
			return errors.Join(a.inspectText(ps), err)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func (a *app) inspectText(ps []profiles.Profile) error {
	for i, p := range ps {
		if i > 0 {
			_, _ = fmt.Fprintln(a.out)
		}
		if err := p.WriteText(a.out); err != nil {
			return err
		}
	}
	if r := profiles.Ranks(ps); r != nil && r.Finding() != "" {
		_, _ = fmt.Fprintln(a.out, "\n"+r.Finding())
	}
	return nil
}

func (a *app) inspectJSON(ps []profiles.Profile) error {
	if len(ps) == 0 {
		return nil
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(struct {
		Version  string             `json:"version"`
		Profiles []profiles.Profile `json:"profiles"`
	}{"1", ps})
}

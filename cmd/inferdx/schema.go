package main

import (
	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/render"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [diagnosis]",
		Short: "Print the JSON Schema of `diagnose --format json`",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "diagnosis" {
				return usage("the only schema is `inferdx schema diagnosis`", "there is no schema %q", args[len(args)-1])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			text, err := render.Schema()
			if err != nil {
				return err
			}
			_, err = a.out.Write(text)
			return err
		},
	}
}

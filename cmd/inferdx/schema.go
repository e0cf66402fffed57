package main

import (
	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/render"
)

func (a *app) schema() *cobra.Command {
	schemas := map[string]func() ([]byte, error){"diagnosis": render.Schema, "compare": render.CompareSchema}
	return &cobra.Command{
		Use:   "schema [diagnosis|compare]",
		Short: "Print the JSON Schema of `diagnose --format json` or `compare --format json`",
		RunE: func(_ *cobra.Command, args []string) error {
			of := "diagnosis"
			if len(args) > 0 {
				of = args[0]
			}
			schema, ok := schemas[of]
			if !ok || len(args) > 1 {
				return usage("there are `inferdx schema diagnosis` and `inferdx schema compare`", "there is no schema %q", args[len(args)-1])
			}
			text, err := schema()
			if err != nil {
				return err
			}
			_, err = a.out.Write(text)
			return err
		},
	}
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

func (a *app) schema() *cobra.Command {
	schemas := map[string]func() ([]byte, error){"diagnosis": render.Schema, "compare": render.CompareSchema, "replay": render.ReplaySchema, "webhook": webhook.Schema}
	return &cobra.Command{
		Use:   "schema [diagnosis|compare|replay|webhook]",
		Short: "Print the JSON Schema of `diagnose --format json`, of `compare` and `replay --format json`, or of what webhooks are sent",
		RunE: func(_ *cobra.Command, args []string) error {
			of := "diagnosis"
			if len(args) > 0 {
				of = args[0]
			}
			schema, ok := schemas[of]
			if !ok || len(args) > 1 {
				return usage("the schemas are `inferdx schema diagnosis`, `inferdx schema compare`, `inferdx schema replay` and `inferdx schema webhook`", "there is no schema %q", args[len(args)-1])
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

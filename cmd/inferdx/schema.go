package main

import (
	"github.com/spf13/cobra"

	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

func (a *app) schema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [diagnosis|webhook]",
		Short: "Print the JSON Schema of `diagnose --format json`, or of what webhooks are sent",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) == 1 && args[0] != "diagnosis" && args[0] != "webhook" {
				return usage("the schemas are `inferdx schema diagnosis` and `inferdx schema webhook`", "there is no schema %q", args[len(args)-1])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			schema := render.Schema
			if len(args) == 1 && args[0] == "webhook" {
				schema = webhook.Schema
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

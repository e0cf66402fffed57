package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// app is what the commands share: where they write to.
type app struct {
	in       io.Reader
	out, err io.Writer
}

// run is the program: arguments in, exit status out.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second ctrl-C kills
	a := &app{in: in, out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	return report(errOut, root.ExecuteContext(ctx))
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "inferdx",
		Short: "Says what hurts on an LLM inference server, why, and what to turn",
		Long: `inferdx reads the metrics of an LLM inference server (a recording, the live endpoints, or a
Prometheus-compatible API) and says what hurts, why, what to turn, and what it could not see.

Start with: inferdx demo`,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetVersionTemplate("inferdx {{.Version}}\n")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(a.diagnose(), a.serve(), a.notify(), a.compare(), a.replay(), a.record(), a.inspect(), a.demo(), a.explain(), a.check(), a.test(), a.create(), a.schema(), a.docs(), newEvalCommand(a), a.version())
	return root
}

// unknownCommand is also what a group of commands answers to a word that is none of its own.
func unknownCommand(cmd *cobra.Command, word string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	hint := "commands: " + strings.Join(names, ", ")
	if near := yamlpos.Nearest(word, names); near != "" {
		hint = "did you mean `" + cmd.CommandPath() + " " + near + "`?"
	}
	return usage(hint, "unknown command %q for %q", word, cmd.CommandPath())
}

// group makes a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return usage("`"+cmd.CommandPath()+" --help` lists them", "%s needs a command", cmd.CommandPath())
		},
	}
	c.AddCommand(children...)
	return c
}

// flagError tells flags that do not exist from values that do not fit.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return usage("`"+cmd.CommandPath()+" --help` lists the flags", "%w", err)
	}
	if cmd.HasSubCommands() { // a mistyped command leaves its flags to its parent
		for _, w := range cmd.Flags().Args() {
			return unknownCommand(cmd, w)
		}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	hint := "`" + cmd.CommandPath() + " --help` lists the flags"
	if near := yamlpos.Nearest(unknown.GetSpecifiedName(), names); near != "" {
		hint = "did you mean --" + near + "?"
	}
	return usage(hint, "%w", err)
}

// exactly checks the number of arguments and says what they are.
func exactly(what ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > len(what):
			hint := "`" + cmd.CommandPath() + " --help` shows the usage"
			if kind := evidenceKind(metricsOf(args[len(what)])); kind != "" && cmd.Flags().Lookup(kind) != nil {
				hint = "give it with --" + kind + " " + args[len(what)]
			}
			return usage(hint, "unexpected argument %q", args[len(what)])
		case len(args) < len(what):
			return usage("`"+cmd.CommandPath()+" --help` shows the usage", "%s needs %s", cmd.CommandPath(), what[len(args)])
		}
		return nil
	}
}

// oneOf checks a flag that takes one word of several.
func oneOf(flag, value string, allowed ...string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	hint := "one of " + strings.Join(allowed, ", ")
	if near := yamlpos.Nearest(value, allowed); near != "" {
		hint = "did you mean " + near + "? (" + hint + ")"
	}
	return usage(hint, "--%s %q is not known", flag, value)
}

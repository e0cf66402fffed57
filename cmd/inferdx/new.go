package main

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"
)

var (
	//go:embed template/rule.yaml
	ruleTemplate []byte
	//go:embed template/rule.test.yaml
	ruleTestTemplate []byte
	//go:embed template/playbook.yaml
	playbookTemplate []byte
	//go:embed template/playbook.test.yaml
	playbookTestTemplate []byte
)

var kebab = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)

func (a *app) create() *cobra.Command {
	return group("new", "Start a rule or a playbook of your own",
		a.createFrom("rule", "Write a symptom rule and its test to edit", "rules", ruleTemplate, ruleTestTemplate),
		a.createFrom("playbook", "Write a playbook and its test to edit", "playbooks", playbookTemplate, playbookTestTemplate))
}

func (a *app) createFrom(kind, short, folder string, text, test []byte) *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use: kind + " ID", Short: short, Args: exactly("an id"),
		RunE: func(_ *cobra.Command, args []string) error {
			id := args[0]
			if !kebab.MatchString(id) {
				return usage("the id names what is seen (rule) or what is wrong (playbook), as queue-growing", "the id %q is not in kebab case", id)
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("new %s: %w", kind, err)
			}
			path := filepath.Join(dir, id)
			for _, x := range []struct {
				name string
				text []byte
			}{{path + ".yaml", text}, {path + ".test.yaml", test}} {
				if err := writeNew(x.name, x.text); err != nil {
					return err
				}
			}
			flag := "--" + folder + " "
			if folder == "rules" {
				flag = ""
			}
			_, err := fmt.Fprintf(a.out, "%s.yaml\n%s.test.yaml\n\ninferdx check rules %s%s\ninferdx test rules %s%s\ninferdx diagnose --%s %s …\n",
				path, path, flag, dir, flag, dir, folder, dir)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", ".", "folder to write to")
	return cmd
}

// writeNew never writes over what somebody has written.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return unreadable("choose another id or --dir", "%s is already there", path)
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

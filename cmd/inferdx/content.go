package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// folders are the user's rules and playbooks beside the built-in ones.
type folders struct {
	rules, playbooks, signals []string
	noBuiltin                 bool
}

func (o *folders) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&o.rules, "rules", nil, "folder of your own symptom rules; one of a built-in's id replaces it, `disabled: true` takes it away (repeatable)")
	f.StringArrayVar(&o.playbooks, "playbooks", nil, "folder of your own playbooks, likewise (repeatable)")
	f.StringArrayVar(&o.signals, "signals", nil, "folder with meaning/*.yaml and dialects/*.yaml of your own; a signal may be a `promql:` query (repeatable)")
	f.BoolVar(&o.noBuiltin, "no-builtin", false, "leave the built-in rules and playbooks out")
	unquoteUsage(f, "rules", "playbooks", "signals")
}

// unquoteUsage keeps pflag from taking a quoted word of the usage for the name of the value.
func unquoteUsage(f *pflag.FlagSet, names ...string) {
	for _, n := range names {
		flag := f.Lookup(n)
		flag.Usage = strings.ReplaceAll(flag.Usage, "`", "'")
	}
}

// load reads the content; its error lists every fault of every file.
func (o *folders) load() (*content.Content, error) {
	opts := content.Options{NoBuiltin: o.noBuiltin, PromQL: promadapter.Parse}
	var err error
	if opts.Signals, err = open("signals", o.signals); err != nil {
		return nil, err
	}
	if opts.Rules, err = open("rules", o.rules); err != nil {
		return nil, err
	}
	if opts.Playbooks, err = open("playbooks", o.playbooks); err != nil {
		return nil, err
	}
	c, err := content.Load(opts)
	if err != nil {
		return c, located(err, slices.Concat(o.rules, o.playbooks, o.signals))
	}
	return c, nil
}

// pipeline is the one path from samples to a report over the content.
func (o *folders) pipeline() (*pipeline.Pipeline, error) {
	c, err := o.load()
	if err != nil {
		var ps yamlpos.Problems
		if errors.As(err, &ps) {
			hints := append(o.misplaced(), "`inferdx check rules` takes the same folders")
			return nil, &failure{code: exitUsage, err: fmt.Errorf("the rules or playbooks have faults:\n%w", err), hints: hints}
		}
		return nil, err
	}
	return pipeline.New(c, corpus.Behind(), engine.Fit{}), nil
}

// open makes a file system of each folder. A single file is taken, too.
func open(what string, paths []string) ([]fs.FS, error) {
	var out []fs.FS
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return nil, usage("give a folder of YAML files", "%s: %w", what, err)
		}
		mine := userFS{FS: os.DirFS(p)}
		if !info.IsDir() {
			mine = userFS{FS: os.DirFS(filepath.Dir(p)), only: filepath.Base(p)}
		}
		if err := holdsFiles(what, p, mine); err != nil {
			return nil, err
		}
		out = append(out, mine)
	}
	return out, nil
}

// userFS hides dot files: Kubernetes mounts each file of a ConfigMap twice, once below ..data.
// With only set it shows that file and its test alone.
type userFS struct {
	fs.FS

	only string
}

func (u userFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(u.FS, name)
	kept := entries[:0]
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case u.only != "" && e.Name() != u.only && e.Name() != strings.TrimSuffix(u.only, ".yaml")+".test.yaml":
		default:
			kept = append(kept, e)
		}
	}
	return kept, err
}

// located gives the faults of the user's files their path from here.
func located(err error, paths []string) error {
	var ps yamlpos.Problems
	if !errors.As(err, &ps) {
		return err
	}
	for _, p := range ps {
		for _, root := range paths {
			if path, ok := holds(root, p); ok {
				p.File = path
				break
			}
		}
	}
	return ps
}

// holds finds the file of a fault below a root. The line of the fault tells files of one name apart.
func holds(root string, p *yamlpos.Problem) (string, bool) {
	path := filepath.Join(root, filepath.FromSlash(p.File))
	if filepath.Base(root) == p.File && filepath.Ext(root) == ".yaml" {
		path = root
	}
	src, err := os.ReadFile(path)
	return path, err == nil && (p.Text == "" || strings.Contains(string(src), p.Text))
}

// Package setup loads all that `inferdx serve` runs with: its configuration and the content that it
// names. `inferdx check config` loads by the same function, so that both accept exactly the same.
package setup

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/contentdir"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/internal/shape"
	"github.com/inferdx/inferdx/internal/yamlpos"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/rules"
)

// Setup is one checked configuration with its content.
type Setup struct {
	Config  *config.Config
	Content *content.Content
	// Shapes are those of the configuration's models, in their order; nil where an entry has none.
	Shapes []*shape.Shape
	// Templates are the texts of the template files by their path.
	Templates map[string][]byte
	Warnings  config.Warnings
	// Hash changes with the configuration file and every file that it names.
	Hash string
}

// Load reads the configuration file and everything that it names. The error lists every fault of every
// file; the Setup then holds the warnings and the hash alone.
func Load(path string) (*Setup, error) {
	s, err := config.Read(path)
	if err != nil {
		return nil, err
	}
	out := &Setup{Hash: s.Hash(), Templates: s.Templates()}
	var faults yamlpos.Problems
	cfg, warnings, err := s.Load()
	out.Warnings = warnings
	if err != nil && !gather(&faults, err) {
		return out, err
	}
	ruleFiles, bookFiles := s.Rules(), s.Playbooks()
	disable, err := s.Disable(ids(rules.Builtin(), playbooks.Builtin(), ruleFiles, bookFiles))
	gather(&faults, err)
	c, err := content.Load(content.Options{
		Rules: []fs.FS{ruleFiles}, Playbooks: []fs.FS{bookFiles}, Signals: []fs.FS{s.Signals()},
		PromQL: promadapter.Parse, Disable: disable,
	})
	if err != nil && !gather(&faults, original(s, err)) {
		return out, err
	}
	if len(faults) > 0 {
		return out, faults
	}
	for _, m := range cfg.Models {
		one, err := s.Shape(m)
		if err != nil {
			return out, err
		}
		out.Shapes = append(out.Shapes, one)
	}
	out.Config, out.Content = cfg, c
	return out, nil
}

// gather adds faults to the others, and says whether they were some.
func gather(all *yamlpos.Problems, err error) bool {
	var ps yamlpos.Problems
	if !errors.As(err, &ps) {
		return false
	}
	*all = append(*all, ps...)
	return true
}

// original names the users' files as they wrote them.
func original(s *config.Snapshot, err error) error {
	var ps yamlpos.Problems
	if !errors.As(err, &ps) {
		return err
	}
	for _, p := range ps {
		p.File = s.Original(p.File)
		p.Msg, p.Hint = s.Originals(p.Msg), s.Originals(p.Hint)
	}
	return ps
}

// ids are those of the symptoms or causes in the file systems: their file names.
func ids(systems ...fs.FS) []string {
	var out []string
	for _, fsys := range systems {
		_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && contentdir.IsContent(name) {
				out = append(out, contentdir.ID(name))
			}
			return nil
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

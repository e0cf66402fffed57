package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Snapshot is a configuration file and the files that it names, read at one moment: when a ConfigMap is
// replaced in between, everything is read again. Secrets are no part of it.
type Snapshot struct {
	path, dir string
	reader    *reader
	text      []byte
	raw       Config // as far as it could be decoded, for the names of files
	names     map[string]string
}

// Read reads a configuration file and the files that it names. It fails where the configuration file
// cannot be read; what else is wrong is for Load to say.
func Read(path string) (*Snapshot, error) {
	for range maxReads {
		s := &Snapshot{
			path: path, dir: filepath.Dir(path), names: map[string]string{},
			reader: &reader{dir: filepath.Dir(path), files: map[string]file{}, globs: map[Glob]matched{}},
		}
		var err error
		if s.text, err = s.reader.read(path); err == nil {
			s.readAll()
		}
		if !s.reader.settled() {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read configuration: %w", err)
		}
		return s, nil
	}
	return nil, fmt.Errorf("read configuration %s: %w", path, errChanging)
}

func (s *Snapshot) readAll() {
	_, _ = yamlpos.Decode(s.path, s.text, &s.raw)
	for _, globs := range [][]Glob{s.raw.RuleFiles, s.raw.PlaybookFiles, s.raw.SignalFiles, s.raw.Templates} {
		for _, g := range globs {
			files, _ := s.reader.glob(g)
			for _, f := range files {
				_, _ = s.reader.read(f)
			}
		}
	}
	for _, l := range s.raw.Launch {
		if l != nil && l.ArgsFile != "" {
			_, _ = s.reader.read(join(s.dir, string(l.ArgsFile)))
		}
	}
	for _, m := range s.raw.Models {
		if m != nil && m.ConfigFile != "" {
			_, _ = s.reader.read(join(s.dir, string(m.ConfigFile)))
		}
	}
}

// Load is Read and Load in one.
func Load(path string) (*Config, Warnings, error) {
	s, err := Read(path)
	if err != nil {
		return nil, nil, err
	}
	return s.Load()
}

// Hash changes whenever the configuration file or a file that it names does. Secrets don't count: they are
// read anew each time they are used.
func (s *Snapshot) Hash() string {
	h := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(s.reader.files)) {
		f := s.reader.files[path]
		fmt.Fprintf(h, "%q %d %t\n", path, len(f.text), f.err != nil)
		_, _ = h.Write(f.text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Hash reads the files of a configuration and gives the hash of what they hold now.
func Hash(path string) (string, error) {
	s, err := Read(path)
	if err != nil {
		return "", err
	}
	return s.Hash(), nil
}

// Load checks the configuration and fills in its defaults. The error lists every fault of the file with
// its place, and none of them shows a secret.
func (s *Snapshot) Load() (*Config, Warnings, error) {
	c := &check{cfg: &Config{}, dir: s.dir}
	var root yaml.Node
	var err error
	if c.src, err = yamlpos.Decode(s.path, s.text, &root); err != nil {
		return nil, nil, s.cleared(err)
	}
	if root.Kind != 0 {
		c.root = at(&root)
	}
	if _, err = yamlpos.Decode(s.path, s.text, c.cfg); err != nil && !errors.As(err, &c.syntax) {
		return nil, nil, s.cleared(err)
	}
	c.run()
	s.files(c)
	warnings := s.masked(c.warnings)
	if err := append(c.syntax, c.problems...).Err(); err != nil {
		return nil, warnings, s.cleared(err)
	}
	return c.cfg, warnings, nil
}

// files checks the files that the configuration names, but for what is in them.
func (s *Snapshot) files(c *check) {
	content := func(what string, match place, path string) {
		if filepath.Ext(path) != ".yaml" {
			c.fault(match, "", "%s: the files of %s end in .yaml", path, what)
		}
	}
	s.globs(c, "rule_files", c.cfg.RuleFiles, content)
	s.globs(c, "playbook_files", c.cfg.PlaybookFiles, content)
	s.globs(c, "signal_files", c.cfg.SignalFiles, func(what string, match place, path string) {
		content(what, match, path)
		if kind := filepath.Base(filepath.Dir(path)); kind != "meaning" && kind != "dialects" {
			c.fault(match, "", "%s: signals lie in a folder meaning or dialects", path)
		}
	})
	s.models(c)
	root := stampOf(s.dir).real
	s.globs(c, "templates", c.cfg.Templates, func(_ string, match place, path string) {
		in, err := filepath.Rel(root, s.reader.files[path].stamp.real)
		if err != nil || in == ".." || strings.HasPrefix(in, ".."+string(filepath.Separator)) {
			c.fault(match, "", "%s lies outside of the folder of the configuration file", path)
		}
	})
}

func (s *Snapshot) globs(c *check, field string, globs []Glob, each func(what string, match place, path string)) {
	for i, g := range globs {
		here := c.root.field(field).item(i)
		files, err := s.reader.glob(g)
		switch {
		case g == "":
			c.fault(here, "", "an empty path")
			continue
		case err != nil:
			c.fault(here, "", "%s", err)
		case len(files) == 0:
			c.warn(here, "no file matches %s", string(g))
		}
		for _, f := range files {
			if _, err := s.reader.read(f); err != nil {
				c.fault(here, "", "%s", err)
				continue
			}
			each(field, here, f)
		}
	}
}

// Rules are the rule files, for the loader of rules. Original names the file that a name in it stands for.
func (s *Snapshot) Rules() fs.FS { return s.tree(s.raw.RuleFiles, s.nested) }

// Playbooks are the playbook files.
func (s *Snapshot) Playbooks() fs.FS { return s.tree(s.raw.PlaybookFiles, s.nested) }

// Signals are the signal files, as meaning/*.yaml and dialects/*.yaml.
func (s *Snapshot) Signals() fs.FS {
	return s.tree(s.raw.SignalFiles, func(file string, n int) string {
		return path.Join(filepath.Base(filepath.Dir(file)), fmt.Sprintf("%04d-%s", n, filepath.Base(file)))
	})
}

// nested keeps the whole path, so that two files never have one name.
func (s *Snapshot) nested(file string, _ int) string {
	if abs, err := filepath.Abs(file); err == nil {
		file = abs
	}
	return strings.TrimLeft(filepath.ToSlash(strings.TrimPrefix(file, filepath.VolumeName(file))), "/")
}

func (s *Snapshot) tree(globs []Glob, name func(file string, n int) string) fs.FS {
	out := fstest.MapFS{}
	for _, g := range globs {
		files, _ := s.reader.glob(g)
		for _, f := range files {
			if text, err := s.reader.read(f); err == nil {
				n := name(f, len(out))
				out[n] = &fstest.MapFile{Data: text, Mode: 0o444}
				s.names[n] = f
			}
		}
	}
	return out
}

// Original is the path of the file behind a name in Rules, Playbooks or Signals; any other name stays.
func (s *Snapshot) Original(name string) string {
	if p, ok := s.names[name]; ok {
		return p
	}
	return name
}

// Originals puts the paths of files for their names in a text.
func (s *Snapshot) Originals(text string) string {
	for name, path := range s.names {
		if strings.HasSuffix(text, " "+name) {
			return strings.TrimSuffix(text, name) + path
		}
	}
	return text
}

// Disable are the ids to leave out. The error lists those that are not among the known ones.
func (s *Snapshot) Disable(known []string) ([]string, error) {
	var root yaml.Node
	src, err := yamlpos.Decode(s.path, s.text, &root)
	if err != nil {
		return nil, nil // Load says it
	}
	c := &check{src: src, root: at(&root)}
	for i, id := range s.raw.Disable {
		if slices.Contains(known, id) {
			continue
		}
		hint := "`inferdx explain` lists them"
		if near := yamlpos.Nearest(id, known); near != "" {
			hint = "did you mean " + near + "?"
		}
		c.fault(c.root.field("disable").item(i), hint, "unknown symptom or cause %s", shorten(id))
	}
	return s.raw.Disable, c.problems.Err()
}

// Templates are the texts of the template files by their path.
func (s *Snapshot) Templates() map[string][]byte {
	out := map[string][]byte{}
	for _, g := range s.raw.Templates {
		files, _ := s.reader.glob(g)
		for _, f := range files {
			if text, err := s.reader.read(f); err == nil {
				out[f] = text
			}
		}
	}
	return out
}

// Text is what stands in a file that the configuration names, such as an args_file.
func (s *Snapshot) Text(f File) ([]byte, error) { return s.reader.read(string(f)) }

package main

import (
	"io/fs"
	"path"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/contentdir"
)

// holdsFiles refuses a folder or file from which nothing would be read: passing would look like a success.
func holdsFiles(what, given string, fsys fs.FS) error {
	files, others := 0, ""
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir():
		case contentdir.IsContent(name):
			files++
		case others == "" && !strings.HasSuffix(name, ".test.yaml"):
			others = name
		}
		return err
	})
	switch {
	case err != nil:
		return usage("give a folder of YAML files", "%s: %w", what, err)
	case files > 0:
		return nil
	case others != "":
		return usage("only files that end in .yaml are read, not "+path.Base(others), "%s: there is no .yaml file in %s", what, given)
	}
	return usage("is it the right folder?", "%s: there is no .yaml file in %s", what, given)
}

// misplaced says of each folder that holds files of another kind where it belongs.
func (o *folders) misplaced() []string {
	var hints []string
	for _, x := range []struct {
		what  string
		paths []string
	}{{"rules", o.rules}, {"playbooks", o.playbooks}, {"signals", o.signals}} {
		for _, p := range x.paths {
			systems, err := open(x.what, []string{p})
			if err != nil {
				continue
			}
			if is := kindOf(systems[0]); is != "" && is != x.what {
				hints = append(hints, p+" looks like "+is+": give it with --"+is+" "+p)
			}
		}
	}
	return hints
}

// kindOf tells from its first telling file what a folder holds: rules, playbooks, signals or "".
func kindOf(fsys fs.FS) string {
	kind := ""
	// A file that cannot be read tells nothing; the loader says why.
	_ = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !contentdir.IsContent(name) {
			return err
		}
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		var keys map[string]yaml.Node
		if yaml.Unmarshal(src, &keys) != nil {
			return nil
		}
		if kind = kindOfFile(name, keys); kind != "" {
			return fs.SkipAll
		}
		return nil
	})
	return kind
}

func kindOfFile(name string, keys map[string]yaml.Node) string {
	has := func(names ...string) bool {
		for _, n := range names {
			if _, ok := keys[n]; ok {
				return true
			}
		}
		return false
	}
	switch {
	case has("explains", "changes", "told_apart"):
		return "playbooks"
	case has("when"):
		return "rules"
	case has("dialect"), path.Base(path.Dir(name)) == "meaning":
		return "signals"
	}
	return ""
}

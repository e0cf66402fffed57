// Package contentdir knows how symptom rules and playbooks lie in folders: one YAML file each, however
// deep, its id the file's name, its test beside it.
package contentdir

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// IsContent tells a rule or playbook from its test and from anything else.
func IsContent(name string) bool {
	return path.Ext(name) == ".yaml" && !strings.HasSuffix(name, ".test.yaml")
}

// ID is the file name without its extension.
func ID(name string) string { return strings.TrimSuffix(path.Base(name), ".yaml") }

// Each reads every rule or playbook of a file system in order of name and returns all faults: those of
// read, an id that two files share (only the first is read), and what cannot be read at all.
func Each(fsys fs.FS, read func(name string, src []byte) yamlpos.Problems) yamlpos.Problems {
	var faults yamlpos.Problems
	here := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !IsContent(name) {
			return err
		}
		if other, ok := here[ID(name)]; ok {
			faults = append(faults, &yamlpos.Problem{File: name, Line: 1, Col: 1, Msg: fmt.Sprintf("%s is also defined in %s", ID(name), other)})
			return nil
		}
		here[ID(name)] = name
		src, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		faults = append(faults, read(name, src)...)
		return nil
	})
	return append(faults, yamlpos.AsProblems(".", err)...)
}

// Package ruletest runs the tests that lie beside content: <id>.test.yaml beside <id>.yaml. A case
// gives series or canonical signals and says what a rule or a cause must make of them.
package ruletest

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/contentdir"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Result is one case. Err is nil when the content did as expected, else it shows where and why not.
type Result struct {
	File string
	Name string
	Line int
	Err  error
}

// Run runs every test below the file systems, in order of file and case. Content that a later file
// system replaces is not tested any more. The error lists every fault of every test file; what
// could be read of the other files is run nevertheless.
func Run(c *content.Content, p *pipeline.Pipeline, systems ...fs.FS) ([]Result, error) {
	list, faults := find(systems)
	var out []Result
	for _, f := range list {
		if f.test == nil || f.replaced || f.disabled {
			continue
		}
		r := &runner{c: c, p: p}
		var ok bool
		if r.rule, ok = c.Rules.Get(f.id); f.kind != kindRule {
			r.rule = nil
			r.book, ok = c.Playbooks.Get(f.id)
		}
		if !ok {
			faults = append(faults, &yamlpos.Problem{File: f.testName, Line: 1, Col: 1, Msg: fmt.Sprintf("no %s %s is loaded", f.kind, f.id)})
			continue
		}
		cases, ps := read(c, f)
		if len(ps) > 0 {
			faults = append(faults, ps...)
			continue
		}
		for _, x := range cases {
			out = append(out, Result{File: f.testName, Name: x.name, Line: x.at.Line, Err: r.run(x).Err()})
		}
	}
	return out, faults.Err()
}

// kind is what a content file holds.
type kind string

const (
	kindRule     kind = "rule"
	kindPlaybook kind = "playbook"
)

// found is one content file and the test beside it.
type found struct {
	id, name, testName string
	test               []byte // nil when there is none
	kind               kind
	disabled           bool // the file takes its id away
	replaced           bool // a later file system has the same id
	outline            outline
}

// outline is what must be known of a content file to test it, read without judging the rest.
type outline struct {
	When      any      `yaml:"when"`
	Disabled  bool     `yaml:"disabled"`
	DecidedBy []string `yaml:"decided_by"`
	For       []struct {
		Weight string `yaml:"weight"`
		By     string `yaml:"by"`
	} `yaml:"for"`
	Changes []any `yaml:"changes"`
}

// find lists the content of all file systems in order of file system and name.
func find(systems []fs.FS) ([]*found, yamlpos.Problems) {
	var all []*found
	var faults yamlpos.Problems
	last := map[string]*found{}
	for _, fsys := range systems {
		list, ps := findIn(fsys)
		faults = append(faults, ps...)
		for _, f := range list {
			key := string(f.kind) + "/" + f.id
			if f.disabled { // a bare `disabled: true` does not say what it takes away
				for _, k := range []kind{kindRule, kindPlaybook} {
					if old := last[string(k)+"/"+f.id]; old != nil {
						old.replaced = true
					}
				}
			} else if old := last[key]; old != nil {
				old.replaced = true
			}
			last[key] = f
		}
		all = append(all, list...)
	}
	return all, faults
}

func findIn(fsys fs.FS) ([]*found, yamlpos.Problems) {
	var list []*found
	var faults yamlpos.Problems
	tests := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		isTest := strings.HasSuffix(name, testSuffix)
		if err != nil || d.IsDir() || !isTest && !contentdir.IsContent(name) {
			return err
		}
		src, err := fs.ReadFile(fsys, name)
		switch {
		case err != nil:
			return fmt.Errorf("read content: %w", err)
		case isTest:
			tests[name] = append(src, '\n')
		default:
			list = append(list, newFound(name, src))
		}
		return nil
	})
	if err != nil {
		faults = append(faults, &yamlpos.Problem{Msg: err.Error()})
	}
	for _, f := range list {
		f.test = tests[f.testName]
		delete(tests, f.testName)
	}
	for name := range tests {
		beside := strings.TrimSuffix(name, testSuffix) + ".yaml"
		faults = append(faults, &yamlpos.Problem{File: name, Line: 1, Col: 1, Msg: "there is no " + beside + " beside this test"})
	}
	slices.SortFunc(list, func(a, b *found) int { return strings.Compare(a.name, b.name) })
	return list, faults
}

const testSuffix = ".test.yaml"

func newFound(name string, src []byte) *found {
	f := &found{id: contentdir.ID(name), name: name, testName: strings.TrimSuffix(name, ".yaml") + testSuffix, kind: kindPlaybook}
	f.outline = outlineOf(src)
	f.disabled = f.outline.Disabled
	if f.outline.When != nil {
		f.kind = kindRule
	}
	return f
}

// problems unwraps what yamlpos.Decode returns.
func problems(name string, err error) yamlpos.Problems {
	var ps yamlpos.Problems
	if err == nil || errors.As(err, &ps) {
		return ps
	}
	return yamlpos.Problems{{File: name, Line: 1, Col: 1, Msg: err.Error()}}
}

package ruletest

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Require reports content without a test, and tests that lack one of the three cases: one that
// fires, a near miss that stays silent, one with a signal missing. A cause's test also holds what
// it suggests, if anything.
func Require(systems ...fs.FS) yamlpos.Problems {
	list, _ := find(systems)
	var out yamlpos.Problems
	for _, f := range list {
		switch {
		case f.replaced || f.disabled:
		case f.test == nil:
			out = append(out, &yamlpos.Problem{File: f.name, Line: 1, Col: 1, Msg: fmt.Sprintf("%s %s has no test", f.kind, f.id), Hint: "write " + f.testName})
		default:
			for _, lacks := range f.lacks() {
				out = append(out, &yamlpos.Problem{File: f.testName, Line: 1, Col: 1, Msg: "no case " + lacks})
			}
		}
	}
	return out
}

// lacks names the required cases that a test file does not have. A file that can't be read lacks
// nothing here: Run reports it.
func (f *found) lacks() []string {
	var cases []caseFile
	if _, err := yamlpos.Decode(f.testName, f.test, &cases); err != nil {
		return nil
	}
	expects := func(words ...string) bool {
		return slices.ContainsFunc(cases, func(c caseFile) bool {
			return slices.ContainsFunc(c.Expect.words(), func(w string) bool { return slices.Contains(words, w) })
		})
	}
	var out []string
	want := func(there bool, what string) {
		if !there {
			out = append(out, what)
		}
	}
	if f.kind == kindRule {
		want(expects("firing", "pending"), "that fires (expect: firing)")
		want(expects("inactive"), "of a near miss that stays silent (expect: inactive)")
		want(expects("unknown"), "with a signal missing (expect: unknown)")
		return out
	}
	if f.outline.canBePrimary() {
		want(expects("primary"), "in which the cause is the answer (expect: primary)")
	} else {
		want(expects("candidate"), "in which the cause is listed (expect: candidate)")
	}
	want(expects("absent", "candidate"), "of a near miss (expect: absent or candidate)")
	if f.outline.canBePrimary() && len(f.outline.Changes) > 0 {
		advised := func(c caseFile) bool { return c.Change.S != "" }
		want(slices.ContainsFunc(cases, advised), "that holds the suggested change (change: ...)")
	}
	missing := func(c caseFile) bool { return len(c.Without) > 0 }
	want(slices.ContainsFunc(cases, missing), "with a key signal missing (without: [...])")
	return out
}

// canBePrimary says whether any evidence of the kinds that decide is asked about at all.
func (o outline) canBePrimary() bool {
	if len(o.DecidedBy) == 0 {
		return true
	}
	for _, x := range o.For {
		by := x.By
		if by == "" {
			by = "metrics"
		}
		if x.Weight != "weak" && slices.Contains(o.DecidedBy, by) {
			return true
		}
	}
	return false
}

// outlineOf reads what it can; the loaders report what is wrong with a file.
func outlineOf(src []byte) outline {
	var o outline
	if err := yaml.Unmarshal(src, &o); err != nil {
		o.When = strings.Contains("\n"+string(src), "\nwhen:")
		if o.When == false {
			o.When = nil
		}
	}
	return o
}

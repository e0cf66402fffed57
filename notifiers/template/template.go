// Package template turns a message into words. The built-in templates are overridden one by one by
// users' files; they are compiled once, and rendering is pure afterwards.
package template

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	tt "text/template"
	"text/template/parse"

	"github.com/inferdx/inferdx/internal/plan"
)

//go:embed builtin/*.tmpl
var builtin embed.FS

// The named templates that make whole messages. The slack.* ones are pieces of one.
const (
	Title    = "title"    // one line
	Text     = "text"     // plain text, for e-mail and wherever nothing better is understood
	Markdown = "markdown" // the same in Markdown
)

// Set is the built-in templates with users' overrides. It is safe for concurrent use.
type Set struct {
	own  *tt.Template // nil without users' files
	base *tt.Template
	link func(plan.Message) string
}

// Options say where users' templates are.
type Options struct {
	// Files are read from FS by globs; what they {{ define }} replaces the built-in of that name.
	FS    fs.FS
	Files []string
	// Texts are more such files, by their path.
	Texts map[string][]byte
	// Link gives the page about a message, or ""; nil links nowhere.
	Link func(plan.Message) string
}

// Load compiles the built-in templates and users' files. Every fault in any of the files is in the
// error, a name that no data has included.
func Load(o Options) (*Set, error) {
	s := &Set{link: o.Link}
	var err error
	if s.base, err = compile(nil); err != nil {
		return nil, fmt.Errorf("compile built-in templates: %w", err)
	}
	files, err := read(o)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return s, nil
	}
	if s.own, err = compile(files); err != nil {
		return nil, err
	}
	return s, s.try()
}

type file struct{ name, text string }

func read(o Options) ([]file, error) {
	var out []file
	var faults []error
	for _, g := range o.Files {
		names, err := fs.Glob(o.FS, g)
		if err != nil {
			faults = append(faults, fmt.Errorf("templates: glob %q: %w", g, err))
		}
		for _, n := range names {
			b, err := fs.ReadFile(o.FS, n)
			if err != nil {
				faults = append(faults, fmt.Errorf("templates: %w", err))
				continue
			}
			out = append(out, file{n, string(b)})
		}
	}
	for _, n := range slices.Sorted(maps.Keys(o.Texts)) {
		out = append(out, file{n, string(o.Texts[n])})
	}
	return out, errors.Join(faults...)
}

// compile parses the built-ins and then the files over them, and guards every template.
func compile(files []file) (*tt.Template, error) {
	t := tt.New("").Funcs(new(run).funcs())
	t, err := t.ParseFS(builtin, "builtin/*.tmpl")
	if err != nil {
		return nil, err
	}
	var faults []error
	for _, f := range files {
		if _, err := t.New("file " + f.name).Parse(f.text); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	for _, d := range t.Templates() {
		if d.Tree == nil {
			continue
		}
		for _, name := range calls(d.Root) {
			if t.Lookup(name) == nil {
				faults = append(faults, fmt.Errorf("template %q calls %q, which nothing defines", d.Name(), name))
			}
		}
		guard(d.Root, true)
	}
	return t, errors.Join(faults...)
}

// calls lists the templates that a template needs.
func calls(n parse.Node) []string {
	var out []string
	walk(n, func(n parse.Node) {
		if t, ok := n.(*parse.TemplateNode); ok {
			out = append(out, t.Name)
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// roots are the templates that are asked for by name; the others are reached through them.
func roots() (message, target []string) {
	return []string{Title, Text, Markdown, "slack.header", "slack.lead", "slack.rest", "slack.outcome", "slack.reply"},
		[]string{"slack.target.who", "slack.target.hurts", "slack.target.likely", "slack.target.because", "slack.target.turn", "slack.target.unseen", "slack.target.evidence"}
}

// try renders everything for invented messages of every reason, so that a misspelt field is found when
// the file is loaded and not at night. Labels are not invented: which there are is the user's.
func (s *Set) try() error {
	message, target := roots()
	var faults []error
	seen := map[string]bool{}
	one := func(name string, data any) {
		if _, err := execute(s.own, name, formatOf(name), data, "missingkey=zero"); err != nil && !seen[err.Error()] {
			seen[err.Error()] = true
			faults = append(faults, err)
		}
	}
	for _, m := range inventedMessages() {
		d := s.Data(m, 1)
		for _, name := range message {
			one(name, d)
		}
		for _, t := range d.Targets {
			for _, name := range target {
				one(name, t)
			}
		}
	}
	return errors.Join(faults...)
}

// formatOf tells from a template's name what its values must be harmless in.
func formatOf(name string) format {
	switch {
	case strings.HasPrefix(name, "slack."):
		return mrkdwn
	case strings.HasPrefix(name, "markdown"):
		return markdown
	default:
		return plain
	}
}

// Render executes a named template over a Data or a Target. What it returns is never empty for a
// message: where the user's template fails, the built-in one speaks, and the error is for the log.
func (s *Set) Render(name string, data any) (string, error) {
	var failed error
	if s.own != nil {
		out, err := execute(s.own, name, formatOf(name), data, "missingkey=error")
		if err == nil {
			return out, nil
		}
		failed = err
	}
	out, err := execute(s.base, name, formatOf(name), data, "missingkey=error")
	if err == nil {
		return out, failed
	}
	return last(name, data), errors.Join(failed, err)
}

// last is what is said when even a built-in template fails.
func last(name string, data any) string {
	var who, what string
	switch d := data.(type) {
	case Data:
		who, what = d.Severity+" "+d.Reason+" of "+d.Key, ""
		if d.Worst.Name != "" {
			who, what = d.Severity+" "+d.Worst.Name, strings.Join(d.Worst.Hurts, "; ")
		}
	case Target:
		who, what = d.Name, strings.Join(d.Hurts, "; ")
	}
	return cut(formatOf(name).escape(strings.TrimSpace(who+": "+what)), maxOutput)
}

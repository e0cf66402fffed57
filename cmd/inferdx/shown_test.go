package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTheGuidesShowWhatIsPrinted runs each demo, inspect and diagnose that a guide shows with its output, `$ inferdx ...` in a fenced
// block. A line of … stands for any number of lines.
func TestTheGuidesShowWhatIsPrinted(t *testing.T) {
	t.Chdir("../..")
	guides, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, guide := range append(guides, "README.md") {
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range sessions(string(text)) {
			if !slices.Contains([]string{"demo", "inspect", "diagnose"}, s.args[0]) {
				continue // of the user's own files
			}
			n++
			var out, errs bytes.Buffer
			run(s.args, strings.NewReader(""), &out, &errs)
			if at, want, ok := s.matches(out.String()); !ok {
				t.Errorf("%s: inferdx %s\nwants %q\nfrom line %d on of\n%s%s", guide, strings.Join(s.args, " "), want, at+1, out.String(), errs.String())
			}
		}
	}
	if n < 8 {
		t.Errorf("only %d commands with their output", n)
	}
}

// session is a command and the output that is shown for it.
type session struct {
	args  []string
	shown []string
}

// sessions are those of the fenced blocks of a page that begin with a command.
func sessions(page string) []session {
	var out []session
	blocks := strings.Split("\n"+page, "\n```")
	for i := 1; i < len(blocks); i += 2 { // every second part is inside of a fence
		_, block, _ := strings.Cut(blocks[i], "\n") // after the language
		for _, prefix := range []string{"$ inferdx ", "$ go run ./cmd/inferdx "} {
			command, ok := strings.CutPrefix(block, prefix)
			if !ok {
				continue
			}
			command, shown, _ := strings.Cut(command, "\n")
			var s session
			for _, arg := range strings.Fields(command) {
				if files, err := filepath.Glob(arg); err == nil && len(files) > 0 {
					s.args = append(s.args, files...)
					continue
				}
				s.args = append(s.args, arg)
			}
			s.shown = strings.Split(strings.TrimRight(shown, "\n"), "\n")
			out = append(out, s)
		}
	}
	return out
}

// matches says whether a text has the shown lines in their order, and nothing between them where no … stands; else from which
// line of the text on it wants which one.
func (s session) matches(text string) (at int, want string, ok bool) {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	skip := false
	for _, want := range s.shown {
		if strings.TrimSpace(want) == "…" {
			skip = true
			continue
		}
		for skip && at < len(lines) && strings.TrimRight(lines[at], " ") != want {
			at++
		}
		if at >= len(lines) || strings.TrimRight(lines[at], " ") != want {
			return at, want, false
		}
		at++
		skip = false
	}
	return at, "", skip || at == len(lines)
}

func TestShownLinesAreFoundInOrder(t *testing.T) {
	for _, tt := range []struct {
		shown, text string
		want        bool
	}{
		{"a\nb", "a\nb\n", true},
		{"a\n…", "a\nb\nc\n", true},
		{"a\n…\nc", "a\nb\nc\n", true},
		{"a\nc", "a\nb\nc\n", false},
		{"a", "a\nb\n", false},
		{"…\nb\na", "a\nb\n", false},
	} {
		s := session{shown: strings.Split(tt.shown, "\n")}
		if _, _, got := s.matches(tt.text); got != tt.want {
			t.Errorf("%q in %q: %v", tt.shown, tt.text, got)
		}
	}
}

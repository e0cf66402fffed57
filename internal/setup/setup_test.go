package setup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/setup"
)

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "inferdx.yml")
}

const mine = "title: mine\nwhen: waiting > 20\n"

func TestTheContentThatTheConfigurationNamesIsLoaded(t *testing.T) {
	s, err := setup.Load(write(t, map[string]string{
		"inferdx.yml": `
urls: a:8000
rule_files: [rules/*.yaml, more/a/*.yaml]
signal_files: signals/*/*.yaml
templates: slack.tmpl
disable: [kv-cache-too-small, hot-replica]
`,
		"rules/mine.yaml":            mine,
		"rules/mine.test.yaml":       "not a rule",
		"more/a/other.yaml":          "title: other\nwhen: my_signal > 20\n",
		"signals/meaning/mine.yaml":  "my_signal: {name: mine, unit: requests, promql: 'sum by ($by) (vllm:num_requests_running{$match})'}\n",
		"slack.tmpl":                 "x",
		"signals/meaning/.hidden.md": "x",
	}))
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{"mine": true, "other": true, "hot-replica": false} {
		got := false
		for _, r := range s.Content.Rules.All() {
			got = got || r.ID == id
		}
		if got != want {
			t.Errorf("rule %s: %v, want %v", id, got, want)
		}
	}
	for _, p := range s.Content.Playbooks.All() {
		if p.ID == "kv-cache-too-small" {
			t.Error("a disabled playbook is there")
		}
	}
	if len(s.Templates) != 1 || s.Hash == "" {
		t.Errorf("got %d templates, hash %q", len(s.Templates), s.Hash)
	}
}

func TestTheFaultsOfAllFilesComeTogetherUnderTheirPaths(t *testing.T) {
	path := write(t, map[string]string{
		"inferdx.yml":      "urls: a:8000\nslo: [{}]\nrule_files: ['*/*.yaml']\ndisable: [kv-cache-too-smal]\n",
		"rules/bad.yaml":   "title: a\nwhen: waitng > 20\n",
		"again/mine.yaml":  mine,
		"rules/mine.yaml":  mine,
		"books/playb.yaml": "titel: a\n",
	})
	s, err := setup.Load(path)
	if err == nil || s.Config != nil {
		t.Fatal("it was accepted")
	}
	dir := filepath.Dir(path)
	for _, want := range []string{
		"inferdx.yml:2:7: want at least one of ttft_p99",
		"inferdx.yml:4:11: unknown symptom or cause kv-cache-too-smal\n",
		"did you mean kv-cache-too-small?",
		filepath.Join(dir, "rules/bad.yaml") + ":2:7: unknown name waitng",
		filepath.Join(dir, "rules/mine.yaml") + ":1:1: mine is also defined in " + filepath.Join(dir, "again/mine.yaml"),
		filepath.Join(dir, "books/playb.yaml") + ":1:1: unknown field titel",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in\n%v", want, err)
		}
	}
}

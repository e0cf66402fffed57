package faults_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/setup"
)

// files are written into a new folder; it returns the path of inferdx.yml in it.
func files(t *testing.T, all map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range all {
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

// refused loads what must be refused as a whole, with each of the texts in the error. It may not take long.
func refused(t *testing.T, what string, all map[string]string, want ...string) {
	t.Helper()
	begin := time.Now()
	s, err := setup.Load(files(t, all))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("%s: took %s", what, took)
	}
	if err == nil || s != nil && (s.Config != nil || s.Content != nil) {
		t.Errorf("%s: it was accepted", what)
		return
	}
	if len(err.Error()) > 8<<10 {
		t.Errorf("%s: the error has %d bytes", what, len(err.Error()))
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%s: no %q in\n%.2000s", what, w, err)
		}
	}
}

func config1(text string) map[string]string { return map[string]string{"inferdx.yml": text} }

const rule = "title: mine\nwhen: waiting > 20\n"

func TestFault01UnknownFieldIsAnErrorWithItsLine(t *testing.T) {
	refused(t, "at the top", config1("urls: a:8000\nfoo: 1\n"), "inferdx.yml:2:1: unknown field foo")
	refused(t, "further down", config1("urls: a:8000\nglobal:\n  scrape_intervall: 5s\n"), "inferdx.yml:3:3: unknown field scrape_intervall", "did you mean scrape_interval?")
	refused(t, "in a rule", map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: r/*.yaml\n", "r/a.yaml": rule + "foo: 1\n"}, "r/a.yaml:3:1: unknown field foo")
}

func TestFault03OneBadFileAmongManyRefusesAll(t *testing.T) {
	all := map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: r/*.yaml\n"}
	for i := range 50 {
		all[fmt.Sprintf("r/rule-%d.yaml", i)] = rule
	}
	if s, err := setup.Load(files(t, all)); err != nil || s.Content == nil {
		t.Fatal(err)
	}
	all["r/rule-33.yaml"] = "title: mine\nwhen: waiting >\n"
	refused(t, "one of fifty", all, "r/rule-33.yaml:2:")
}

func TestFault04ADuplicateNameNamesBothPlaces(t *testing.T) {
	refused(t, "receivers", config1("urls: a:8000\nreceivers:\n- {name: a, webhook: {url: 'http://x'}}\n- {name: a, webhook: {url: 'http://y'}}\nroute: {receiver: a}\n"), "inferdx.yml:4:", "line 3")
	refused(t, "jobs", config1("scrape_configs:\n- {job_name: a, static_configs: [{targets: [x:1]}]}\n- {job_name: a, static_configs: [{targets: [x:2]}]}\n"), "inferdx.yml:3:", "line 2")
	refused(t, "rules", map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: '*/*.yaml'\n", "a/mine.yaml": rule, "b/mine.yaml": rule},
		"b/mine.yaml:1:1: mine is also defined in", "a/mine.yaml")
}

func TestFault05AnAliasBombIsRefusedAtOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString("urls: a:8000\na0: &a0 [x,x,x,x,x,x,x,x,x]\n")
	for i := 1; i < 10; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 9), ","))
	}
	bomb := b.String()
	refused(t, "aliases", config1(bomb), "inferdx.yml:")
	refused(t, "in a rule", map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: r.yaml\n", "r.yaml": strings.TrimPrefix(bomb, "urls: a:8000\n")}, "r.yaml:")
	refused(t, "depth", config1("urls: "+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+"\n"), "inferdx.yml:1:")
	refused(t, "size", config1("urls: a:8000\n#"+strings.Repeat("x", 64<<20)+"\n"), "inferdx.yml")
}

func TestFault06OddTextIsAClearErrorAndNeverAPanic(t *testing.T) {
	for what, text := range map[string]string{
		"two documents":   "urls: a:8000\n---\nurls: b:8000\n",
		"tabs":            "global:\n\tscrape_interval: 5s\n",
		"a key twice":     "urls: a:8000\nurls: b:8000\n",
		"yes for a truth": "urls: a:8000\ncanary: {enabled: yess}\n",
		"no number":       "urls: a:8000\ncanary: {enabled: true, max_tokens: 1e400}\n",
		"a long line":     "urls: a:8000\nfoo" + strings.Repeat("o", 100_000) + ": 1\n",
		"no YAML":         "urls: [a:8000\n",
		"NUL":             "urls: a:8000\x00\n",
		"no UTF-8":        "urls: a\xff:8000\n",
		"a list":          "- urls\n",
	} {
		refused(t, what, config1(text), "inferdx.yml:")
	}
	for what, text := range map[string]string{
		"a byte order mark": "\ufeffurls: a:8000\n",
		"carriage returns":  "urls: a:8000\r\nglobal:\r\n  scrape_interval: 5s\r\n",
	} {
		if _, err := setup.Load(files(t, config1(text))); err != nil {
			t.Errorf("%s is fine: %v", what, err)
		}
	}
}

func TestFault07ADurationOutOfRangeIsAnError(t *testing.T) {
	for _, field := range []string{"scrape_interval", "evaluation_interval", "window"} {
		for _, d := range []string{"0", "0s", "-1s", "1000000y", "1e9h", "5"} {
			refused(t, field+" "+d, config1("urls: a:8000\nglobal:\n  "+field+": "+d+"\n"), "inferdx.yml:3:")
		}
	}
	for _, d := range []string{"-1s", "1000000y", "soon"} {
		refused(t, "for "+d, map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: r.yaml\n", "r.yaml": rule + "for: " + d + "\n"}, "r.yaml:3:")
	}
}

func TestFault08AGlobThatMatchesNothingWarnsAndALinkThatMovesIsReadAnew(t *testing.T) {
	s, err := setup.Load(files(t, config1("urls: a:8000\nrule_files: none/*.yaml\n")))
	if err != nil || !strings.Contains(s.Warnings.Error(), "inferdx.yml:2:13: no file matches none/*.yaml") {
		t.Errorf("%v, %v", err, s.Warnings)
	}
	dir := t.TempDir()
	for _, v := range []string{"1", "2"} {
		path := filepath.Join(dir, "..v"+v)
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: rule-*.yaml\n", "rule-" + v + ".yaml": rule} {
			if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := filepath.Join(dir, "data")
	hashes := map[string]bool{}
	for _, v := range []string{"1", "2"} {
		_ = os.Remove(link)
		if err := os.Symlink("..v"+v, link); err != nil {
			t.Fatal(err)
		}
		s, err := setup.Load(filepath.Join(link, "inferdx.yml"))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Content.Rules.Get("rule-" + v); !ok {
			t.Errorf("rule-%s is not there", v)
		}
		hashes[s.Hash] = true
	}
	if len(hashes) != 2 {
		t.Error("the files changed and the hash did not")
	}
}

func TestFault12WhatAPlaybookRefersToHasToExist(t *testing.T) {
	const head = "title: a\nlayer: system\nis: it\ntold_apart: so\n"
	const rest = "explains: [requests-queueing]\ndecided_by: [metrics]\nfor:\n- {when: waiting >= 1, weight: strong, text: a}\nchanges:\n- {kind: fix, when: now, text: a, why: b, cost: c, verify: {signal: waiting, expect: down}}\n"
	book := func(text string) map[string]string {
		return map[string]string{"inferdx.yml": "urls: a:8000\nplaybook_files: p/*.yaml\n", "p/mine.yaml": text}
	}
	if _, err := setup.Load(files(t, book(head+rest))); err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string][2]string{
		"a rule":   {strings.Replace(rest, "requests-queueing", "requests-queing", 1), "requests-queing"},
		"a signal": {strings.Replace(rest, "when: waiting", "when: waitng", 1), "unknown name waitng"},
		"a knob":   {strings.Replace(rest, "kind: fix, when: now, text: a", "kind: knob, knob: max_num_seq, direction: up", 1), "max_num_seq"},
		"a cause":  {rest + "explains_away: [over-capacty]\n", "over-capacty"},
	} {
		refused(t, what, book(head+x[0]), "p/mine.yaml:", x[1])
	}
	ring := map[string]string{"inferdx.yml": "urls: a:8000\nplaybook_files: p/*.yaml\n"}
	for _, x := range [][2]string{{"one", "two"}, {"two", "three"}, {"three", "one"}} {
		ring["p/"+x[0]+".yaml"] = head + rest + "explains_away: [" + x[1] + "]\n"
	}
	refused(t, "a cycle", ring, "one", "two", "three")
}

func TestFault13ASecretThatCannotBeReadNamesItsFileAndARotatedOneIsUsed(t *testing.T) {
	path := files(t, map[string]string{"inferdx.yml": "urls: a:8000\ncanary: {http_config: {bearer_token_file: key}}\n", "key": "hunter2\n"})
	s, err := setup.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	file := s.Config.Canary.HTTP.BearerTokenFile
	for _, want := range []string{"hunter2", "hunter3"} {
		if err := os.WriteFile(string(file), []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := file.Read(); err != nil || got.Reveal() != want || fmt.Sprint(got) != "<secret>" {
			t.Errorf("%v, %v", got, err)
		}
	}
	if err := os.WriteFile(string(file), []byte("hunter2\nhunter3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Read(); err == nil || !strings.Contains(err.Error(), string(file)) || strings.Contains(err.Error(), "hunter") {
		t.Error(err)
	}
	if err := os.Remove(string(file)); err != nil {
		t.Fatal(err)
	}
	if _, err := file.Read(); err == nil || !strings.Contains(err.Error(), string(file)) {
		t.Error(err)
	}
	refused(t, "a secret in clear", config1("urls: a:8000\ncanary: {http_config: {bearer_token: hunter2}}\n"), "a secret must not stand in this file")
	if _, err := setup.Load(files(t, config1("urls: a:8000\ncanary: {http_config: {bearer_token: hunter2}}\n"))); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the secret is shown: %v", err)
	}
}

func TestFault14WhatIsCheckedIsWhatIsLoaded(t *testing.T) {
	for name, text := range map[string]string{
		"good": rule, "with a wait": rule + "for: 1m\nkeep_firing_for: 5m\n", "bad name": "title: a\nwhen: waitng > 1\n", "no condition": "title: a\n",
		"bad syntax": "title: a\nwhen: waiting >\n", "bad wait": rule + "for: -1m\n", "bad severity": rule + "severity: dreadful\n", "empty": "", "a list": "- a\n",
		"a note": rule + "severity: note\n", "evidence": rule + "evidence: ['{waiting} wait']\n", "bad evidence": rule + "evidence: ['{waitng} wait']\n",
	} {
		path := files(t, map[string]string{"inferdx.yml": "urls: a:8000\nrule_files: r/*.yaml\n", "r/a.yaml": text})
		_, served := setup.Load(path)
		_, checked := content.Load(content.Options{Rules: []fs.FS{os.DirFS(filepath.Join(filepath.Dir(path), "r"))}})
		if (served == nil) != (checked == nil) {
			t.Errorf("%s: the service says %v, the check of rules %v", name, served, checked)
		}
	}
	// A configuration that cannot be served is not called good, and one that is served has no fault.
	for _, text := range []string{"urls: a:8000\n", "urls: []\n", "receivers: [{name: a}]\n", "prometheus: {name: p, url: 'http://p:9090'}\n"} {
		path := files(t, config1(text))
		s, served := setup.Load(path)
		c, _, checked := config.Load(path)
		if (served == nil) != (checked == nil) || served == nil && (s.Config == nil || c == nil) {
			t.Errorf("%q: %v and %v", text, served, checked)
		}
	}
}

package config_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/config"
)

func TestASecretShowsItselfOnlyToWhoAsks(t *testing.T) {
	path := write(t, "inferdx.yml", `
urls: http://a:8000/metrics?token=hunter2
prometheus:
  - {url: 'http://prom/?key=hunter2', bearer_token_file: token, headers: {X-Key: hunter2}}
launch: [{args: "--api-key hunter2 --hf-token=hunter2 --max-num-batched-tokens 8192 --password 'hunter2 hunter2'"}]
receivers: [{name: bus, webhook: {url: 'https://bus/hunter2?hunter2', secret_files: token}}]
`, "token", "hunter2\n")
	c, _, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	hook, header := c.Receivers[0].Webhook[0].URL, c.Prometheus[0].Headers["X-Key"]
	for _, v := range []any{hook, header} {
		asJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.Marshal(map[string]any{"v": v})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		text = append(text, fmt.Sprintf("%s %s %s %v %q %#v %x %+v", asJSON, asYAML, log.String(), v, v, v, v, c.Receivers[0].Webhook[0])...)
	}
	if strings.Contains(string(text), "hunter2") || strings.Contains(string(text), fmt.Sprintf("%x", "hunter2")) {
		t.Errorf("a secret is shown:\n%s", text)
	}
	if !strings.Contains(string(text), "--max-num-batched-tokens 8192") {
		t.Error("a harmless argument is hidden")
	}
	if hook.Reveal() != "https://bus/hunter2?hunter2" || header.Reveal() != "hunter2" {
		t.Error("who asks gets something else")
	}
	if s, err := c.Receivers[0].Webhook[0].SecretFiles[0].Read(); err != nil || s.Reveal() != "hunter2" {
		t.Errorf("got %v, %v", s.Reveal() == "hunter2", err)
	}
}

func TestPathsAreRelativeToTheConfiguration(t *testing.T) {
	path := write(t, "etc/inferdx.yml", `
prometheus: {url: 'http://a', bearer_token_file: secrets/token, http_headers: {X-Key: {files: [secrets/token]}}}
scrape_configs: [{job_name: a, file_sd_configs: [{files: [targets/*.json]}]}]
`, "etc/secrets/token", "t")
	t.Chdir("/")
	c, _, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(path)
	o := c.Prometheus[0].Options()
	if want := filepath.Join(dir, "secrets/token"); o.BearerTokenFile != want || o.HeaderFiles["X-Key"] != want {
		t.Errorf("got %+v", o)
	}
	if got, want := string(c.ScrapeConfigs[0].FileSDConfigs[0].Files[0]), filepath.Join(dir, "targets/*.json"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTheHashChangesWithEveryFileThatIsNamed(t *testing.T) {
	path := write(t, "inferdx.yml", "urls: a:8000\nrule_files: rules/*.yaml\nlaunch: [{args_file: args}]\ntemplates: '*.tmpl'\n",
		"rules/a.yaml", "title: a\nwhen: waiting > 1\n", "args", "--x", "a.tmpl", "x")
	seen := map[string]string{}
	look := func(what string) {
		t.Helper()
		h, err := config.Hash(path)
		if err != nil {
			t.Fatal(err)
		}
		if before, ok := seen[h]; ok {
			t.Errorf("%s has the hash of %s", what, before)
		}
		seen[h] = what
		if again, err := config.Hash(path); err != nil || again != h {
			t.Errorf("%s: a second look gives another hash", what)
		}
	}
	look("the beginning")
	for _, name := range []string{"rules/a.yaml", "rules/b.yaml", "args", "a.tmpl", "inferdx.yml"} {
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("# more"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		look(name)
	}
}

// A ConfigMap is replaced by moving one link. Whoever reads meanwhile sees the old files or the new ones.
func TestAConfigMapIsReadAsOfOneMoment(t *testing.T) {
	dir := t.TempDir()
	for _, v := range []string{"one", "two"} {
		sub := filepath.Join(dir, ".."+v)
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"inferdx.yml": "urls: a:8000\nrule_files: '*.yaml'\nglobal: {external_labels: {v: " + v + "}}\n",
			"a.yaml":      "title: " + v, "b.yaml": "title: " + v,
		} {
			if err := os.WriteFile(filepath.Join(sub, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	turn := func(to string) {
		next := filepath.Join(dir, "..next")
		if err := os.Symlink(to, next); err != nil {
			t.Error(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Error(err)
		}
	}
	turn("..one")
	for _, name := range []string{"inferdx.yml", "a.yaml", "b.yaml"} {
		if err := os.Symlink("..data/"+name, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				turn([]string{"..one", "..two"}[i%2])
			}
		}
	}()
	read := 0
	for range 300 {
		s, err := config.Read(filepath.Join(dir, "inferdx.yml"))
		if err != nil {
			if !strings.Contains(err.Error(), "keep changing") {
				t.Fatal(err)
			}
			continue
		}
		read++
		c, _, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		files := 0
		_ = fs.WalkDir(s.Rules(), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files++
				text, _ := fs.ReadFile(s.Rules(), name)
				if want := "title: " + c.Global.ExternalLabels["v"]; string(text) != want {
					t.Errorf("%s of another moment: %s, want %s", name, text, want)
				}
			}
			return err
		})
		if files != 2 {
			t.Fatalf("%d files", files)
		}
	}
	close(stop)
	<-done
	t.Logf("%d of 300 reads found a quiet moment", read)
	if read == 0 {
		t.Error("no read found a quiet moment")
	}
}

func TestWhatCannotBeReadSaysSo(t *testing.T) {
	for _, path := range []string{"no/such.yml", t.TempDir()} {
		if _, _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, "../../inferdx.example.yml") {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(text) < 10_000 {
			f.Add(text)
		}
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "_file") { // files of the machine are not part of this
			return
		}
		path := filepath.Join(dir, "inferdx.yml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, _, err := config.Load(path)
		if (c == nil) != (err != nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err != nil {
			return
		}
		if _, err := c.YAML(); err != nil {
			t.Errorf("what was loaded cannot be written: %v", err)
		}
	})
}

func TestAFaultShowsNoSecretOfAURLBesideIt(t *testing.T) {
	for name, in := range map[string]string{
		"a webhook":         "receivers: [{name: r, webhook: {url: 'https://hooks.example/services/TOPSECRET', nonsense: 1}}]",
		"a query":           "prometheus: {url: 'http://p:9090/?api_key=TOPSECRET', nonsense: 1}",
		"launch arguments'": "launch: [{match: {job: a}, url: 'http://p:1/x?t=TOPSECRET', nonsense: 1}]",
	} {
		path := write(t, "inferdx.yml", "urls: ['localhost:1']\n"+in+"\n")
		if _, _, err := config.Load(path); err == nil || strings.Contains(err.Error(), "TOPSECRET") || !strings.Contains(err.Error(), "nonsense") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

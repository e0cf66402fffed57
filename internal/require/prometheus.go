package require

import (
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Prometheus loads a recording into a Prometheus of its own and gives that one's address.
func Prometheus(t testing.TB, path string) string {
	t.Helper()
	prometheus := Part(t, "prometheus", "prometheus")
	promtool := Part(t, "prometheus", "promtool")
	dir := t.TempDir()
	text, data, config := filepath.Join(dir, "r.om"), filepath.Join(dir, "data"), filepath.Join(dir, "prometheus.yml")
	unzip(t, path, text)
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return start(t, "--web.listen-address", prometheus, "--config.file", config, "--storage.tsdb.path", data,
		"--storage.tsdb.retention.time", "10y", "--log.level", "error")
}

// PrometheusWith runs a Prometheus by a configuration and rules, which lie beside it as rules.yml, and gives its address.
func PrometheusWith(t testing.TB, text, rules string) string {
	t.Helper()
	program := Part(t, "prometheus", "prometheus")
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	for path, text := range map[string]string{config: text, filepath.Join(dir, "rules.yml"): rules} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return start(t, "--web.listen-address", program, "--config.file", config, "--storage.tsdb.path", filepath.Join(dir, "data"), "--log.level", "error")
}

func unzip(t testing.TB, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

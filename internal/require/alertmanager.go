package require

import (
	"os"
	"path/filepath"
	"testing"
)

// Alertmanager runs an Alertmanager of its own, alone and with a receiver that does nothing, and gives
// its address.
func Alertmanager(t testing.TB) string {
	t.Helper()
	return AlertmanagerWith(t, "route: {receiver: none}\nreceivers: [{name: none}]\n")
}

// AlertmanagerWith runs an Alertmanager of its own by a configuration, and gives its address.
func AlertmanagerWith(t testing.TB, text string) string {
	t.Helper()
	program := Part(t, "alertmanager", "alertmanager", "prometheus-alertmanager") // the second is Debian's
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, "--web.listen-address", program, "--config.file", config, "--storage.path", filepath.Join(dir, "data"),
		"--cluster.listen-address", "", "--log.level", "error")
}

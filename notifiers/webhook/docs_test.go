package webhook_test

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

// receiver builds and starts the program of docs/webhook.md.
func receiver(t *testing.T, key string) (url string, said *strings.Builder, stop func()) {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "webhook.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, program, ok := strings.Cut(string(guide), "```go\n")
	program, _, closed := strings.Cut(program, "```")
	if !ok || !closed {
		t.Fatal("docs/webhook.md has no program")
	}
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "receiver")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	said = &strings.Builder{}
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env, cmd.Stderr = append(os.Environ(), "LISTEN="+address, "HOOK_SECRET="+key), said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }
	for range 100 {
		if c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address); err == nil {
			c.Close()
			return "http://" + address, said, stop
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop()
	t.Fatal("the receiver does not listen")
	return "", nil, nil
}

func TestTheReceiverOfTheGuideTakesOursAndRefusesOthers(t *testing.T) {
	url, said, stop := receiver(t, signingSecret(2))
	try := func(now time.Time, keys ...byte) error {
		o := webhook.Options{URL: secret.Text{Value: url}, Now: func() time.Time { return now }}
		for _, k := range keys {
			o.Secrets = append(o.Secrets, secret.Text{Value: signingSecret(k)})
		}
		_, err := notifier(t, o).Notify(t.Context(), notifiertest.Message(), nil)
		return err
	}
	if err := try(time.Now(), 1, 2); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another key": try(time.Now(), 1), "unsigned": try(time.Now()), "an old one": try(time.Now().Add(-time.Hour), 2),
	} {
		if !notifiers.Final(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	resp, err := http.Post(url, "application/json", strings.NewReader("{}")) //nolint:noctx // a loopback address of the test
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	stop()
	if n := strings.Count(said.String(), `"status":"firing"`); resp.StatusCode != http.StatusUnauthorized || n != 1 {
		t.Errorf("status %d, %d messages taken: %s", resp.StatusCode, n, said)
	}
}

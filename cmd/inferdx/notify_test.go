package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
)

const signingKey = "0123456789012345678901234"

// signedHook takes only what Standard Webhooks' signature proves.
func signedHook(t *testing.T) *httptest.Server {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mac := hmac.New(sha256.New, []byte(signingKey))
		mac.Write([]byte(r.Header.Get("webhook-id") + "." + r.Header.Get("webhook-timestamp") + "." + string(body)))
		if r.Header.Get("webhook-signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

func notifyWith(t *testing.T, integrations string, files map[string]string, args ...string) (int, string, string) {
	t.Helper()
	dir := t.TempDir()
	files["inferdx.yml"] = "urls: [http://127.0.0.1:1/metrics]\nreceivers: [{name: oncall, " + integrations + "}]\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut bytes.Buffer
	code := run(append([]string{"notify", "--config.file", filepath.Join(dir, "inferdx.yml"), "--receiver", "oncall"}, args...), strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestNotifySendsTheDemoToSlackAndToASignedWebhook(t *testing.T) {
	w, h := slacktest.New(slacktest.Options{}), signedHook(t)
	defer w.Close()
	files := map[string]string{"token": w.Token(), "key": "whsec_" + base64.StdEncoding.EncodeToString([]byte(signingKey))}
	both := "slack: {bot_token_file: token, channel: '#llm', api_url: " + w.APIURL() + "}, webhook: {url: " + h.URL + ", secret_files: [key]}"
	code, out, errOut := notifyWith(t, both, files)
	if code != 0 || !strings.Contains(out, "oncall/slack[0] (slack): delivered in") || !strings.Contains(out, "oncall/webhook[0] (webhook): delivered in") {
		t.Errorf("status %d: %s%s", code, out, errOut)
	}
	posts := w.Requests("chat.postMessage")
	if posts == 0 {
		t.Error("nothing was posted to Slack")
	}
	code, out, errOut = notifyWith(t, both, files, "--dry-run", "--reason", "first")
	if code != 0 || !strings.Contains(out, `"blocks": [`) || w.Requests("chat.postMessage") != posts {
		t.Errorf("a dry run: status %d: %s%s", code, out, errOut)
	}
}

func TestNotifySaysWhatWentWrongAndWhatToLookAt(t *testing.T) {
	h := signedHook(t)
	other := map[string]string{"key": "whsec_" + base64.StdEncoding.EncodeToString([]byte("another key of enough bytes"))}
	code, out, _ := notifyWith(t, "webhook: {url: "+h.URL+", secret_files: [key]}", other)
	if code != 1 || !strings.Contains(out, "oncall (webhook): not delivered: authError") || !strings.Contains(out, "hint: the receiver does not accept") {
		t.Errorf("status %d: %s", code, out)
	}
	code, _, errOut := notifyWith(t, "webhook: {url: "+h.URL+"}", map[string]string{}, "--receiver", "oncal")
	if code != 2 || !strings.Contains(errOut, "did you mean oncall?") {
		t.Errorf("status %d: %s", code, errOut)
	}
}

func TestNotifyTellsARealAlertmanager(t *testing.T) {
	code, out, errOut := notifyWith(t, "alertmanager: {urls: ["+require.Alertmanager(t)+"]}", map[string]string{})
	if code != 0 || !strings.Contains(out, "oncall (alertmanager): delivered in") {
		t.Errorf("status %d: %s%s", code, out, errOut)
	}
}

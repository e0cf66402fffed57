package receivers_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/receivers"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
)

// files are written beside the configuration, which is the one named inferdx.yml.
func build(t *testing.T, files map[string]string) (*receivers.Set, string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	s, err := setup.Load(filepath.Join(dir, "inferdx.yml"))
	if err != nil {
		t.Fatal(err)
	}
	set, err := receivers.Build(s.Config, s.Templates, receivers.Options{ExternalURL: "https://inferdx.example"})
	if err == nil {
		t.Cleanup(set.Close)
	}
	return set, dir, err
}

func must(t *testing.T, files map[string]string) (*receivers.Set, string) {
	t.Helper()
	set, dir, err := build(t, files)
	if err != nil {
		t.Fatal(err)
	}
	return set, dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const page = "urls: [http://127.0.0.1:1/metrics]\n"

func lane(t *testing.T, s *receivers.Set, name string) outbox.Receiver {
	t.Helper()
	for _, r := range s.Receivers() {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no lane %s", name)
	return outbox.Receiver{}
}

// hook counts posts, and answers with the status that it is set to.
type hook struct {
	*httptest.Server
	status atomic.Int64
	posts  atomic.Int64
	auth   atomic.Value
}

func newHook(t *testing.T) *hook {
	h := &hook{}
	h.status.Store(200)
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.posts.Add(1)
		h.auth.Store(r.Header.Get("Authorization"))
		w.WriteHeader(int(h.status.Load()))
	}))
	t.Cleanup(h.Close)
	return h
}

const several = page + `
receivers:
  - name: oncall
    webhook: [{url: http://127.0.0.1:1/a}, {url: http://127.0.0.1:1/b, send_resolved: false}]
    alertmanager: {urls: [http://127.0.0.1:1]}
  - {name: bus, webhook: {url: http://127.0.0.1:1/c}}
route: {receiver: oncall, fallback: bus, routes: [{receiver: bus, fallback: oncall, match: {severity: info}}]}
`

func TestAMessageGoesOnceToEachLaneOfItsReceiver(t *testing.T) {
	s, _ := must(t, map[string]string{"inferdx.yml": several})
	if diff := cmp.Diff([]string{"oncall/webhook[0]", "oncall/webhook[1]", "oncall/alertmanager[0]"}, s.Lanes("oncall")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bus"}, s.Lanes("bus")); diff != "" {
		t.Error(diff)
	}
	fan := func(m plan.Message) []string {
		var out []string
		for _, one := range s.Fan(m) {
			out = append(out, one.Receiver+" "+one.ID+" "+one.Key)
		}
		return out
	}
	m := plan.Message{ID: "id1", Key: "k", Receiver: "oncall", Reason: plan.First}
	want := []string{"oncall/webhook[0] id1/webhook[0] k", "oncall/webhook[1] id1/webhook[1] k", "oncall/alertmanager[0] id1/alertmanager[0] k"}
	if diff := cmp.Diff(want, fan(m)); diff != "" {
		t.Error(diff)
	}
	m.Reason = plan.Resolved
	if diff := cmp.Diff([]string{want[0], want[2]}, fan(m)); diff != "" {
		t.Errorf("a lane without send_resolved: %s", diff)
	}
	if diff := cmp.Diff([]string{"bus id1 k"}, fan(plan.Message{ID: "id1", Key: "k", Receiver: "bus"})); diff != "" {
		t.Error(diff)
	}
	if s.Owner("oncall/webhook[1]") != "oncall" || s.Owner("bus") != "bus" {
		t.Error("a lane's owner is its receiver")
	}
}

func TestTheOutboxTakesTheLanesAndTheirFallbacks(t *testing.T) {
	s, _ := must(t, map[string]string{"inferdx.yml": several})
	if _, err := outbox.New(outbox.Options{Queue: struct{ outbox.Queue }{}, Receivers: s.Receivers()}); err != nil {
		t.Fatal(err)
	}
	if got := lane(t, s, "oncall/webhook[1]").Fallback; got != "bus" {
		t.Errorf("fallback %q, want bus", got)
	}
	if got := lane(t, s, "bus").Fallback; got != "oncall" {
		t.Errorf("fallback %q, want the lane that tells all of oncall's", got)
	}
}

func TestAFallbackOfSeveralLanesIsToldByEachOnce(t *testing.T) {
	a, b := newHook(t), newHook(t)
	s, _ := must(t, map[string]string{"inferdx.yml": page + "receivers: [{name: bus, webhook: [{url: " + a.URL + "}, {url: " + b.URL + "}]}]\n"})
	all := lane(t, s, "bus").Notifier
	b.status.Store(503)
	receipt, err := all.Notify(t.Context(), notifiertest.Message(), nil)
	if err == nil || notifiers.Final(err) {
		t.Fatalf("got %v, want an error that is worth another try", err)
	}
	b.status.Store(200)
	if _, err := all.Notify(t.Context(), notifiertest.Message(), receipt); err != nil {
		t.Fatal(err)
	}
	if a.posts.Load() != 1 || b.posts.Load() != 2 {
		t.Errorf("%d and %d posts, want 1 and 2: what was taken is not sent again", a.posts.Load(), b.posts.Load())
	}
}

func TestARotatedSecretIsUsedWithoutARestart(t *testing.T) {
	h := newHook(t)
	s, dir := must(t, map[string]string{
		"inferdx.yml": page + "receivers: [{name: bus, webhook: {url_file: url, http_config: {bearer_token_file: token}}}]\n",
		"token":       "first-token", "url": h.URL,
	})
	for _, token := range []string{"first-token", "second-token"} {
		write(t, filepath.Join(dir, "token"), token)
		if _, err := lane(t, s, "bus").Notifier.Notify(t.Context(), notifiertest.Message(), nil); err != nil {
			t.Fatal(err)
		}
		if got := h.auth.Load(); got != "Bearer "+token {
			t.Errorf("authorization %q, want that of %s", got, token)
		}
	}
}

func TestAnEndpointsFingerprintChangesWithItAndShowsNoSecret(t *testing.T) {
	s, dir := must(t, map[string]string{
		"inferdx.yml": page + "receivers: [{name: bus, webhook: {url_file: url}}, {name: pd, pagerduty: {routing_key_file: key}}]\nroute: {receiver: bus, routes: [{receiver: pd, match: {a: b}}]}\n",
		"url":         "http://127.0.0.1:1/one-secret-path", "key": "routing-key-1",
	})
	before := s.Fingerprints()
	if diff := cmp.Diff(before, s.Fingerprints()); diff != "" {
		t.Errorf("nothing changed: %s", diff)
	}
	write(t, filepath.Join(dir, "url"), "http://127.0.0.1:1/another-path")
	after := s.Fingerprints()
	if before["bus"] == after["bus"] || before["pd"] != after["pd"] {
		t.Errorf("got %v after %v: only bus changed", after, before)
	}
	for _, v := range before {
		if strings.Contains(v, "secret") || len(v) != 64 {
			t.Errorf("fingerprint %q", v)
		}
	}
}

func TestAFaultNamesItsReceiverOrFileAndNoSecret(t *testing.T) {
	for _, test := range []struct{ name, files, want string }{
		{"a secret to sign with has another form", "receivers: [{name: bus, webhook: {url: http://127.0.0.1:1, secret_files: [key]}}]\n", "receiver bus: webhook: signing secret 1 (file "},
		{"a template is broken", "receivers: [{name: bus, webhook: {url: http://127.0.0.1:1}}]\ntemplates: [own.tmpl]\n", "own.tmpl:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := build(t, map[string]string{"inferdx.yml": page + test.files, "own.tmpl": `{{ define "title" }}{{ .Nothing }}{{ end }}`, "key": "hunter2"})
			if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestUsersTemplatesSpeakInEveryReceiver(t *testing.T) {
	var body atomic.Value
	h := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var b struct{ Summary string }
		_ = json.NewDecoder(r.Body).Decode(&b)
		body.Store(b.Summary)
	}))
	defer h.Close()
	s, _ := must(t, map[string]string{
		"inferdx.yml": page + "receivers: [{name: bus, webhook: {url: " + h.URL + "}}]\ntemplates: [own.tmpl]\n",
		"own.tmpl":    `{{ define "title" }}ours: {{ .Severity }}{{ end }}`,
	})
	if _, err := lane(t, s, "bus").Notifier.Notify(t.Context(), notifiertest.Message(), nil); err != nil {
		t.Fatal(err)
	}
	if got := body.Load(); got != "ours: critical" && got != "ours: warning" {
		t.Errorf("summary %q, want the user's words", got)
	}
}

func TestTwoReceiversOfOneChannelShareItsTurns(t *testing.T) {
	w := slacktest.New(slacktest.Options{Every: -1})
	defer w.Close()
	s, _ := must(t, map[string]string{
		"inferdx.yml": page + "receivers: [{name: a, slack: {bot_token_file: t, channel: '#llm', api_url: " + w.APIURL() + "}}, {name: b, slack: {bot_token_file: t, channel: '#llm', api_url: " + w.APIURL() + "}}]\nroute: {receiver: a, routes: [{receiver: b, match: {a: b}}]}\n",
		"t":           w.Token(),
	})
	w.RateLimit(1, 30*time.Second)
	m := notifiertest.Message()
	m.At = time.Now()
	if _, err := lane(t, s, "a").Notifier.Notify(t.Context(), m, nil); err == nil {
		t.Fatal("the channel refused, and nobody said so")
	}
	before := w.Requests("chat.postMessage")
	if _, err := lane(t, s, "b").Notifier.Notify(t.Context(), m, nil); err == nil {
		t.Error("the other receiver does not know that the channel rests")
	}
	if after := w.Requests("chat.postMessage"); after != before {
		t.Errorf("%d requests while the channel rests", after-before)
	}
}

func TestAnAnswerNamesTheReceiverAsRoutesDo(t *testing.T) {
	w := slacktest.New(slacktest.Options{Every: -1})
	defer w.Close()
	s, _ := must(t, map[string]string{
		"inferdx.yml": page + "receivers: [{name: oncall, slack: {bot_token_file: t, channel: '#llm', signing_secret_file: s, api_url: " + w.APIURL() + "}, webhook: {url: http://127.0.0.1:1}}]\n",
		"t":           w.Token(), "s": w.SigningSecret(),
	})
	var got notifiers.Answer
	heard, err := s.Interactions(func(_ context.Context, a notifiers.Answer) error { got = a; return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer heard.Close()
	if len(heard.Handlers) != 1 || len(heard.Sockets) != 0 {
		t.Fatalf("%d handlers and %d sockets, want one handler", len(heard.Handlers), len(heard.Sockets))
	}
	h := httptest.NewServer(heard.Handlers["oncall/slack[0]"])
	defer h.Close()
	w.SendTo(h.URL)
	m := s.Fan(func() plan.Message { m := notifiertest.Message(); m.Receiver = "oncall"; return m }())[0]
	raw, err := lane(t, s, m.Receiver).Notifier.Notify(t.Context(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var at struct{ Channel, TS string }
	if err := json.Unmarshal(raw, &at); err != nil {
		t.Fatal(err)
	}
	if err := w.Press("llm", at.TS, "inferdx_acknowledge", "ana"); err != nil {
		t.Fatal(err)
	}
	heard.Wait()
	if got.Kind != notifiers.Acknowledge || got.Receiver != "oncall" || got.Key != m.Key {
		t.Errorf("got %+v", got)
	}
}

func TestAlertmanagersAreKept(t *testing.T) {
	s, _ := must(t, map[string]string{"inferdx.yml": several})
	got := s.Keepers()
	if len(got) != 1 || got[0].Lane != "oncall/alertmanager[0]" || got[0].Receiver != "oncall" || got[0].Every() != time.Minute {
		t.Errorf("got %+v", got)
	}
}

package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/webhook"
)

var update = flag.Bool("update", false, "rewrite the goldens")

type title struct{}

func (title) Title(m plan.Message) string { return string(m.Reason) + ": <h200> & co" }

type received struct {
	header http.Header
	body   []byte
}

// endpoint takes every message.
func endpoint(t *testing.T) (url string, last func() received) {
	t.Helper()
	got := make(chan received, 16)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Header, body}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() received { return <-got }
}

func notifier(t *testing.T, o webhook.Options) *webhook.Notifier {
	t.Helper()
	o.Texts = title{}
	n, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func signingSecret(of byte) string {
	return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{of}, 32))
}

func messages() map[string]plan.Message {
	verified := notifiertest.Message()
	verified.Reason, verified.Number = plan.Verified, 3
	verified.Outcome = &plan.Outcome{
		Target: map[string]string{"instance": "h200-0:8000"}, Cause: "max-num-seqs-too-low", Change: "--max-num-seqs 8 -> 64",
		Verdict: "improved", Why: "at the same load", Lines: []string{"TTFT P99 13 s -> 0.3 s"},
	}
	bare := plan.Message{ID: "t", Receiver: "bus", Key: "test", Number: 1, Reason: plan.Test, At: notifiertest.At, Onset: notifiertest.At}
	return map[string]plan.Message{"first": notifiertest.Message(), "resolved": notifiertest.Resolved(), "verified": verified, "bare": bare}
}

func TestTheBodyLooksAsItDidAndKeepsItsSchema(t *testing.T) {
	url, last := endpoint(t)
	n := notifier(t, webhook.Options{URL: secret.Text{Value: url}})
	schema := compiled(t)
	for name, m := range messages() {
		thread, err := n.Notify(t.Context(), m, json.RawMessage(`"kept"`))
		if err != nil || string(thread) != `"kept"` {
			t.Fatal(string(thread), err)
		}
		body := last().body
		notifiertest.Golden(t, *update, name+".json", body)
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := webhook.Schema()
	if err != nil {
		t.Fatal(err)
	}
	notifiertest.Golden(t, *update, "schema.json", text)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("webhook.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("webhook.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSchemaSaysNoToWhatIsNoMessage(t *testing.T) {
	schema := compiled(t)
	good, err := os.ReadFile(filepath.Join("testdata", "first.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(map[string]any){
		"":                     func(map[string]any) {},
		"another version":      func(m map[string]any) { m["version"] = "2" },
		"no id":                func(m map[string]any) { delete(m, "id") },
		"a status of its own":  func(m map[string]any) { m["status"] = "open" },
		"a diagnosis of words": func(m map[string]any) { m["diagnoses"] = []any{"slow"} },
		"a severity too many":  func(m map[string]any) { m["severity"] = "page" },
		"less than none left":  func(m map[string]any) { m["truncated_diagnoses"] = -1 },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		if err := schema.Validate(m); (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestStandardWebhooksTakesTheSignature(t *testing.T) {
	url, last := endpoint(t)
	dir := t.TempDir()
	var secrets []secret.Text
	for i, s := range []string{signingSecret(1), signingSecret(2)} {
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, secret.Text{File: path})
	}
	n := notifier(t, webhook.Options{URL: secret.Text{Value: url}, Secrets: secrets})
	try := func() received {
		if _, err := n.Notify(t.Context(), notifiertest.Message(), nil); err != nil {
			t.Fatal(err)
		}
		return last()
	}
	got := try()
	for key, want := range map[byte]bool{1: true, 2: true, 3: false} {
		wh, err := standardwebhooks.NewWebhook(signingSecret(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(got.body, got.header); (err == nil) != want {
			t.Errorf("key %d: %v", key, err)
		}
		if wh.Verify(append(got.body, ' '), got.header) == nil {
			t.Errorf("key %d takes a body that was changed", key)
		}
	}
	if err := os.WriteFile(secrets[0].File, []byte(signingSecret(3)), 0o600); err != nil {
		t.Fatal(err)
	}
	wh, err := standardwebhooks.NewWebhook(signingSecret(3))
	if err != nil {
		t.Fatal(err)
	}
	again := try()
	if err := wh.Verify(again.body, again.header); err != nil {
		t.Errorf("the rotated secret is not used: %v", err)
	}
	if id := again.header.Get("Webhook-Id"); id != notifiertest.Message().ID || id != got.header.Get("Webhook-Id") {
		t.Errorf("the id changed to %s", id)
	}
}

func TestTheTimestampIsThatOfTheTry(t *testing.T) {
	url, last := endpoint(t)
	now := time.Unix(1_700_000_000, 0)
	n := notifier(t, webhook.Options{URL: secret.Text{Value: url}, Now: func() time.Time { return now }})
	for _, want := range []string{"1700000000", "1700000060"} {
		if _, err := n.Notify(t.Context(), notifiertest.Message(), nil); err != nil {
			t.Fatal(err)
		}
		if h := last().header; h.Get("Webhook-Timestamp") != want || h.Get("Webhook-Signature") != "" {
			t.Errorf("got %v", h)
		}
		now = now.Add(time.Minute)
	}
}

func TestALongMessageLosesItsLeastBadDiagnosesAndSaysHowMany(t *testing.T) {
	url, last := endpoint(t)
	n := notifier(t, webhook.Options{URL: secret.Text{Value: url}, MaxBytes: 20_000})
	m := notifiertest.Many(100)
	if _, err := n.Notify(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	body := last().body
	var got struct {
		Diagnoses []model.Diagnosis
		Truncated int `json:"truncated_diagnoses"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	kept := len(got.Diagnoses)
	if kept < 5 || kept+got.Truncated != 100 || len(body) > 20_000 || len(body) < 15_000 {
		t.Errorf("%d kept, %d left out, %d bytes", kept, got.Truncated, len(body))
	}
	for i, d := range got.Diagnoses {
		if diff := cmp.Diff(m.Diagnoses[i].Target, d.Target); diff != "" {
			t.Errorf("diagnosis %d: %s", i, diff)
		}
	}
}

func TestAMessageThatCannotFitIsGivenUp(t *testing.T) {
	url, _ := endpoint(t)
	n := notifier(t, webhook.Options{URL: secret.Text{Value: url}, MaxBytes: 1000})
	m := notifiertest.Message()
	m.Recovered = []string{strings.Repeat("x", 2000)}
	if _, err := n.Notify(t.Context(), m, nil); !notifiers.Final(err) {
		t.Errorf("got %v", err)
	}
}

func TestFailures(t *testing.T) {
	key := "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(notifiertest.Secret, 3)))
	notifiertest.Contract(t, func(url string) notifiertest.Notifier {
		return notifier(t, webhook.Options{URL: secret.Text{Value: url}, Secrets: []secret.Text{{Value: key}}})
	})
}

func TestSecretsThatCannotSignAreRefusedUnseen(t *testing.T) {
	for name, s := range map[string]secret.Text{
		"no prefix": {Value: base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("TOP"), 10))}, "too short": {Value: "whsec_VE9Q"},
		"no base64": {Value: "whsec_!TOP" + strings.Repeat("x", 40)}, "no file": {File: "no/such/file"},
	} {
		_, err := webhook.New(webhook.Options{URL: secret.Text{Value: "http://x"}, Secrets: []secret.Text{s}, Texts: title{}})
		if err == nil || strings.Contains(err.Error(), "TOP") || strings.Contains(err.Error(), "VE9Q") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

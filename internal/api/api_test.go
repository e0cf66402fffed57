package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/api"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
)

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

type present struct{ is api.Snapshot }

func (p present) Snapshot() api.Snapshot { return p.is }

// serve is the API over a store with one of everything.
func serve(t *testing.T) http.Handler {
	t.Helper()
	s, err := store.Open(t.Context(), store.InMemory, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	onset := t0.Add(-time.Minute)
	d := model.Diagnosis{
		Target: map[string]string{"instance": "a:8000", "job": "vllm"}, Scope: model.ScopeTarget, Status: model.Degraded, Summary: "slow", Fingerprint: "f",
		Onset: &onset, Changed: []model.Change{}, Symptoms: []model.Symptom{{ID: "ttft-high", Title: "slow", Severity: model.Warning, State: model.Firing, Since: onset, Members: []string{}, Evidence: []model.Evidence{}}},
		Causes: []model.Cause{}, Missing: []model.Missing{}, Notes: []string{},
	}
	err = s.Tick(t.Context(), store.Tick{
		At: t0, Diagnoses: []store.Observed{{Diagnosis: d, Signals: map[string]float64{"waiting": 53}}},
		Transitions: []store.Transition{{At: t0, Entity: store.EntityKey(d.Scope, d.Target), Symptom: "ttft-high", From: store.Inactive, To: model.Firing, Severity: model.Warning}},
		Messages:    []plan.Message{{ID: "m1", Receiver: "oncall", Key: "{}", Number: 1, Reason: plan.First, Severity: model.Warning, At: t0, Onset: onset, Deadline: t0.Add(time.Hour), GroupLabels: map[string]string{}, Diagnoses: []model.Diagnosis{d}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddOutcome(t.Context(), store.Outcome{At: t0, Entity: "target{}", Cause: "x", Change: json.RawMessage(`{"a":1}`), Verdict: "improved", Comparison: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	at := t0
	mux := http.NewServeMux()
	for pattern, h := range api.Handlers(api.Options{
		History: s, Clock: func() time.Time { return t0 },
		Now: present{api.Snapshot{
			Report:  &model.Report{Version: "1", GeneratedAt: t0, WindowSeconds: 300, Targets: []model.Diagnosis{d}},
			Targets: []api.Target{{Job: "vllm", URL: "http://a:8000/metrics", Labels: d.Target, Health: "up", LastScrape: &at}},
			Rules:   []api.Rule{{ID: "ttft-high", Firing: 1}},
			Status:  api.Status{Version: "1", Started: t0}, Config: "urls: []\n",
		}},
	}) {
		mux.Handle(pattern, h)
	}
	return mux
}

func ask(h http.Handler, method, path, body string) (int, []byte) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.Bytes()
}

type document struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema json.RawMessage `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
	} `json:"paths"`
}

const posted = `{"matchers":["instance=\"a:8000\""],"endsAt":"2026-11-24T04:00:00Z","createdBy":"ann","comment":"deploy"}`

func TestEveryAnswerIsWhatTheDocumentSays(t *testing.T) {
	h := serve(t)
	_, text := ask(h, "GET", "/api/v1/openapi.json", "")
	var doc document
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Paths) < 12 {
		t.Fatalf("%d paths", len(doc.Paths))
	}
	_, made := ask(h, "POST", "/api/v1/silences", posted)
	var id struct{ Data struct{ ID string } }
	if err := json.Unmarshal(made, &id); err != nil {
		t.Fatal(err)
	}
	for path, methods := range doc.Paths {
		for method, route := range methods {
			body := ""
			if method == "post" {
				body = posted
			}
			at := strings.ReplaceAll(path, "{id}", "1")
			if method == "delete" {
				at = strings.ReplaceAll(path, "{id}", id.Data.ID)
			}
			code, answer := ask(h, strings.ToUpper(method), at, body)
			if code != 200 {
				t.Errorf("%s %s: %d %s", method, at, code, answer)
				continue
			}
			valid(t, method+" "+path, route.Responses["200"].Content["application/json"].Schema, answer)
		}
	}
	code, answer := ask(h, "GET", "/api/v1/targets?nonsense=1", "")
	if code != 400 {
		t.Errorf("%d", code)
	}
	valid(t, "a fault", doc.Paths["/api/v1/targets"]["get"].Responses["default"].Content["application/json"].Schema, answer)
}

func valid(t *testing.T, what string, schema, answer []byte) {
	t.Helper()
	s, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mem:///x", s); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("mem:///x")
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(answer))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(v); err != nil {
		t.Errorf("%s: %v\n%s", what, err, answer)
	}
}

func TestWhatIsAskedWronglyIsSaid(t *testing.T) {
	h := serve(t)
	for _, c := range []struct {
		method, path, body, says string
		code                     int
	}{
		{"GET", "/api/v1/diagnoses?status=ill", "", "want one of", 400},
		{"GET", "/api/v1/diagnoses/history?from=yesterday", "", "RFC 3339", 400},
		{"GET", "/api/v1/diagnoses/history?limit=100000", "", "1 to 1000", 400},
		{"GET", "/api/v1/diagnoses/history/99", "", "not found", 404},
		{"GET", "/api/v1/diagnoses/history/x", "", "want a number", 400},
		{"DELETE", "/api/v1/silence/none", "", "not found", 404},
		{"POST", "/api/v1/silences", `{}`, "matchers", 400},
		{"POST", "/api/v1/silences", `{"matchers":["a=~\"(\""],"endsAt":"2026-11-24T04:00:00Z","createdBy":"x"}`, "matchers", 400},
		{"POST", "/api/v1/silences", `{"matchers":["a=\"b\""],"endsAt":"2026-11-24T02:00:00Z","createdBy":"x"}`, "endsAt", 400},
		{"POST", "/api/v1/silences", `{"matchers":["a=\"b\""],"endsAt":"2026-11-24T04:00:00Z","createdBy":"x","typo":1}`, "typo", 400},
		{"POST", "/api/v1/silences", `{"matchers":["a=\"b\""],"endsAt":"2026-11-24T04:00:00Z"}`, "createdBy", 400},
		{"POST", "/api/v1/silences", strings.Repeat(" ", 100_000), "", 400},
	} {
		if code, body := ask(h, c.method, c.path, c.body); code != c.code || !strings.Contains(string(body), c.says) {
			t.Errorf("%s %s %.60s: %d %s", c.method, c.path, c.body, code, body)
		}
	}
}

func TestSelections(t *testing.T) {
	h := serve(t)
	for path, want := range map[string]int{
		"/api/v1/diagnoses/history?from=2026-11-24T03:00:00Z": 1, "/api/v1/diagnoses/history?to=2026-11-24T03:00:00Z": 0,
		"/api/v1/symptoms?state=firing": 1, "/api/v1/symptoms?state=pending": 0,
		"/api/v1/notifications?state=waiting": 1, "/api/v1/notifications?state=dead": 0,
	} {
		_, body := ask(h, "GET", path, "")
		var a struct{ Data []any }
		if err := json.Unmarshal(body, &a); err != nil || len(a.Data) != want {
			t.Errorf("%s: %d, want %d: %s", path, len(a.Data), want, body)
		}
	}
}

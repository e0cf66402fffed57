package canary

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// engine is an OpenAI-compatible server; answers are by path, "" where there is no such path.
type engine struct {
	*httptest.Server
	mu      sync.Mutex
	answers map[string]string // "status body", or "hang" or "hang up"
	asked   []string
	bodies  []map[string]any
	headers http.Header
}

func newEngine(t *testing.T, answers map[string]string) *engine {
	t.Helper()
	e := &engine{answers: answers}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		e.asked = append(e.asked, r.Method+" "+r.URL.Path)
		if text, _ := io.ReadAll(r.Body); len(text) > 0 {
			var body map[string]any
			if err := json.Unmarshal(text, &body); err != nil {
				t.Error(err)
			}
			e.bodies, e.headers = append(e.bodies, body), r.Header
		}
		answer, ok := e.answers[r.URL.Path]
		if !ok {
			answer = `404 {"detail":"Not Found"}`
		}
		e.mu.Unlock()
		switch answer {
		case "hang":
			<-r.Context().Done()
		case "hang up":
			panic(http.ErrAbortHandler)
		default:
			var status int
			_, _ = fmt.Sscan(answer, &status)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, answer[4:])
		}
	}))
	t.Cleanup(e.Close)
	return e
}

const (
	models     = `200 {"data":[{"id":"m"},{"id":"lora"}]}`
	completion = `200 {"choices":[{"text":"x"}],"usage":{"completion_tokens":1}}`
)

func askerOf(t *testing.T, url string, o Options) *asker {
	t.Helper()
	client, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	o.Client, o.Report = client, func(Result) {}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	p, err := New(Options{Client: o.Client, Report: o.Report, Interval: o.Timeout, Timeout: o.Timeout, Model: o.Model, MaxTokens: o.MaxTokens})
	if err != nil {
		t.Fatal(err)
	}
	return &asker{o: p.o, target: Target{Labels: model.LabelsFrom(map[string]string{"instance": "a:8000"}), URL: url + "/metrics"}}
}

func TestOneTokenOfTheFirstModelIsAskedForUnderTheCanarysName(t *testing.T) {
	e := newEngine(t, map[string]string{"/v1/models": models, "/v1/completions": completion})
	a := askerOf(t, e.URL, Options{})
	r := a.ask(t.Context())
	if !r.Answered || r.Reason != "" || r.Seconds <= 0 || r.Seconds > 9 || r.Tokens != 1 {
		t.Errorf("%+v", r)
	}
	want := map[string]any{"model": "m", "prompt": "ping", "max_tokens": 1.0, "temperature": 0.0, "user": "inferdx-canary", "stream": false}
	if diff := cmp.Diff(want, e.bodies[0]); diff != "" {
		t.Error(diff)
	}
	if e.headers.Get("User-Agent") != "inferdx-canary" || e.headers.Get("X-Inferdx-Canary") != "1" || !strings.HasPrefix(e.headers.Get("X-Request-Id"), "inferdx-canary-") {
		t.Error(e.headers)
	}
	a.ask(t.Context())
	if diff := cmp.Diff([]string{"GET /v1/models", "POST /v1/completions", "POST /v1/completions"}, e.asked); diff != "" {
		t.Errorf("the model is looked up once: %s", diff)
	}
}

func TestAServerThatOnlyChatsIsAskedToChat(t *testing.T) {
	e := newEngine(t, map[string]string{"/v1/models": models, "/v1/chat/completions": completion})
	a := askerOf(t, e.URL, Options{MaxTokens: 4})
	for range 2 {
		if r := a.ask(t.Context()); !r.Answered {
			t.Errorf("%+v", r)
		}
	}
	if diff := cmp.Diff([]string{"GET /v1/models", "POST /v1/completions", "POST /v1/chat/completions", "POST /v1/chat/completions"}, e.asked); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(e.bodies[2]["messages"], e.bodies[2]["max_tokens"]); got != "[map[content:ping role:user]] 4" {
		t.Error(got)
	}
}

func TestTheConfiguredModelIsNotLookedUp(t *testing.T) {
	e := newEngine(t, map[string]string{"/v1/completions": completion})
	a := askerOf(t, e.URL, Options{Model: "mine"})
	if r := a.ask(t.Context()); !r.Answered || e.bodies[0]["model"] != "mine" || len(e.asked) != 1 {
		t.Errorf("%+v %v", r, e.asked)
	}
}

func TestWhyThereIsNoAnswer(t *testing.T) {
	with := func(completions string) map[string]string {
		return map[string]string{"/v1/models": models, "/v1/completions": completions}
	}
	for _, tc := range []struct {
		name   string
		in     map[string]string
		want   Reason
		looked bool
	}{
		{"the engine hangs", with("hang"), Timeout, true},
		{"the front end hangs", map[string]string{"/v1/models": "hang"}, Timeout, true},
		{"the engine died", with(`500 {"error":{"message":"EngineDeadError"}}`), ServerError, true},
		{"a gateway finds no server", with("502 <html>"), ServerError, true},
		{"it takes no more", with("503 busy"), Busy, true},
		{"too many", with("429 busy"), Busy, true},
		{"it hangs up", with("hang up"), Broken, true},
		{"the key is missing", map[string]string{"/v1/models": `401 {"error":"Unauthorized"}`}, Unauthorized, false},
		{"the key is refused", with("403 no"), Unauthorized, false},
		{"no such model", with(`404 {"error":{"message":"The model m does not exist."}}`), NotAsked, false},
		{"no inference server", map[string]string{}, NotAsked, false},
		{"no models", map[string]string{"/v1/models": `200 {"data":[]}`}, NotAsked, false},
		{"a login page", with("200 <html>"), NotAsked, false},
		{"an answer without a token", with(`200 {"choices":[]}`), NotAsked, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := askerOf(t, newEngine(t, tc.in).URL, Options{Timeout: 300 * time.Millisecond})
			r := a.ask(t.Context())
			if r.Answered || r.Reason != tc.want || r.Looked() != tc.looked || r.Detail == "" {
				t.Errorf("%+v", r)
			}
			if _, fault := r.Fault(); fault == tc.looked || (len(r.Samples()) > 0) != tc.looked {
				t.Errorf("fault %t, samples %v", fault, r.Samples())
			}
		})
	}
}

func TestAServerThatIsNotThereRefuses(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	if r := askerOf(t, s.URL, Options{}).ask(t.Context()); r.Reason != Refused || !r.Looked() {
		t.Errorf("%+v", r)
	}
}

func TestFailuresInARowAreCounted(t *testing.T) {
	e := newEngine(t, map[string]string{"/v1/models": models})
	a := askerOf(t, e.URL, Options{Timeout: 200 * time.Millisecond})
	var got []string
	for _, answer := range []string{completion, "hang", "hang", "401 no", "hang", "500 dead", completion, "401 no"} {
		e.mu.Lock()
		e.answers["/v1/completions"] = answer
		e.mu.Unlock()
		var one []string
		for _, s := range a.ask(t.Context()).Samples() {
			if s.Name != "inferdx_canary_duration_seconds" {
				one = append(one, fmt.Sprint(s.Value))
			}
		}
		got = append(got, strings.Join(one, " "))
	}
	// up, failures, timeouts, tokens; nothing where nothing was learnt
	want := []string{"1 0 0 1", "0 1 1 0", "0 2 2 0", "", "0 3 3 0", "0 4 0 0", "1 0 0 1", ""}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNoAPIKeyIsShown(t *testing.T) {
	t.Setenv("CANARY_KEY", "s3cret-key")
	e := newEngine(t, map[string]string{"/v1/models": `401 {"error":"s3cret-key is not allowed"}`})
	client, err := httpclient.New(httpclient.Options{BearerTokenEnv: "CANARY_KEY"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	a := askerOf(t, e.URL, Options{})
	a.o.Client = client
	r := a.ask(t.Context())
	if f, ok := r.Fault(); !ok || strings.Contains(f.Err, "s3cret-key") || f.Source != "canary of a:8000" {
		t.Error(f, ok)
	}
}

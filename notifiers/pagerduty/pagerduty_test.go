package pagerduty_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/pagerduty"
)

var update = flag.Bool("update", false, "rewrite the goldens")

type title string

func (s title) Title(m plan.Message) string { return string(s) + string(m.Reason) }

func notifier(t *testing.T, o pagerduty.Options) *pagerduty.Notifier {
	t.Helper()
	if o.Texts == nil {
		o.Texts = title("h200-0: ")
	}
	if !o.RoutingKey.Set() {
		path := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(path, []byte(notifiertest.Secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o.RoutingKey = secret.Text{File: path}
	}
	n, err := pagerduty.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// sent gives the event that a message becomes, as PagerDuty gets it.
func sent(t *testing.T, o pagerduty.Options, m plan.Message) []byte {
	t.Helper()
	var body []byte
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprint(w, `{"status":"success"}`)
	}))
	defer s.Close()
	o.URL = s.URL
	if _, err := notifier(t, o).Notify(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	return body
}

type event struct {
	Action  string `json:"event_action"`
	Key     string `json:"dedup_key"`
	Payload struct {
		Summary, Severity, Source string
		Details                   struct {
			Targets []json.RawMessage
			LeftOut int `json:"targets_left_out"`
		} `json:"custom_details"`
	}
}

func decode(t *testing.T, body []byte) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEventsLookAsTheyDid(t *testing.T) {
	o := pagerduty.Options{Links: []pagerduty.Link{{Href: "https://grafana.example/d/llm", Text: "dashboard"}}}
	for name, m := range map[string]plan.Message{"trigger": notifiertest.Message(), "resolve": notifiertest.Resolved()} {
		notifiertest.Golden(t, *update, name+".json", sent(t, o, m))
	}
}

func TestOneOnsetOfAGroupIsOneIncident(t *testing.T) {
	key := func(change func(*plan.Message)) string {
		m := notifiertest.Message()
		change(&m)
		return decode(t, sent(t, pagerduty.Options{}, m)).Key
	}
	first := key(func(*plan.Message) {})
	for name, same := range map[string]func(*plan.Message){
		"worse": func(m *plan.Message) {
			m.Reason, m.Number, m.Severity, m.At = plan.Worse, 2, model.Critical, m.At.Add(time.Minute)
		},
		"resolved":         func(m *plan.Message) { m.Reason = plan.Resolved },
		"another zone":     func(m *plan.Message) { m.Onset = m.Onset.In(time.FixedZone("x", 3600)) },
		"another receiver": func(m *plan.Message) { m.Receiver = "second" },
	} {
		if got := key(same); got != first {
			t.Errorf("%s: %s, want %s", name, got, first)
		}
	}
	for name, other := range map[string]func(*plan.Message){
		"another onset": func(m *plan.Message) { m.Onset = m.Onset.Add(time.Hour) },
		"another group": func(m *plan.Message) { m.Key = "llm/other" },
		"a test":        func(m *plan.Message) { m.Reason = plan.Test },
	} {
		if key(other) == first {
			t.Errorf("%s has the same key", name)
		}
	}
	long := func(end string) string {
		return key(func(m *plan.Message) { m.Key = strings.Repeat("k", 300) + end })
	}
	if a, b := long("a"), long("b"); len(a) > 255 || a == b || a != long("a") {
		t.Errorf("got %s and %s", a, b)
	}
}

func TestAnIncidentStaysTheSameWhenTheGroupsOnsetMoves(t *testing.T) {
	var keys []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e event
		if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
			t.Error(err)
		}
		keys = append(keys, e.Key)
		w.WriteHeader(http.StatusAccepted)
	}))
	defer s.Close()
	n := notifier(t, pagerduty.Options{URL: s.URL})
	later, again := notifiertest.Resolved(), notifiertest.Message()
	later.Onset, again.Onset = later.Onset.Add(5*time.Minute), again.Onset.Add(time.Hour)
	var thread json.RawMessage
	for _, m := range []plan.Message{notifiertest.Message(), later, again} {
		var err error
		if thread, err = n.Notify(t.Context(), m, thread); err != nil {
			t.Fatal(err)
		}
	}
	if keys[0] != keys[1] || keys[1] == keys[2] {
		t.Errorf("got %q", keys)
	}
}

func TestAnEventKeepsPagerDutysLimits(t *testing.T) {
	m := notifiertest.Many(2000)
	body := sent(t, pagerduty.Options{Texts: title(strings.Repeat("é", 2000))}, m)
	e := decode(t, body)
	if len(body) > 512_000 || len(e.Payload.Details.Targets) < 100 || len(e.Payload.Details.Targets)+e.Payload.Details.LeftOut != 2000 {
		t.Errorf("%d bytes, %d targets, %d left out", len(body), len(e.Payload.Details.Targets), e.Payload.Details.LeftOut)
	}
	if s := e.Payload.Summary; len(s) > 1024 || !strings.HasSuffix(s, "é…") || !utf8.ValidString(s) {
		t.Errorf("got %d bytes: %s", len(s), s)
	}
}

func TestSeveritiesAreThoseOfPagerDuty(t *testing.T) {
	for in, want := range map[model.Severity]string{model.Critical: "critical", model.Warning: "warning", model.Info: "info", "": "error"} {
		m := notifiertest.Message()
		m.Severity = in
		if got := decode(t, sent(t, pagerduty.Options{}, m)).Payload.Severity; got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
}

func TestOnly202IsAccepted(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>please log in</html>") }))
	defer s.Close()
	_, err := notifier(t, pagerduty.Options{URL: s.URL}).Notify(t.Context(), notifiertest.Message(), nil)
	if err == nil || notifiers.Final(err) {
		t.Errorf("got %v", err)
	}
}

func TestFailures(t *testing.T) {
	notifiertest.Contract(t, func(url string) notifiertest.Notifier { return notifier(t, pagerduty.Options{URL: url}) })
}

func TestARoutingKeyIsNeeded(t *testing.T) {
	for _, key := range []secret.Text{{}, {File: "no/such/file"}} {
		if _, err := pagerduty.New(pagerduty.Options{RoutingKey: key, Texts: title("")}); err == nil {
			t.Errorf("%v was taken", key)
		}
	}
}

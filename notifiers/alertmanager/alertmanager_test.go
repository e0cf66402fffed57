package alertmanager_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/alertmanager"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

type alert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

// fake records what an Alertmanager is sent.
type fake struct {
	url    string
	mu     sync.Mutex
	bodies [][]byte
	status int
}

func start(t *testing.T) *fake {
	t.Helper()
	f := &fake{status: http.StatusOK}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.URL.Path != "/prefix/api/v2/alerts" {
			t.Errorf("posted to %s", r.URL.Path)
		}
		f.bodies = append(f.bodies, b)
		w.WriteHeader(f.status)
	}))
	t.Cleanup(s.Close)
	f.url = s.URL + "/prefix/"
	return f
}

// last takes what was posted since it was asked last, alert by alert.
func (f *fake) last(t *testing.T) []alert {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []alert
	for _, b := range f.bodies {
		var part []alert
		if err := json.Unmarshal(b, &part); err != nil {
			t.Fatal(err)
		}
		out = append(out, part...)
	}
	f.bodies = nil
	return out
}

func notifier(t *testing.T, o alertmanager.Options, urls ...string) *alertmanager.Notifier {
	t.Helper()
	for _, u := range urls {
		o.URLs = append(o.URLs, secret.Text{Value: u})
	}
	if o.Now == nil {
		o.Now = func() time.Time { return notifiertest.At }
	}
	n, err := alertmanager.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func keep(t *testing.T, n *alertmanager.Notifier, after time.Duration, firing ...model.Diagnosis) {
	t.Helper()
	if err := n.Keep(t.Context(), firing, notifiertest.At.Add(after)); err != nil {
		t.Fatal(err)
	}
}

func notify(t *testing.T, n *alertmanager.Notifier, m plan.Message) {
	t.Helper()
	if thread, err := n.Notify(t.Context(), m, json.RawMessage("1")); err != nil || string(thread) != "1" {
		t.Fatal(err)
	}
}

// brief says severity and end of alerts, the end as time since the sample.
func brief(alerts []alert) string {
	var out []string
	for _, a := range alerts {
		out = append(out, a.Labels["severity"]+" "+a.EndsAt.Sub(notifiertest.At).String())
	}
	return strings.Join(out, ", ")
}

func critical() model.Diagnosis {
	d := notifiertest.Diagnosis("h200-0:8000")
	d.Symptoms[0].Severity = model.Critical
	return d
}

func TestAlertsLookAsTheyDid(t *testing.T) {
	f := start(t)
	n := notifier(t, alertmanager.Options{Labels: map[string]string{"cluster": "eu", "job": "not this"}, ExternalURL: "https://inferdx.example"}, f.url)
	notify(t, n, notifiertest.Message())
	notifiertest.Golden(t, *update, "firing.json", f.bodies[0])
}

func TestIdentityStaysWhileCauseAndScoreMove(t *testing.T) {
	f := start(t)
	n := notifier(t, alertmanager.Options{}, f.url)
	notify(t, n, notifiertest.Message())
	before := f.last(t)
	d := notifiertest.Diagnosis("h200-0:8000")
	d.Causes[0].ID, d.Causes[0].Score, d.Summary, d.Engine.Version, d.Fingerprint = "another", 0.5, "something else", "0.26", "77"
	d.Symptoms[0].ID = "another-symptom"
	keep(t, n, time.Minute, d)
	after := f.last(t)
	if len(before) != 1 || len(after) != 1 {
		t.Fatalf("%d and %d alerts", len(before), len(after))
	}
	if diff := cmp.Diff(before[0].Labels, after[0].Labels); diff != "" {
		t.Error(diff)
	}
	if after[0].Annotations["cause"] != "another" || after[0].Annotations["score"] != "0.50" || !after[0].StartsAt.Equal(before[0].StartsAt) {
		t.Errorf("got %+v", after[0])
	}
	if got := brief(after); got != "warning 5m0s" {
		t.Errorf("ends at %s, want four intervals ahead", got)
	}
}

func TestSeverityOnlyRisesAndTakesTheLowerOnesPlace(t *testing.T) {
	f := start(t)
	n := notifier(t, alertmanager.Options{}, f.url)
	steps := []struct {
		after  time.Duration
		firing model.Diagnosis
		want   string
	}{
		{0, notifiertest.Diagnosis("h200-0:8000"), "warning 4m0s"},
		{time.Minute, critical(), "critical 5m0s, warning 1m0s"},
		{2 * time.Minute, notifiertest.Diagnosis("h200-0:8000"), "critical 6m0s, warning 1m0s"},
		{6 * time.Minute, critical(), "critical 10m0s"},
	}
	for _, s := range steps {
		keep(t, n, s.after, s.firing)
		if got := brief(f.last(t)); got != s.want {
			t.Errorf("after %s: got %s, want %s", s.after, got, s.want)
		}
	}
	pinned := notifier(t, alertmanager.Options{Severity: "page"}, f.url)
	for range 2 {
		keep(t, pinned, 0, critical())
		if got := brief(f.last(t)); got != "page 4m0s" {
			t.Errorf("got %s", got)
		}
	}
}

func TestWhatRecoversEndsAndIsRepeatedForAWhile(t *testing.T) {
	f := start(t)
	n := notifier(t, alertmanager.Options{Now: func() time.Time { return notifiertest.At.Add(11 * time.Minute) }}, f.url)
	keep(t, n, 9*time.Minute, critical(), notifiertest.Diagnosis("other:8000"))
	f.last(t)
	notify(t, n, notifiertest.Resolved()) // the recovery was 10 minutes in, and the severity critical
	if got := brief(f.last(t)); got != "critical 10m0s" {
		t.Errorf("got %s", got)
	}
	keep(t, n, 12*time.Minute)
	if got := brief(f.last(t)); got != "critical 10m0s, warning 12m0s" {
		t.Errorf("got %s", got)
	}
	keep(t, n, 15*time.Minute, notifiertest.Diagnosis("other:8000"))
	if got := brief(f.last(t)); got != "warning 19m0s" {
		t.Errorf("an alert that fires again: got %s", got)
	}
	keep(t, n, 16*time.Minute)
	f.last(t)
	keep(t, n, 30*time.Minute)
	if got := f.last(t); got != nil {
		t.Errorf("ended alerts are never forgotten: %v", got)
	}
}

func TestARestartEndsWhatItDoesNotRemember(t *testing.T) {
	f := start(t)
	notify(t, notifier(t, alertmanager.Options{Now: func() time.Time { return notifiertest.At.Add(time.Hour) }}, f.url), notifiertest.Resolved())
	if got := brief(f.last(t)); got != "warning 10m0s" {
		t.Errorf("got %s", got)
	}
}

func TestOneAlertmanagerIsEnoughAndTheOtherIsReported(t *testing.T) {
	good, bad, busy := start(t), start(t), start(t)
	bad.status, busy.status = http.StatusBadRequest, http.StatusServiceUnavailable
	var mu sync.Mutex
	failed := map[string]error{}
	o := alertmanager.Options{Failed: func(a string, err error) {
		mu.Lock()
		defer mu.Unlock()
		failed[a] = err
	}}
	keep(t, notifier(t, o, bad.url, good.url), 0, critical())
	if len(failed) != 1 || failed[strings.TrimSuffix(bad.url, "/prefix/")] == nil || len(good.last(t)) != 1 {
		t.Errorf("got %v", failed)
	}
	clear(failed)
	err := notifier(t, o, bad.url, busy.url).Keep(t.Context(), []model.Diagnosis{critical()}, notifiertest.At)
	var e *notifiers.Error
	if !errors.As(err, &e) || e.Final || e.Reason != notifiers.ServerError || len(failed) != 0 {
		t.Errorf("got %v, %v", err, failed)
	}
	if err := notifier(t, o, bad.url).Keep(t.Context(), []model.Diagnosis{critical()}, notifiertest.At); !notifiers.Final(err) {
		t.Errorf("got %v", err)
	}
}

func TestFailures(t *testing.T) {
	notifiertest.Contract(t, func(url string) notifiertest.Notifier { return notifier(t, alertmanager.Options{}, url) })
}

func TestWaitingForTheDeliveryBeforeEndsWithTheContext(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer s.Close()
	n := notifier(t, alertmanager.Options{}, s.URL)
	done := make(chan error, 1)
	go func() { done <- n.Keep(t.Context(), []model.Diagnosis{critical()}, notifiertest.At) }()
	time.Sleep(50 * time.Millisecond)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := n.Notify(ctx, notifiertest.Message(), nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestHostileLabelsMakeAValidAlert(t *testing.T) {
	f := start(t)
	d := notifiertest.Diagnosis("x")
	d.Target = map[string]string{
		"k8s.pod": "a", "k8s_pod": "b", "0day": "c", "severity": "none", "alertname": "Mine", "inferdx": "false", "bad": "\xff\n{{ $x }}", "empty": "",
	}
	d.Summary = strings.Repeat("é", 5000)
	keep(t, notifier(t, alertmanager.Options{}, f.url), 0, d)
	got := f.last(t)[0]
	want := map[string]string{
		"alertname": "InferdxDiagnosis", "inferdx": "true", "inferdx_scope": "target", "severity": "warning",
		"k8s_pod": "a", "target_k8s_pod": "b", "_0day": "c", "target_severity": "none", "target_alertname": "Mine", "target_inferdx": "false", "bad": "\ufffd\n{{ $x }}",
	}
	if diff := cmp.Diff(want, got.Labels); diff != "" {
		t.Error(diff)
	}
	if s := got.Annotations["summary"]; len(s) > 4096 || !strings.HasSuffix(s, "é…") {
		t.Errorf("%d bytes", len(s))
	}
}

func TestManyAlertsGoInSeveralRequests(t *testing.T) {
	f := start(t)
	keep(t, notifier(t, alertmanager.Options{}, f.url), 0, notifiertest.Many(600).Diagnoses...)
	if requests, alerts := len(f.bodies), len(f.last(t)); requests != 3 || alerts != 600 {
		t.Errorf("%d requests, %d alerts", requests, alerts)
	}
}

func TestATestIsAnAlertOfItsOwn(t *testing.T) {
	f := start(t)
	n := notifier(t, alertmanager.Options{}, f.url)
	m := notifiertest.Message()
	m.Reason = plan.Test
	notify(t, n, m)
	if got := f.last(t); len(got) != 1 || got[0].Labels["alertname"] != "InferdxTest" {
		t.Errorf("got %+v", got)
	}
	keep(t, n, time.Minute)
	if got := f.last(t); got != nil {
		t.Errorf("got %+v", got)
	}
}

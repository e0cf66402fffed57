package service

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/alerts"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/store"
)

// answers serves the receiver of a service.
func answers(t *testing.T, s *Service) string {
	t.Helper()
	mux := http.NewServeMux()
	for pattern, h := range s.AlertHandlers(nil) {
		mux.Handle(pattern, h)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

// watching is a service that scrapes the cured demo and tells a webhook.
func watching(t *testing.T) (*Service, *bus, string) {
	t.Helper()
	b := newBus(t)
	pages := play(t, time.Hour)
	s := run(t, `
global: {scrape_interval: 1s, evaluation_interval: 1s, window: 20s}
scrape_configs: [{job_name: vllm, metrics_path: /vllm/metrics, static_configs: [{targets: ['`+pages+`']}]}]
receivers: [{name: bus, webhook: {url: '`+b.URL+`'}}]
route: {receiver: bus, group_wait: 0s, group_interval: 1s}
storage: {path: `+t.TempDir()+`}
`)
	return s, b, pages
}

func symptomsOf(s *Service) string {
	var out []string
	if v := s.view.Load(); v != nil {
		for _, d := range v.diagnoses {
			for _, x := range d.Symptoms {
				out = append(out, string(d.Scope)+" "+x.ID)
			}
		}
	}
	return strings.Join(out, ", ")
}

func TestARealPrometheusDrivesTheReceiverAndItsEndIsSeen(t *testing.T) {
	t.Parallel()
	require.Part(t, "prometheus", "prometheus")
	s, b, pages := watching(t)
	to := strings.TrimPrefix(answers(t, s), "http://")
	require.PrometheusWith(t, `
global: {evaluation_interval: 1s, scrape_interval: 1s}
rule_files: [rules.yml]
alerting: {alertmanagers: [{static_configs: [{targets: ['`+to+`']}]}]}
`, `
groups:
  - name: g
    rules:
      - {alert: FromPrometheus, expr: 'vector(time() % 40) < 15', labels: {instance: '`+pages+`', severity: critical}, annotations: {summary: the users complain}}
`)
	// What fires before it knows of us, in its first five seconds, it sends when it fires again.
	eventually(t, 120*time.Second, "alert of Prometheus", func() bool { return strings.Contains(symptomsOf(s), "target FromPrometheus") })
	eventually(t, 30*time.Second, "message", func() bool { return strings.HasPrefix(b.reasons(), "[first") })
	eventually(t, 120*time.Second, "end of the alert", func() bool { return !strings.Contains(symptomsOf(s), "FromPrometheus") })
}

func TestARealAlertmanagerDrivesTheReceiver(t *testing.T) {
	t.Parallel()
	require.Part(t, "alertmanager", "alertmanager", "prometheus-alertmanager")
	s, _, pages := watching(t)
	am := require.AlertmanagerWith(t, `
route: {receiver: inferdx, group_wait: 0s, group_interval: 1s}
receivers: [{name: inferdx, webhook_configs: [{url: '`+answers(t, s)+`/api/v1/alertmanager'}]}]
`)
	raise := func(end string) {
		body := `[{"labels":{"alertname":"FromAlertmanager","instance":"` + pages + `"},"annotations":{"summary":"slow"}` + end + `}]`
		resp, err := http.Post(am+"/api/v2/alerts", "application/json", strings.NewReader(body)) //nolint:noctx // loopback
		if err != nil || resp.StatusCode != 200 {
			t.Fatal(err, resp)
		}
		_ = resp.Body.Close()
	}
	began := time.Now().UTC().Format(time.RFC3339Nano)
	raise(`,"startsAt":"` + began + `"`)
	eventually(t, 60*time.Second, "alert of Alertmanager", func() bool { return strings.Contains(symptomsOf(s), "target FromAlertmanager") })
	raise(`,"startsAt":"` + began + `","endsAt":"` + time.Now().UTC().Format(time.RFC3339Nano) + `"`)
	eventually(t, 60*time.Second, "end of the alert", func() bool { return !strings.Contains(symptomsOf(s), "FromAlertmanager") })
}

func TestFault40AlertsSurviveARestart(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	all, err := alerts.Alerts([]byte(`[{"labels":{"alertname":"X","instance":"a:1"},"endsAt":"2026-11-24T04:00:00Z"}]`), t0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.take(all); err != nil {
		t.Fatal(err)
	}
	w = w.again()
	w.look()
	if got := len(w.last.diagnoses); got != 1 || w.last.diagnoses[0].Scope != alerts.Scope {
		t.Errorf("%d diagnoses", got)
	}
}

func TestAnAlertThatComesLateIsDiagnosedForTheTimeAtWhichItBegan(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	f := &feeder{w: w, p: acts(t, t0, 15*time.Minute, "seqs8-c64", "base-c64"), kept: map[string]any{}, target: map[string]scrape.ArchiveTarget{}}
	f.live(27 * time.Minute)
	all, _, err := alerts.Webhook([]byte(`{"version":"4","receiver":"x","alerts":[{"status":"firing","labels":{"alertname":"UsersComplain","instance":"h200-0:8000"},"startsAt":"`+t0.Add(10*time.Minute).Format(time.RFC3339)+`"}]}`), w.wall)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.take(all); err != nil {
		t.Fatal(err)
	}
	w.look()
	for _, d := range w.last.diagnoses {
		if strings.Contains(strings.Join(d.Notes, "\n"), "max-num-seqs-too-low") {
			return
		}
	}
	t.Errorf("notes: %v", w.last.diagnoses[0].Notes)
}

// told calls for each line of the log.
type told func()

func (told) Enabled(context.Context, slog.Level) bool    { return true }
func (f told) Handle(context.Context, slog.Record) error { f(); return nil }
func (f told) WithAttrs([]slog.Attr) slog.Handler        { return f }
func (f told) WithGroup(string) slog.Handler             { return f }

func alertOf(t *testing.T, instance string, ends time.Time) []alerts.Alert {
	t.Helper()
	all, err := alerts.Alerts([]byte(`[{"labels":{"alertname":"X","instance":"`+instance+`"}}]`), t0)
	if err != nil {
		t.Fatal(err)
	}
	return alerts.Bounded(all, ends, 0)
}

func TestFault41AnAlertThatIsTakenDuringALookIsOnDiskAfterIt(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	// A silence that cannot be read is said in the middle of a look.
	if err := w.disk.SetSilence(t.Context(), store.Silence{ID: "s", Matchers: json.RawMessage(`["{"]`), Starts: t0, Ends: t0.Add(time.Hour), CreatedBy: "ann"}); err != nil {
		t.Fatal(err)
	}
	if err := w.take(alertOf(t, "a:1", t0.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	meanwhile := 0
	w.log = slog.New(told(func() {
		if meanwhile++; meanwhile == 1 {
			if err := w.take(alertOf(t, "b:1", t0.Add(time.Hour))); err != nil {
				t.Error(err)
			}
		}
	}))
	w.look()
	if meanwhile == 0 {
		t.Fatal("nothing was taken meanwhile")
	}
	w = w.again()
	if n := len(w.desk.active); n != 2 {
		t.Errorf("%d alerts survived", n)
	}
}

func TestAnAlertThatIsOnlySaidAgainIsNoReasonToLookAtOnce(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']")
	for i, c := range []struct {
		ends time.Time
		want int
	}{{t0.Add(time.Hour), 1}, {t0.Add(2 * time.Hour), 0}, {t0, 1}} {
		if err := w.take(alertOf(t, "a:1", c.ends)); err != nil {
			t.Fatal(err)
		}
		if got := len(w.ask); got != c.want {
			t.Errorf("post %d: %d looks were asked for, want %d", i, got, c.want)
		}
		for len(w.ask) > 0 {
			<-w.ask
		}
	}
}

func TestAReloadChangesHowLongAnAlertLastsThatIsNotSaidAgain(t *testing.T) {
	w := serve(t, t0, "urls: ['localhost:1']\nglobal: {resolve_timeout: 5m}")
	h := w.AlertHandlers(nil)["POST /api/v2/alerts"]
	text, err := os.ReadFile(w.path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w.path, strings.Replace(string(text), "5m", "30m", 1))
	next, err := setup.Load(w.path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.newParts(w.o, next)
	if err != nil {
		t.Fatal(err)
	}
	w.parts.Store(p)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`[{"labels":{"alertname":"X"}}]`)))
	for _, a := range w.desk.active {
		if a.EndsAt.Equal(t0.Add(30 * time.Minute)) {
			return
		}
	}
	t.Errorf("got %v", w.desk.active)
}

package selfmetrics_test

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/selfmetrics"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers"
)

var update = flag.Bool("update", false, "rewrite the goldens")

const alerts = "../../docs/alerts"

// page is what a Prometheus would scrape.
func page(t *testing.T, m *selfmetrics.Metrics) string {
	t.Helper()
	s := httptest.NewServer(m.Handler())
	defer s.Close()
	resp, err := http.Get(s.URL) //nolint:noctx // a loopback address of the test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// used has had everything happen to it once.
func used() *selfmetrics.Metrics {
	m := selfmetrics.New("v1")
	at := time.Unix(1700000000, 0)
	m.Reloaded(true, "abc", at)
	m.Interval(15 * time.Second)
	m.Evaluated(at, 30*time.Millisecond, nil)
	m.Sources(map[string]bool{"prod": true, "lab": false})
	m.SourceFailed("lab", "timeout")
	m.LogRead("log /var/log/vllm.log", 1, 40)
	m.LogRead("log /var/log/vllm.log", 2, 2)
	r := outbox.Receiver{Name: "oncall", Integration: "slack"}
	m.Receivers([]outbox.Receiver{r})
	h := m.OutboxHooks()
	h.Attempted(outbox.Attempt{Receiver: r, Reason: notifiers.RateLimited})
	h.Attempted(outbox.Attempt{Receiver: r, Waited: 2 * time.Second})
	h.Waiting(r, 4)
	h.DeadLetter(r, plan.Message{}, "too late")
	m.Counts(selfmetrics.Counts{Targets: map[string]int{"up": 3}, Diagnoses: []model.Diagnosis{{
		Status: model.Degraded, Symptoms: []model.Symptom{{Severity: model.Critical, State: model.Firing}},
	}}})
	return m
}

func names(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "# TYPE inferdx_"); ok {
			out = append(out, "inferdx_"+strings.TrimSpace(name))
		}
	}
	slices.Sort(out)
	return out
}

func TestTheNamesOfMetricsStand(t *testing.T) {
	got := strings.Join(names(page(t, used())), "\n") + "\n"
	if *update {
		if err := os.WriteFile("testdata/names.txt", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/names.txt")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatHappensIsCounted(t *testing.T) {
	m := used()
	m.Reloaded(false, "", time.Time{})
	m.Evaluated(time.Now(), time.Second, errors.New("no"))
	m.Missed(3)
	m.Stored(fmt.Errorf("tick: %w", &store.Unwritable{What: "tick", Fault: store.DiskFull, Err: errors.New("x")}))
	text := page(t, m)
	for _, want := range []string{
		`inferdx_config_last_reload_successful 0`,
		`inferdx_config_last_reload_success_timestamp_seconds 1.7e+09`,
		`inferdx_last_evaluation_timestamp_seconds 1.7e+09`,
		`inferdx_evaluations_total 2`, `inferdx_evaluation_failures_total 1`, `inferdx_iterations_missed_total 3`,
		`inferdx_log_files{source="log /var/log/vllm.log"} 2`, `inferdx_log_lines_total{source="log /var/log/vllm.log"} 42`,
		`inferdx_source_up{source="lab"} 0`, `inferdx_source_failures_total{reason="timeout",source="lab"} 1`,
		`inferdx_targets{health="up"} 3`, `inferdx_diagnoses{status="degraded"} 1`, `inferdx_diagnoses{status="down"} 0`,
		`inferdx_symptoms{severity="critical",state="firing"} 1`,
		`inferdx_notifications_total{integration="slack",receiver="oncall"} 2`,
		`inferdx_notifications_failed_total{integration="slack",reason="rateLimited",receiver="oncall"} 1`,
		`inferdx_notifications_queued{integration="slack",receiver="oncall"} 4`,
		`inferdx_notification_latency_seconds_count 1`, `inferdx_dead_letters_total{integration="slack",receiver="oncall"} 1`,
		`inferdx_store_writable 0`, `inferdx_store_errors_total{reason="disk full"} 1`, `go_goroutines `,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	m.Stored(nil)
	m.Sources(map[string]bool{"prod": true})
	text = page(t, m)
	if !strings.Contains(text, "\ninferdx_store_writable 1") || strings.Contains(text, `inferdx_source_up{source="lab"}`) {
		t.Error("what is over is still shown")
	}
}

func TestFault78NoTextFromOutsideBecomesALabel(t *testing.T) {
	m := used()
	before := strings.Count(page(t, m), "\n")
	for i := range 1000 {
		text := fmt.Sprintf("Bearer hunter2-%d", i)
		m.SourceFailed("lab", text)
		m.Suppressed(text)
		m.Received(text, 1)
		m.Stored(errors.New(text))
		m.OutboxHooks().Attempted(outbox.Attempt{Receiver: outbox.Receiver{Name: "oncall", Integration: "slack"}, Reason: notifiers.Reason(text)})
		m.Counts(selfmetrics.Counts{Targets: map[string]int{text: 1}, Diagnoses: []model.Diagnosis{{Status: model.Status(text)}}})
	}
	after := page(t, m)
	if strings.Contains(after, "hunter2") {
		t.Error("a secret is shown")
	}
	if more := strings.Count(after, "\n") - before; more > 5 {
		t.Errorf("%d more lines", more)
	}
}

func TestAlertsNameOnlyMetricsThatThereAreAndSayWhatToDo(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(alerts, "inferdx.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, n := range names(page(t, used())) {
		name, _, _ := strings.Cut(n, " ")
		there[name] = true
	}
	found := regexp.MustCompile(`inferdx_[a-z_]+`).FindAllString(string(text), -1)
	for _, name := range found {
		if !there[name] {
			t.Errorf("there is no %s", name)
		}
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert       string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			n++
			if r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.Annotations["runbook"] == "" {
				t.Errorf("%s lacks severity, summary, description or runbook", r.Alert)
			}
		}
	}
	if n < 10 || len(found) < n {
		t.Errorf("%d alerts with %d names", n, len(found))
	}
}

func TestPromtoolAcceptsTheAlertsAndTheirTests(t *testing.T) {
	promtool := require.Part(t, "prometheus", "promtool")
	for _, args := range [][]string{
		{"check", "rules", "--lint-fatal", "inferdx.rules.yml"},
		{"test", "rules", "inferdx.rules.test.yml"},
	} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = alerts
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

func TestPromtoolAcceptsThePage(t *testing.T) {
	promtool := require.Part(t, "prometheus", "promtool")
	cmd := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(page(t, used()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

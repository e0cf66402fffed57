package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/config"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// write makes files in a new folder; the first is the configuration.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i+1 < len(files); i += 2 {
		path := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	c, _, err := config.Load(write(t, "inferdx.yml", text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestEveryFaultOfABadFileIsToldAtItsPlace(t *testing.T) {
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(f, ".yml"), func(t *testing.T) {
			c, warnings, err := config.Load(f)
			if err == nil || c != nil {
				t.Fatalf("it was accepted: %v", warnings)
			}
			got := err.Error() + "\n"
			if len(warnings) > 0 {
				got += "warnings:\n" + warnings.Error() + "\n"
			}
			golden(t, strings.TrimSuffix(f, ".yml")+".txt", got)
			if strings.Contains(got, "hunter2") {
				t.Error("a secret is shown")
			}
		})
	}
}

func TestTwoLinesAreEnough(t *testing.T) {
	tests := []struct{ name, in string }{
		{"a page", "urls: a:8000"},
		{"pages", "urls: [http://10.0.0.1:8000/metrics, 'b:8000']"},
		{"a Prometheus", "prometheus: http://prom:9090"},
		{"several", "prometheus: [http://a:9090, {url: 'http://b:9090'}]"},
		{"one with fields", "prometheus: {url: http://b:9090, offset: 0}"},
		{"a single receiver needs no route", "urls: a:8000\nreceivers: [{name: am, alertmanager: {urls: http://am:9093}}]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := config.Load(write(t, "inferdx.yml", tt.in))
			if err != nil || len(warnings) > 0 {
				t.Errorf("got %v, warnings %v", err, warnings)
			}
		})
	}
}

func TestWhatIsNotSaidHasADefault(t *testing.T) {
	got, err := load(t, "urls: a:8000").YAML()
	if err != nil {
		t.Fatal(err)
	}
	text := string(got)
	for _, want := range []string{
		"scrape_interval: 15s\n", "scrape_timeout: 10s\n", "evaluation_interval: 15s\n", "window: 5m\n",
		"identity: [job, instance]", "retention: 15d\n", "- a:8000\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestARouteTakesWhatItDoesNotSayFromTheOneAroundIt(t *testing.T) {
	c := load(t, `
urls: a:8000
receivers: [{name: a, alertmanager: {urls: http://am:9093}}, {name: b, alertmanager: {urls: http://am:9093}}]
route:
  receiver: a
  fallback: b
  group_by: [model_name]
  group_wait: 0s
  routes:
    - {matchers: 'severity="critical"', match: {model: x}, match_re: {pod: a.*}, repeat_interval: 1h}
    - {receiver: b, group_by: []}
`)
	first, second := c.Route.Routes[0], c.Route.Routes[1]
	if first.Receiver != "a" || first.Fallback != "b" || *first.GroupWait != 0 || first.GroupInterval != config.Duration(5*time.Minute) {
		t.Errorf("got %+v", first)
	}
	if got := first.RepeatInterval; got != config.Duration(time.Hour) {
		t.Errorf("its own interval became %s", got)
	}
	if got, want := first.Conditions().String(), `{severity="critical",model="x",pod=~"a.*"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if second.RepeatInterval != config.Duration(4*time.Hour) || len(*second.GroupBy) != 0 || (*first.GroupBy)[0] != "model_name" {
		t.Errorf("got %+v", second)
	}
}

func TestSettingsOfPrometheusThatMeanNothingHereWarn(t *testing.T) {
	path := write(t, "inferdx.yml", `
scrape_configs:
  - job_name: vllm
    scrape_protocols: [PrometheusText0.0.4]
    label_limit: 100
    static_configs: [{targets: [a:8000]}]
rule_files: [rules/*.yaml]
`)
	_, warnings, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range warnings {
		got = append(got, w.Msg)
	}
	want := []string{"scrape_protocols has no effect here", "label_limit has no effect here", "no file matches rules/*.yaml"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHoursAreThoseOfTheirTimeZone(t *testing.T) {
	c := load(t, `
urls: a:8000
time_intervals:
  - name: nights
    time_intervals:
      - {times: [{start_time: '22:00', end_time: '24:00'}], weekdays: ['monday:friday'], location: Europe/Berlin}
      - {weekdays: [sunday], months: ['november'], years: [2026], days_of_month: ['-2:-1']}
`)
	for at, want := range map[string]bool{
		"2026-11-24T21:30:00Z": true, // 22:30 in Berlin
		"2026-11-24T20:30:00Z": false,
		"2026-11-29T03:00:00Z": true,
		"2026-11-22T03:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.TimeIntervals[0].Contains(when); got != want {
			t.Errorf("%s: got %v", at, got)
		}
	}
}

func TestSelectorsMatchWholeValues(t *testing.T) {
	c := load(t, "urls: a:8000\nslo: [{match: {model_name: chat.*}, ttft_p99: 2s}, {e2e_p99: 1m}]")
	if !c.SLO[0].Match.Match(map[string]string{"model_name": "chat-70b"}) || c.SLO[0].Match.Match(map[string]string{"model_name": "my-chat"}) {
		t.Error("model_name: chat.* matches the wrong models")
	}
	if !c.SLO[1].Match.Match(nil) {
		t.Error("without a match it is for all")
	}
}

func TestTheExampleIsValid(t *testing.T) {
	for _, name := range []string{"VLLM_API_KEY", "SLACK_BOT_TOKEN", "BUS_SECRET"} {
		t.Setenv(name, "hunter2")
	}
	c, warnings, err := config.Load("../../inferdx.example.yml")
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, warnings %v", err, warnings)
	}
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/example.txt", string(text))
}

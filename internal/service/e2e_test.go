package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
)

// play lets the demo happen behind metrics pages: sick for a while, then started again without its fault.
func play(t *testing.T, sick time.Duration) string {
	t.Helper()
	act := func(name string) playback.Recording {
		types := map[string]string{}
		st, err := recording.Options{Type: func(f, k string) { types[f] = k }}.Open(filepath.Join("..", "..", "corpus", name, "metrics.om.gz"))
		if err != nil {
			t.Fatal(err)
		}
		return playback.Recording{Samples: st, Types: types}
	}
	p, err := playback.New(time.Now(),
		playback.Act{Recording: act("seqs8-c64"), Lasts: sick}, playback.Act{Recording: act("base-c64"), Restarts: "vllm", Away: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p.Handler(time.Now))
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

// bus is a webhook that keeps the reasons of what it is told.
type bus struct {
	*httptest.Server

	mu     sync.Mutex
	told   []string
	causes []string
}

func newBus(t *testing.T) *bus {
	b := &bus{}
	b.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m struct {
			Reason    string `json:"reason"`
			Diagnoses []struct {
				Causes []struct {
					ID      string `json:"id"`
					Primary bool   `json:"primary"`
				} `json:"causes"`
			} `json:"diagnoses"`
		}
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("%v: %s", err, body)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.told = append(b.told, m.Reason)
		for _, d := range m.Diagnoses {
			for _, c := range d.Causes {
				if c.Primary {
					b.causes = append(b.causes, c.ID)
				}
			}
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *bus) reasons() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprint(b.told)
}

// run lets a service work until the test ends.
func run(t *testing.T, config string) *Service {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inferdx.yml")
	write(t, path, config)
	return runAt(t, path)
}

// runAt is run by a configuration that lies somewhere.
func runAt(t *testing.T, path string) *Service {
	t.Helper()
	cfg, err := setup.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), Options{Setup: cfg, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo})), DiscoverEvery: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func eventually(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if is() {
			return
		}
	}
	t.Fatalf("after %s: no %s", limit, what)
}

// impatient are built-in rules that wait for seconds only, as a folder of one's own.
func impatient(t *testing.T, rules ...string) string {
	t.Helper()
	dir := t.TempDir()
	waits := regexp.MustCompile(`(?m)^(for|keep_firing_for): .*$`)
	for _, r := range rules {
		text, err := os.ReadFile(filepath.Join("..", "..", "rules", "symptoms", r+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, filepath.Base(r)+".yaml"), waits.ReplaceAllString(string(text), "$1: 12s"))
	}
	return dir
}

// demo is a configuration that watches the pages of play, four times a second.
func demo(t *testing.T, pages, rest string) string {
	t.Helper()
	jobs := ""
	for _, job := range []string{"vllm", "dcgm", "node"} {
		jobs += fmt.Sprintf("  - {job_name: %s, metrics_path: /%s/metrics, static_configs: [{targets: ['%s']}]}\n", job, job, pages)
	}
	return "global: {scrape_interval: 2s, evaluation_interval: 500ms, window: 20s}\nscrape_configs:\n" + jobs +
		"rule_files: ['" + impatient(t, "queue/requests-queueing", "latency/ttft-high") + "/*.yaml']\ndisable: [engine-restarted]\n" +
		"storage: {path: " + t.TempDir() + "}\n" + rest
}

func TestTheDemoIsToldToSlackAndAWebhookAndThenItsEnd(t *testing.T) {
	t.Parallel()
	slack := slacktest.New(slacktest.Options{Token: "xoxb-1", Every: 100 * time.Millisecond})
	t.Cleanup(slack.Close)
	token := filepath.Join(t.TempDir(), "token")
	write(t, token, "xoxb-1")
	b := newBus(t)
	svc := run(t, demo(t, play(t, 34*time.Second), `
receivers:
  - {name: oncall, slack: {bot_token_file: '`+token+`', channel: '#llm', api_url: '`+slack.APIURL()+`'}, webhook: {url: '`+b.URL+`'}}
route: {receiver: oncall, group_wait: 1s, group_interval: 2s}
`))
	eventually(t, 60*time.Second, "first message", func() bool { return strings.HasPrefix(b.reasons(), "[first") })
	t.Cleanup(func() {
		for _, d := range svc.view.Load().diagnoses {
			for _, x := range d.Symptoms {
				t.Log(d.Target, d.Status, x.ID, x.State, x.HeldSeconds, x.Evidence)
			}
		}
	})
	eventually(t, 60*time.Second, "end", func() bool { return strings.HasSuffix(b.reasons(), "resolved]") })
	if len(b.causes) == 0 || b.causes[0] != "max-num-seqs-too-low" {
		t.Errorf("told of %v", b.causes)
	}
	eventually(t, 10*time.Second, "end in Slack", func() bool {
		ms := slack.Messages("#llm")
		return len(ms) > 0 && strings.Contains(ms[0].Text, "RESOLVED")
	})
	log := strings.Join(slack.Log(), "\n")
	if n := strings.Count(log, "#llm post"); n != 1 || !strings.Contains(log, "sequence cap too low") {
		t.Errorf("%d posts:\n%s", n, log)
	}
}

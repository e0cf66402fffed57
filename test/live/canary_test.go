//go:build live

package live

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/canary"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/internal/source/serverinfo"
)

// TestAServerTellsItsSettingsAndRefusesTheCanaryWithoutItsKey asks a server in development mode.
func TestAServerTellsItsSettingsAndRefusesTheCanaryWithoutItsKey(t *testing.T) {
	ctx, s, c, labels := startWithKey(t)
	r := results(ctx, t, httpclient.Options{}, labels, s.URL, 1)
	if len(r) == 0 || r[0].Reason != canary.Unauthorized || r[0].Looked() {
		t.Fatalf("without the key: %+v", r)
	}
	f, _ := r[0].Fault()
	t.Logf("without the key: %s: %s", f.Source, f.Err)

	resp, err := http.Get(s.URL + "/server_info?config_format=json")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusInternalServerError {
		t.Skip("vllm lists its packages for /server_info and found neither pip nor uv in PATH: it answers 500")
	}
	begin := time.Now()
	if facts, configured := settings(ctx, t, c, labels, s.URL)(labels); !configured || facts["max_num_seqs"].Text != "16" {
		t.Errorf("it says %v", facts)
	}
	t.Logf("the settings took %.1f s", time.Since(begin).Seconds())
}

// TestTheCanaryFindsAnEngineThatHangsWithNobodyThere stops the engine of an idle server, whose pages go
// on answering: every gauge stays at zero, and only the canary shows it.
func TestTheCanaryFindsAnEngineThatHangsWithNobodyThere(t *testing.T) {
	ctx, s, c, labels := startWithKey(t)
	const before = 30 * time.Second
	var found []canary.Result
	var all sync.WaitGroup
	all.Go(func() {
		found = results(ctx, t, httpclient.Options{BearerTokenEnv: "INFERDX_LIVE_KEY"}, labels, s.URL, 17)
	})
	stopped := make(chan time.Time, 1)
	go func() {
		time.Sleep(before)
		stopped <- time.Now()
		signalEngine(t, s, syscall.SIGSTOP)
	}()
	st, faults, err := scrape.Run(ctx, scrape.Options{URLs: []string{s.URL}, Interval: 2 * time.Second, Duration: 72 * time.Second})
	signalEngine(t, s, syscall.SIGCONT)
	all.Wait()
	if err != nil {
		t.Fatal(err, faults)
	}
	for _, r := range found {
		t.Logf("canary: answered %t after %.3f s, %s, %d failures and %d timeouts in a row", r.Answered, r.Seconds, r.Reason, r.Failures, r.Timeouts)
		for _, x := range r.Samples() {
			st.Series(x.Name, labels).Add(r.At.UnixMilli(), x.Value)
		}
	}
	st.Finish()
	p := pipeline.New(c, corpus.Behind(), engine.Fit{})
	look := func(when time.Time) model.Diagnosis {
		r := p.Diagnose(st, pipeline.Request{At: when, Window: 5 * time.Minute})
		return r.Targets[0]
	}
	if d := look((<-stopped).Add(-time.Second)); d.Status != model.Idle || len(d.Symptoms) > 0 {
		t.Errorf("with the canary alone it is %s: %+v, %v", d.Status, d.Symptoms, d.Notes)
	}
	last := lastScrape(st)
	d := look(last)
	for _, x := range d.Symptoms {
		t.Logf("symptom: %s %s %v", x.ID, x.Severity, x.Evidence)
	}
	if len(d.Causes) == 0 || d.Causes[0].ID != "engine-stalled" || !d.Causes[0].Primary {
		t.Fatalf("%s: %+v", d.Status, d.Causes)
	}
	t.Logf("cause: %s %.2f, %v", d.Causes[0].ID, d.Causes[0].Score, d.Causes[0].For)
}

// startWithKey starts a server that wants an API key and tells its settings.
func startWithKey(t *testing.T) (context.Context, *Server, *content.Content, model.Labels) {
	t.Helper()
	vllm := os.Getenv("INFERDX_VLLM")
	if vllm == "" {
		t.Skip("vllm: set INFERDX_VLLM to the path of a vllm executable (docs/live.md says how to get one without a GPU)")
	}
	dir := t.TempDir()
	if err := WriteModel(dir); err != nil {
		t.Fatal(err)
	}
	t.Setenv("VLLM_SERVER_DEV_MODE", "1")
	t.Setenv("INFERDX_LIVE_KEY", "live-key")
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	s, err := Start(ctx, vllm, dir, 8156, "--max-num-seqs", "16", "--api-key", "live-key")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return ctx, s, c, model.LabelsFrom(map[string]string{"job": "vllm", "instance": strings.TrimPrefix(s.URL, "http://")})
}

func lastScrape(st *samples.Store) time.Time {
	_, last, _ := st.Bounds()
	return time.UnixMilli(last)
}

// settings asks the server what it is configured to.
func settings(ctx context.Context, t *testing.T, c *content.Content, labels model.Labels, url string) func(model.Labels) (map[string]model.Fact, bool) {
	t.Helper()
	client, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := serverinfo.NewWatch(serverinfo.WatchOptions{Client: client}, c.Knobs)
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); w.Run(run) }()
	t.Cleanup(func() { stop(); <-done; client.Close() })
	w.Sync([]serverinfo.Target{{Labels: labels, URL: url}})
	for range 400 {
		if facts, configured := w.Of(labels); configured {
			t.Logf("the server says of itself: version %s, max_num_seqs %s, block_size %s; %d settings", facts["engine_version"].Text, facts["max_num_seqs"].Text, facts["block_size"].Text, len(facts))
			return w.Of
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the server never told its settings")
	return w.Of
}

// results asks every 4 s until there are n results or ctx ends.
func results(ctx context.Context, t *testing.T, o httpclient.Options, labels model.Labels, url string, n int) []canary.Result {
	client, err := httpclient.New(o)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer client.Close()
	got := make(chan canary.Result, n+1)
	p, err := canary.New(canary.Options{Client: client, Interval: 4 * time.Second, Timeout: 3 * time.Second, Report: func(r canary.Result) { got <- r }})
	if err != nil {
		t.Error(err)
		return nil
	}
	run, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); p.Run(run) }()
	p.Sync([]canary.Target{{Labels: labels, URL: url}})
	var out []canary.Result
	for len(out) < n && ctx.Err() == nil {
		select {
		case r := <-got:
			out = append(out, r)
		case <-ctx.Done():
		}
	}
	stop()
	<-done
	return out
}

// signalEngine signals the engine core of a server, which is a process of its own in the server's group.
func signalEngine(t *testing.T, s *Server, sig syscall.Signal) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		head, tail, ok := strings.Cut(string(text), ") ")
		var state string
		var parent, group, pid int
		_, _ = fmt.Sscan(tail, &state, &parent, &group)
		_, _ = fmt.Sscan(head, &pid)
		title, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if ok && group == s.cmd.Process.Pid && strings.Contains(head+string(title), "EngineCor") {
			if err := syscall.Kill(pid, sig); err == nil {
				return
			}
		}
	}
	t.Error("no engine core found")
}

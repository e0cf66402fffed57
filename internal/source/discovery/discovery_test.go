package discovery_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/source/discovery"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

func load(t *testing.T, text string) *config.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "inferdx.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// follow discovers until the test ends and tells of every set of targets.
func follow(t *testing.T, text string) (*discovery.Discovery, func(n int) []scrape.Target) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	sets := make(chan []scrape.Target, 100)
	d, err := discovery.New(ctx, slog.New(slog.DiscardHandler), 20*time.Millisecond, func(ts []scrape.Target) { sets <- ts })
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(load(t, text)); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return d, func(n int) []scrape.Target {
		t.Helper()
		var last []scrape.Target
		for {
			select {
			case last = <-sets:
				if len(last) == n {
					return last
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("waited for %d targets, have %v", n, last)
			}
		}
	}
}

func TestStaticTargetsAreRelabelledAsInPrometheus(t *testing.T) {
	_, wait := follow(t, `
scrape_configs:
  - job_name: vllm
    scrape_interval: 5s
    scheme: https
    metrics_path: /m
    params: {a: [x]}
    static_configs:
      - {targets: ['10.0.0.1:8000', '10.0.0.2:8000'], labels: {pool: chat}}
      - {targets: ['10.0.0.3:8000'], labels: {pool: drop-me}}
    relabel_configs:
      - {source_labels: [pool], regex: drop-.*, action: drop}
      - {source_labels: [__address__], regex: '(.*):.*', target_label: node}
      - {target_label: __scrape_interval__, replacement: 7s}
      - {target_label: __param_a, replacement: y}
`)
	x := wait(2)[0]
	if x.URL.String() != "https://10.0.0.1:8000/m?a=y" || x.Interval != 7*time.Second || x.Timeout != 5*time.Second || x.Job != "vllm" {
		t.Errorf("got %+v", x)
	}
	if got := fmt.Sprint(x.Labels.Map()); got != "map[instance:10.0.0.1:8000 job:vllm node:10.0.0.1 pool:chat]" {
		t.Errorf("labels %s", got)
	}
}

func TestBarePagesNeedNoJob(t *testing.T) {
	_, wait := follow(t, "urls: [10.0.0.1:8000, 'http://10.0.0.1:8000/gpu']")
	ts := wait(2)
	if ts[0].Labels.Get("instance") == ts[1].Labels.Get("instance") {
		t.Errorf("two pages are one instance: %v", ts)
	}
}

func TestFilesAreFollowedAndABrokenOneKeepsItsTargets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "targets.json")
	put := func(text string) {
		tmp := path + ".tmp"
		if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(tmp, path); err != nil {
			t.Fatal(err)
		}
	}
	put(`[{"targets": ["a:8000"], "labels": {"model_name": "m"}}]`)
	_, wait := follow(t, "scrape_configs: [{job_name: vllm, file_sd_configs: [{files: ["+path+"], refresh_interval: 100ms}]}]")
	if ts := wait(1); ts[0].Labels.Get("model_name") != "m" || ts[0].Meta["__meta_filepath"] == "" {
		t.Errorf("got %+v", ts[0])
	}
	put(`[{"targets": ["a:8000", "b:8000"]}]`)
	wait(2)
	put(`[{"targets": [`)
	time.Sleep(300 * time.Millisecond)
	put(`[{"targets": ["a:8000", "b:8000", "c:8000"]}]`)
	wait(3)
}

func TestAServerThatListsTargetsAndFailsKeepsThem(t *testing.T) {
	fail := make(chan bool, 1)
	fail <- false
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bad := <-fail
		fail <- true
		if bad || r.Header.Get("Authorization") != "Bearer s3cret" {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`[{"targets": ["a:8000"]}]`))
	}))
	t.Cleanup(srv.Close)
	t.Setenv("SD_TOKEN", "s3cret")
	d, wait := follow(t, "scrape_configs: [{job_name: vllm, http_sd_configs: [{url: "+srv.URL+", refresh_interval: 100ms, bearer_token_env: SD_TOKEN}]}]")
	wait(1)
	time.Sleep(400 * time.Millisecond)
	if err := d.Apply(load(t, "scrape_configs: [{job_name: other, static_configs: [{targets: ['x:1']}]}]")); err != nil {
		t.Fatal(err)
	}
	if ts := wait(1); ts[0].Job != "other" {
		t.Errorf("got %+v", ts)
	}
}

func TestAJobThatGivesNoAddressIsSaid(t *testing.T) {
	d, _ := follow(t, "scrape_configs: [{job_name: vllm, static_configs: [{targets: ['a:1']}], relabel_configs: [{target_label: __address__, replacement: ''}]}]")
	for range 100 {
		if f := d.Faults()["vllm"]; strings.Contains(f, "no address") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("got %v", d.Faults())
}

// pods answers what Kubernetes's client asks: the list of pods, and nothing new afterwards.
func pods(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("sendInitialEvents") != "" { // an older server: it lists
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write([]byte(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`))
			return
		}
		if r.URL.Query().Get("watch") != "" {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush() //nolint:forcetypeassert // httptest's
			<-r.Context().Done()
			return
		}
		if r.URL.Path != "/api/v1/pods" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"1"},"items":[{"metadata":{"name":"chat-0","namespace":"llm","uid":"u",
			"annotations":{"inferdx.io/args":"--max-num-seqs 8"},"labels":{"app":"vllm"}},
			"spec":{"nodeName":"n1","containers":[{"name":"vllm","ports":[{"containerPort":8000,"name":"http","protocol":"TCP"}]}]},
			"status":{"podIP":"10.1.0.7","phase":"Running","hostIP":"10.0.0.1"}}]}`))
	}))
	t.Cleanup(srv.CloseClientConnections)
	return srv.URL
}

func TestPodsOfKubernetesAreFoundWithTheirAnnotations(t *testing.T) {
	_, wait := follow(t, `
scrape_configs:
  - job_name: pods
    kubernetes_sd_configs: [{role: pod, api_server: `+pods(t)+`}]
    relabel_configs:
      - {source_labels: [__meta_kubernetes_pod_label_app], regex: vllm, action: keep}
      - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
      - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
`)
	x := wait(1)[0]
	if x.URL.Host != "10.1.0.7:8000" || x.Labels.Get("pod") != "chat-0" || x.Labels.Get("namespace") != "llm" {
		t.Errorf("got %v %v", x.URL, x.Labels)
	}
	if got := x.Meta["__meta_kubernetes_pod_annotation_inferdx_io_args"]; got != "--max-num-seqs 8" {
		t.Errorf("annotation %q of %v", got, x.Meta)
	}
}

func TestTargetsAreToldOneSetAfterTheOther(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	dir := t.TempDir()
	file := func(n int) {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf("\"10.0.0.%d:8000\"", i))
		}
		next := filepath.Join(dir, "next")
		if err := os.WriteFile(next, []byte(`[{"targets": [`+strings.Join(all, ",")+`]}]`), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "targets.json")); err != nil {
			t.Fatal(err)
		}
	}
	file(1)
	var at, most, last atomic.Int64
	d, err := discovery.New(ctx, slog.New(slog.DiscardHandler), time.Millisecond, func(ts []scrape.Target) {
		most.Store(max(most.Load(), at.Add(1)))
		time.Sleep(5 * time.Millisecond)
		last.Store(int64(len(ts)))
		at.Add(-1)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, "scrape_configs: [{job_name: vllm, file_sd_configs: [{files: ['"+filepath.Join(dir, "*.json")+"'], refresh_interval: 1s}]}]")
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	for i := range 30 {
		file(i%5 + 1)
		if err := d.Apply(c); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if most.Load() > 1 {
		t.Errorf("%d sets were told at once: an older one may have come last", most.Load())
	}
	if last.Load() == 0 {
		t.Error("nothing was found")
	}
}

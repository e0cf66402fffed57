package promapi_test

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/inferdx/inferdx/internal/require"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// inPrometheus loads a recording into a Prometheus of its own and gives that one's address.
func inPrometheus(t *testing.T, path string) string {
	t.Helper()
	prometheus := require.Part(t, "prometheus", "prometheus")
	promtool := require.Part(t, "prometheus", "promtool")
	dir := t.TempDir()
	text, data, config := filepath.Join(dir, "r.om"), filepath.Join(dir, "data"), filepath.Join(dir, "prometheus.yml")
	unzip(t, path, text)
	if err := os.WriteFile(config, []byte("global: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), promtool, "tsdb", "create-blocks-from", "openmetrics", text, data).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	address := freePort(t)
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, prometheus, "--config.file", config, "--storage.tsdb.path", data,
		"--storage.tsdb.retention.time", "10y", "--web.listen-address", address, "--log.level", "error")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	for range 300 {
		if resp, err := http.Get("http://" + address + "/-/ready"); err == nil { //nolint:noctx // a loopback address of the test
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return "http://" + address
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("prometheus does not become ready")
	return ""
}

func unzip(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// flat gives the points of a store inside a window, by full series, and its metric names.
func flat(st *samples.Store, w samples.Window) (series map[string][]samples.Point, names []string) {
	series = map[string][]samples.Point{}
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			names = append(names, name)
			for _, s := range in.Named(name) {
				if ps := w.In(s.Points); len(ps) > 0 {
					series[fmt.Sprint(in.Labels, name, s.Labels)] = ps
				}
			}
		}
	}
	slices.Sort(names)
	return series, slices.Compact(names)
}

func TestARealPrometheusGivesWhatTheRecordingHolds(t *testing.T) {
	const path = "../../../corpus/base-c64/metrics.om.gz"
	url := inPrometheus(t, path)
	want, err := recording.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last, _ := want.Bounds()
	o := promapi.Options{URL: url}
	for name, w := range map[string]samples.Window{
		"all of it":                  {From: first - 1, To: last},
		"a part, with edges on data": {From: want.Instances()[0].Scrapes[3], To: want.Instances()[0].Scrapes[12]},
		"three chunks":               {From: last - 2*3600*1000 - 1000, To: last + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			series, names := flat(want, w)
			begin := time.Now()
			got, faults, err := promapi.Fetch(t.Context(), o, promapi.Selection{At: time.UnixMilli(w.To), Window: time.Duration(w.To-w.From) * time.Millisecond, Names: names})
			if err != nil || len(faults) > 0 {
				t.Fatal(err, faults)
			}
			t.Logf("%d series in %s", len(series), time.Since(begin))
			fetched, _ := flat(got, samples.Window{From: first - 1e9, To: last + 1e9})
			if d := cmp.Diff(series, fetched, cmpopts.EquateNaNs()); d != "" {
				t.Error(d)
			}
		})
	}

	t.Run("discovery and up", func(t *testing.T) {
		found, err := promapi.Discover(t.Context(), o, time.UnixMilli(last), []string{"vllm:num_requests_running"})
		if err != nil || len(found) != 1 || found[0].Get("job") != "vllm" || found[0].Get("instance") == "" {
			t.Fatalf("got %v, %v", found, err)
		}
		got, _, err := promapi.Fetch(t.Context(), o, promapi.Selection{
			At: time.UnixMilli(last), Window: time.Minute, Names: []string{"vllm:num_requests_running"}, Matchers: []string{`engine="0"`},
		})
		if err != nil || len(got.Instances()) != 1 || len(got.Instances()[0].Named("up")) != 1 {
			t.Errorf("no up: %v", err)
		}
	})
}

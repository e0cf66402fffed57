package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/playback"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// pagesVariable makes the test program a server of pages, so that its work is not counted as ours.
const pagesVariable = "INFERDX_TEST_PAGES"

func TestMain(m *testing.M) {
	if addr := os.Getenv(pagesVariable); addr != "" {
		if err := servePages(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// pageLines is how long a page is: vLLM 0.25 with its Python and HTTP metrics shows about 600 lines.
const pageLines = 600

func servePages(addr string) error {
	types := map[string]string{}
	st, err := recording.Options{Type: func(f, k string) { types[f] = k }}.Open("../../corpus/base-c64/metrics.om.gz")
	if err != nil {
		return err
	}
	p, err := playback.New(time.Now().Add(-time.Hour), playback.Act{Recording: playback.Recording{Samples: st, Types: types}})
	if err != nil {
		return err
	}
	var more strings.Builder
	for i := range pageLines {
		fmt.Fprintf(&more, "http_request_duration_highr_seconds_bucket{le=\"%d.0\",method=\"POST\",handler=\"/v1/completions\"} 12345.0\n", i)
	}
	rest := strings.SplitAfter(more.String(), "\n")
	http.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		var b strings.Builder
		p.Page(&b, "vllm", time.Now().Truncate(time.Second))
		text := b.String()
		_, _ = w.Write([]byte(text + strings.Join(rest[:max(pageLines-strings.Count(text, "\n"), 0)], "")))
	})
	return http.ListenAndServe(addr, nil) //nolint:gosec // of a test
}

// BenchmarkService is what the whole service costs: INFERDX_COST_TARGETS servers, each scraped every 15 s
// and diagnosed as often, kept on disk, for INFERDX_COST_SECONDS. `make cost` runs it.
func BenchmarkService(b *testing.B) {
	targets, seconds := number(b, "INFERDX_COST_TARGETS", 1000), number(b, "INFERDX_COST_SECONDS", 0)
	if seconds == 0 {
		b.Skip("make cost runs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	server := exec.CommandContext(b.Context(), os.Args[0])
	server.Env, server.Stderr = append(os.Environ(), pagesVariable+"="+addr), os.Stderr
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	var config strings.Builder
	fmt.Fprintf(&config, "storage: {path: %s}\nscrape_configs:\n  - job_name: vllm\n    static_configs:\n", b.TempDir())
	for i := range targets {
		fmt.Fprintf(&config, "      - {targets: ['%s'], labels: {instance: '10.0.%d.%d:8000'}}\n", addr, i/250, i%250)
	}
	path := filepath.Join(b.TempDir(), "inferdx.yml")
	write(b, path, config.String())
	cfg, err := setup.Load(path)
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(b.Context(), Options{Setup: cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	time.Sleep(40 * time.Second) // discovery, the first pages, the first look
	debug.SetGCPercent(GCPercent)
	before, begin := spent(b), time.Now()
	time.Sleep(time.Duration(seconds) * time.Second)
	used, passed := spent(b)-before, time.Since(begin)
	b.ReportMetric(used.Seconds()/passed.Seconds(), "cores")
	b.ReportMetric(resident(b, "VmRSS:"), "MiB")
	b.ReportMetric(resident(b, "RssAnon:"), "MiB-anonymous")
	b.ReportMetric(float64(len(s.view.Load().diagnoses)), "servers")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.Logf("heap: in use %d MiB, idle %d, released %d; stacks %d; spans %d; collector %d; other %d", m.HeapInuse>>20, m.HeapIdle>>20, m.HeapReleased>>20, m.StackInuse>>20, m.MSpanSys>>20, m.GCSys>>20, m.OtherSys>>20)
	if path := os.Getenv("INFERDX_COST_HEAP"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		if err := errors.Join(pprof.WriteHeapProfile(f), f.Close()); err != nil {
			b.Fatal(err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		b.Error(err)
	}
	_ = server.Process.Kill()
	_ = server.Wait()
}

func number(b *testing.B, name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		return otherwise
	}
	return n
}

// spent is the processor time of this process.
func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process in MiB, as the system counts it: all of it, or without the pages of files.
func resident(b *testing.B, which string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc")
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, which); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb / 1024
		}
	}
	return 0
}

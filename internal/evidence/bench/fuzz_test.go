package bench_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/bench"
)

// unpacked are the artefacts as they are, each cut to a size that a fuzzer can work on.
func unpacked(t testing.TB, suffix string) [][]byte {
	t.Helper()
	var out [][]byte
	for _, path := range artefacts(t) {
		if !strings.HasSuffix(path, suffix+".gz") {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(io.LimitReader(z, 4<<10))
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		out = append(out, b)
	}
	if len(out) == 0 {
		t.Fatalf("no artefact ends in %s", suffix)
	}
	return out
}

// check says what must hold of any bytes: no panic, an error of our own, and text without what is no number.
func check(t *testing.T, b []byte) {
	f, err := bench.Read(bytes.NewReader(b))
	if err != nil {
		if !errors.Is(err, bench.ErrNoResult) {
			t.Fatalf("an error of another kind: %v", err)
		}
		return
	}
	var text bytes.Buffer
	if err := f.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x00") {
		t.Fatalf("control characters reach the terminal: %q", text.String())
	}
	for _, r := range f.Runs {
		for name, fact := range r.Facts() {
			if fact.IsNum && (fact.Num != fact.Num || fact.Num < 0) {
				t.Fatalf("%s is %v", name, fact.Num)
			}
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, b := range append(unpacked(f, ".json"), unpacked(f, ".jsonl")...) {
		f.Add(b)
	}
	f.Add([]byte(`{"request_throughput": -Infinity, "completed": NaN, "duration": 1e999, "ttfts": [[1], "x", null], "itls": [1, [2, [3]]], "errors": [0, "e"]}`))
	f.Fuzz(check)
}

func FuzzYAML(f *testing.F) {
	for _, b := range unpacked(f, ".yaml") {
		f.Add(b)
	}
	f.Add([]byte("benchmarks:\n- &a\n  metrics: {x: *a}\n- *a\n"))
	f.Fuzz(check)
}

func FuzzCSV(f *testing.F) {
	for _, b := range unpacked(f, ".csv") {
		f.Add(b)
	}
	f.Add([]byte("Metric,avg,p99\nRequest Latency (ms),NaN,\"1,0\"\n\nMetric\nRequest Throughput (x),-1\n"))
	f.Fuzz(check)
}

// A text of any length must not fill the memory, and nesting must not fill the stack.
func TestHostileFilesAreRefusedWithoutFillingTheMemory(t *testing.T) {
	for name, in := range map[string]io.Reader{
		"one endless text":    io.MultiReader(strings.NewReader(`{"request_throughput": 1, "completed": "`), &repeat{chunk: []byte("xxxxxxxxxxxxxxxx"), left: 256 << 20}),
		"endless nesting":     io.MultiReader(strings.NewReader(`{"a":`), &repeat{chunk: []byte("[[[[[[[["), left: 64 << 20}),
		"endless figures":     &figures{left: 8_000_000},
		"endless YAML":        io.MultiReader(strings.NewReader("benchmarks:\n"), &repeat{chunk: []byte("- a\n"), left: 64 << 20}),
		"an endless CSV":      io.MultiReader(strings.NewReader("Metric,avg\n"), &repeat{chunk: []byte("a,1\n"), left: 256 << 20}),
		"an alias of aliases": strings.NewReader("a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nbenchmarks: [*c, *c, *c, *c]\n"),
	} {
		peak := heap(t, func() {
			if _, err := bench.Read(in); !errors.Is(err, bench.ErrNoResult) {
				t.Errorf("%s: %v", name, err)
			}
		})
		if peak > 600<<20 {
			t.Errorf("%s took %d MiB", name, peak>>20)
		}
	}
}

// heap is the most that was alive, or not yet collected, while a function ran.
func heap(t *testing.T, f func()) uint64 {
	t.Helper()
	runtime.GC()
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		var m runtime.MemStats
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			select {
			case <-done:
				peak <- most
				return
			default:
				time.Sleep(2 * time.Millisecond)
			}
		}
	}()
	f()
	close(done)
	return <-peak
}

// repeat gives a chunk again and again.
type repeat struct {
	chunk []byte
	left  int
}

func (r *repeat) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(r.chunk) <= len(p) && r.left > 0 {
		n += copy(p[n:], r.chunk)
		r.left -= len(r.chunk)
	}
	if n == 0 {
		n = copy(p, r.chunk)
		r.left -= n
	}
	return n, nil
}

// figures is an object with a new field for every figure.
type figures struct {
	left, i int
	rest    []byte
}

func (f *figures) Read(p []byte) (int, error) {
	for len(f.rest) == 0 {
		if f.left <= 0 {
			return 0, io.EOF
		}
		sep := ","
		if f.i == 0 {
			sep = `{"server_info":{`
		}
		f.rest = fmt.Appendf(f.rest[:0], `%s"figure%d":1`, sep, f.i)
		f.i, f.left = f.i+1, f.left-1
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	return n, nil
}

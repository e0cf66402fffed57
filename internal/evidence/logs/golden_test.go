package logs

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// Every real log of the corpus, summed up: its finding and what it was doing.
func TestEveryRecordedLogAsASummary(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus, "*", "server.log.gz"))
	if err != nil || len(files) < 80 {
		t.Fatalf("%d recordings: %v", len(files), err)
	}
	var b strings.Builder
	for _, file := range files {
		l, err := Open(file)
		if err != nil {
			t.Error(err)
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n  %s\n", filepath.Base(filepath.Dir(file)), l.Finding(), l.loadText())
	}
	golden(t, "corpus.txt", b.String())
}

func TestTheTextOfALog(t *testing.T) {
	for name, path := range map[string]string{
		"seqs8-c64": filepath.Join(corpus, "seqs8-c64", "server.log.gz"), "j_down": filepath.Join(corpus, "j_down", "server.log.gz"),
		// A real vLLM 0.32 on a CPU: kill -9 of its engine core under load, then a start with room for 256 tokens.
		"killed-then-too-small": filepath.Join("testdata", "killed-then-too-small.log.gz"),
	} {
		l, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := l.WriteText(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.String())
	}
}

func TestAnEngineThatWasKilledAndOneThatDidNotStart(t *testing.T) {
	l, err := Open(filepath.Join("testdata", "killed-then-too-small.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	want := "log_oom=2 log_oom_start=2 log_length_fits=224 log_worker_died=1 log_engine_dead=1 log_engine_dead_before_restart=2 log_restarts=1 log_crashes=1 log_starting=false log_shutdown=-"
	if diff := cmp.Diff(want, show(l.Facts(), names(want)...)); diff != "" {
		t.Error(diff)
	}
}

func TestALogThatBreaksOffTellsWhatItTold(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(corpus, "seqs8-c64", "server.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Read(bytes.NewReader(whole[:len(whole)/2]))
	if err != nil || l.Facts()["engine_version"].Text != "0.25.1" {
		t.Errorf("got %v, %v", l, err)
	}
}

// repeated gives the same text again and again.
type repeated struct {
	text []byte
	left int64
	at   int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= int64(n)
	return n, nil
}

func TestALogOf500MBStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 500 MB")
	}
	f, err := os.Open(filepath.Join(corpus, "base-c64", "server.log.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	served := text[bytes.Index(text, []byte("Application startup complete")):]
	served = served[bytes.IndexByte(served, '\n')+1:]
	l, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	var most uint64
	lines := 0
	each := func(s string) {
		if l.Line(s); lines%100_000 == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
		}
		lines++
	}
	if err := eachLine(io.MultiReader(bytes.NewReader(text), &repeated{text: served, left: 500e6}), each); err != nil {
		t.Fatal(err)
	}
	told, err := l.Log()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lines, heap at most %d MiB", told.Lines, most>>20)
	if told.Facts()["engine_version"].Text != "0.25.1" || told.Lines < 1_000_000 || most > 128<<20 {
		t.Errorf("%d lines, version %q, %d MiB", told.Lines, told.Facts()["engine_version"].Text, most>>20)
	}
}

func FuzzLinesInPieces(f *testing.F) {
	f.Add([]byte(launch("0.25.1", "'max_num_seqs': 8")+statsFull+decode), 7)
	f.Add([]byte("2026-11-23T18:25:53.1Z stdout P a\n2026-11-23T18:25:53.1Z stdout F b\n"), 3)
	f.Add([]byte("\x00\xff{\"log\":\"{\\\"msg\\\":\\\"x\\\"}\",\"stream\":\"a\"}\r\n\n"), 1)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		var whole, pieces []string
		if err := eachLine(bytes.NewReader(in), func(s string) { whole = append(whole, s) }); err != nil {
			t.Fatal(err)
		}
		l := NewLines(func(s string) { pieces = append(pieces, s) })
		for size = max(size, 1); len(in) > 0; in = in[min(size, len(in)):] {
			_, _ = l.Write(in[:min(size, len(in))])
		}
		l.Flush()
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Error(diff)
		}
		r, err := NewReader()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range pieces {
			r.Line(s)
		}
		if told, err := r.Log(); err == nil {
			if err := told.WriteText(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}

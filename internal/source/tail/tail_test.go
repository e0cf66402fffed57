package tail

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

const (
	begun = "(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:339]  █ version 0.25.1\n(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {'max_num_seqs': 8}\n"
	lineA = "(APIServer pid=1) INFO 11-23 18:26:00 [loggers.py:273] Engine 000: Avg prompt throughput: 1.0 tokens/s, Avg generation throughput: 5.9 tokens/s, Running: 8 reqs, Waiting: 3 reqs, GPU KV cache usage: 4.5%\n"
)

func failing(n int) string {
	return fmt.Sprintf("WARNING 11-23 18:26:01 [x.py:1] Failing %d request(s) due to KV load failure\n", n)
}

// followed is a file that a tail follows, at a time that the test tells.
type followed struct {
	*Tail
	t    *testing.T
	path string
	now  time.Time
}

func follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{t: t, path: filepath.Join(t.TempDir(), "server.log"), now: time.Now()}
	f.Tail = New(Options{Now: func() time.Time { return f.now }})
	f.Apply([]Source{f.source(f.path)})
	t.Cleanup(f.close)
	return f
}

func (f *followed) source(path string) Source {
	return Source{Path: path, Labels: func(string) (map[string]string, bool) { return map[string]string{"instance": "a:1"}, true }}
}

var server = model.LabelsFrom(map[string]string{"instance": "a:1", "job": "vllm"})

// facts polls some seconds later and writes facts down.
func (f *followed) facts(names ...string) string {
	f.t.Helper()
	f.now = f.now.Add(6 * time.Second)
	f.Poll(f.t.Context())
	facts := f.FactsOf(server)
	var out []string
	for _, n := range names {
		text := "-"
		if x, ok := facts[n]; ok {
			text = x.Text
		}
		out = append(out, n+"="+text)
	}
	return strings.Join(out, " ")
}

func (f *followed) want(want string) {
	f.t.Helper()
	var names []string
	for field := range strings.FieldsSeq(want) {
		name, _, _ := strings.Cut(field, "=")
		names = append(names, name)
	}
	if got := f.facts(names...); got != want {
		f.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func (f *followed) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

func (f *followed) append(text string) {
	f.t.Helper()
	file, err := os.OpenFile(f.path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := file.WriteString(text); err != nil {
		f.t.Fatal(err)
	}
	_ = file.Close()
}

func (f *followed) fault() string {
	f.t.Helper()
	if err := f.Health()[0].Err; err != nil {
		return err.Error()
	}
	return ""
}

func TestAFileIsFollowedAsItGrows(t *testing.T) {
	f := follow(t)
	f.write(begun)
	f.want("max_num_seqs=8 log_running_max=-")
	f.append(lineA + lineA[:50])
	f.want("max_num_seqs=8 log_running_max=8 log_stats_lines=1")
	f.append(lineA[50:])
	f.want("log_stats_lines=2 log_shows_start=true")
}

func TestAFileThatAppearsLater(t *testing.T) {
	f := follow(t)
	f.want("max_num_seqs=-")
	if !strings.Contains(f.fault(), "no such file") {
		t.Errorf("got %q", f.fault())
	}
	f.write(begun)
	f.want("max_num_seqs=8")
	if f.fault() != "" {
		t.Errorf("got %q", f.fault())
	}
}

func TestRotationKeepsTheStartAndLosesNothing(t *testing.T) {
	tests := []struct {
		name   string
		rotate func(f *followed)
	}{
		{"renamed, and a new one made", func(f *followed) {
			if err := os.Rename(f.path, f.path+".1"); err != nil {
				f.t.Fatal(err)
			}
			f.write("")
		}},
		{"renamed, written to for a while, and a new one made later", func(f *followed) {
			if err := os.Rename(f.path, f.path+".1"); err != nil {
				f.t.Fatal(err)
			}
			f.want("log_kv_load_failures=3")
			f.write("")
		}},
		{"copied and truncated", func(f *followed) { f.write("") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := follow(t)
			f.write(begun + failing(1))
			f.want("log_kv_load_failures=1 max_num_seqs=8")
			f.append(failing(2))
			if tt.name == "copied and truncated" {
				f.want("log_kv_load_failures=3")
			}
			tt.rotate(f)
			f.append(failing(4))
			f.want("log_kv_load_failures=7 max_num_seqs=8 log_shows_start=true log_restarts=0")
		})
	}
}

func TestATruncatedFileThatGrewBeyondWhereItWas(t *testing.T) {
	f := follow(t)
	f.write(begun)
	f.want("log_kv_load_failures=0")
	f.write(failing(4) + strings.Repeat("x\n", 400))
	f.want("log_kv_load_failures=4 max_num_seqs=8")
}

func TestALinkThatIsMoved(t *testing.T) {
	f := follow(t)
	dir := filepath.Dir(f.path)
	for i, text := range []string{begun, failing(4)} {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "0"), f.path); err != nil {
		t.Fatal(err)
	}
	f.want("max_num_seqs=8 log_kv_load_failures=0")
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "1"), f.path); err != nil {
		t.Fatal(err)
	}
	f.want("max_num_seqs=8 log_kv_load_failures=4")
}

func TestJunkAndEndlessLinesDoNoHarm(t *testing.T) {
	f := follow(t)
	f.write(begun + "\x00\xff\xfe\x1b[" + strings.Repeat("z", 3<<20) + "\n" + failing(2))
	f.want("max_num_seqs=8 log_kv_load_failures=2")
}

func TestWhatMayNotBeReadIsAFault(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("root reads everything: a folder stands for the file")
		f := follow(t)
		if err := os.Mkdir(f.path, 0o700); err != nil {
			t.Fatal(err)
		}
		f.want("max_num_seqs=-")
		if !strings.Contains(f.fault(), "is a folder") {
			t.Errorf("got %q", f.fault())
		}
		return
	}
	f := follow(t)
	f.write(begun)
	if err := os.Chmod(f.path, 0); err != nil {
		t.Fatal(err)
	}
	f.want("max_num_seqs=-")
	if !strings.Contains(f.fault(), "permission denied") {
		t.Errorf("got %q", f.fault())
	}
}

func TestTheStartOfALargeFileIsFoundWithoutReadingAll(t *testing.T) {
	f := follow(t)
	noise := strings.Repeat("(APIServer pid=1) INFO:     127.0.0.1:5 - \"POST /v1/completions HTTP/1.1\" 200 OK\n", 40<<20/82)
	f.write(strings.Replace(begun, "'max_num_seqs': 8", "'max_num_seqs': 4", 1) + noise[:8<<20] + "\n" + begun + noise + failing(2) + lineA)
	f.want("max_num_seqs=8 engine_version=0.25.1 log_kv_load_failures=2 log_running_max=8 log_restarts=0")
	if n := f.Health()[0].Bytes; n > startLength+endLength+1<<20 {
		t.Errorf("%d bytes were read", n)
	}
}

func TestAfterARestartTheStartIsFoundInTheRotatedFile(t *testing.T) {
	f := follow(t)
	if err := os.WriteFile(f.path+".1", []byte(begun+failing(1)), 0o600); err != nil {
		t.Fatal(err)
	}
	f.write(lineA)
	f.want("max_num_seqs=8 log_running_max=8 log_shows_start=true")
}

func TestPeriodicLinesOfAServerThatFellSilentAreOfThePast(t *testing.T) {
	f := follow(t)
	f.write(begun + lineA + failing(1))
	f.want("log_running_max=8 log_kv_load_failures=1")
	f.now = f.now.Add(10 * time.Minute)
	f.want("log_running_max=- log_kv_load_failures=1 max_num_seqs=8")
}

func TestGlobsAndWhoseFileItIs(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.log": begun, "b.log": strings.Replace(begun, "8}", "9}", 1), "b.log.1": begun, "c.log.gz": "\x1f\x8b", "old.log": begun,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	tail := New(Options{Now: func() time.Time { return now }})
	t.Cleanup(tail.close)
	source := Source{Path: filepath.Join(dir, "*.log*"), Labels: func(path string) (map[string]string, bool) {
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		return map[string]string{"pod": name}, name != "old" && !strings.Contains(name, ".")
	}}
	tail.Apply([]Source{source})
	tail.Poll(t.Context())
	if h := tail.Health(); h[0].Files != 2 || h[0].Err != nil || h[0].Lines != 4 {
		t.Errorf("got %+v", h)
	}
	for pod, want := range map[string]string{"a": "8", "b": "9", "old": "", "c": ""} {
		if got := tail.FactsOf(model.LabelsFrom(map[string]string{"pod": pod}))["max_num_seqs"].Text; got != want {
			t.Errorf("%s: got %q, want %q", pod, got, want)
		}
	}
	tail.Apply(nil)
	tail.Poll(t.Context())
	if tail.FactsOf(model.LabelsFrom(map[string]string{"pod": "a"})) != nil || len(tail.files) != 0 {
		t.Error("a file that is not configured any more is still followed")
	}
}

func TestApplyDoesNotReadAgain(t *testing.T) {
	f := follow(t)
	f.write(begun + failing(1))
	f.want("log_kv_load_failures=1")
	f.Apply([]Source{f.source(f.path), f.source(f.path + ".other")})
	f.append(failing(2))
	f.want("log_kv_load_failures=3")
	if h := f.Health(); len(h) != 2 || h[0].Lines != 4 {
		t.Errorf("got %+v", h)
	}
}

func FuzzFollow(f *testing.F) {
	f.Add([]byte(begun), []byte(lineA), true)
	f.Add([]byte("a"), []byte("\x00\n\n"), false)
	f.Fuzz(func(t *testing.T, first, then []byte, truncate bool) {
		x := follow(t)
		x.write(string(first))
		x.facts()
		if truncate {
			x.write(string(then))
		} else {
			x.append(string(then))
		}
		x.facts()
		if x.fault() != "" {
			t.Error(x.fault())
		}
	})
}

package tail

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// several follows a pattern over a folder whose files are of the pod that they are named after.
func several(t *testing.T) *followed {
	t.Helper()
	f := &followed{t: t, path: filepath.Join(t.TempDir(), "a.log"), now: time.Now()}
	f.Tail = New(Options{Now: func() time.Time { return f.now }})
	f.Apply([]Source{pods(f, "")})
	t.Cleanup(f.close)
	return f
}

func pods(f *followed, nobodys string) Source {
	return Source{Path: filepath.Join(filepath.Dir(f.path), "*.log"), Labels: func(path string) (map[string]string, bool) {
		name := strings.TrimSuffix(filepath.Base(path), ".log")
		return map[string]string{"pod": name}, name != nobodys
	}}
}

func (f *followed) look(after time.Duration) {
	f.now = f.now.Add(after)
	f.Poll(f.t.Context())
}

func TestAPodThatWentIsNoFaultOfAPattern(t *testing.T) {
	f := several(t)
	f.write(begun)
	f.look(0)
	if err := os.Symlink(f.path+".gone", filepath.Join(filepath.Dir(f.path), "dangling.log")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if f.look(30 * time.Second); f.fault() != "" {
			t.Fatalf("got %q", f.fault())
		}
	}
	if f.look(2 * time.Hour); len(f.files) > 1 || f.files[f.path] != nil {
		t.Errorf("%d files are remembered", len(f.files))
	}
}

func TestFilesThatWereEmptyAreForgottenToo(t *testing.T) {
	f := several(t)
	f.write("")
	f.look(0)
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	f.look(time.Minute)
	f.look(2 * time.Hour)
	if f.look(time.Minute); len(f.files) != 0 {
		t.Errorf("%d files are remembered", len(f.files))
	}
}

func TestAPatternTakesFilesOnly(t *testing.T) {
	f := several(t)
	f.write(begun)
	dir := filepath.Dir(f.path)
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.log"), 0o600); err != nil {
		t.Skip(err)
	}
	for name, to := range map[string]string{"null.log": os.DevNull, "loop.log": filepath.Join(dir, "loop.log"), "folder.log": dir} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	f.look(0)
	if h := f.Health()[0]; h.Files != 1 {
		t.Errorf("got %+v", h)
	}
	if _, err := openFile(filepath.Join(dir, "pipe.log")); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a pipe in the place of a file: %v", err)
	}
}

func TestAFileThatIsNobodysAnyMoreIsLetGo(t *testing.T) {
	f := several(t)
	f.write(begun)
	f.look(0)
	f.Apply([]Source{pods(f, "a")})
	if f.look(0); f.FactsOf(model.LabelsFrom(map[string]string{"pod": "a"})) != nil {
		t.Error("it still speaks for a server")
	}
}

func TestALogThatGrowsTooFastIsFollowedAtItsEnd(t *testing.T) {
	f := follow(t)
	f.write(begun)
	f.want("max_num_seqs=8")
	noise := strings.Repeat(strings.Repeat("x", 1<<16)+"\n", 1600)
	f.append(noise + failing(7))
	f.want("log_kv_load_failures=0")
	if !strings.Contains(f.fault(), "grows faster than it can be read") {
		t.Errorf("got %q", f.fault())
	}
	f.want("log_kv_load_failures=7 max_num_seqs=8")
	if f.fault() != "" {
		t.Errorf("got %q", f.fault())
	}
}

func TestAllOfARotatedFileIsReadBeforeTheNext(t *testing.T) {
	f := follow(t)
	f.write(begun)
	f.want("max_num_seqs=8")
	noise := strings.Repeat(strings.Repeat("x", 1<<16)+"\n", 800) // 50 MiB
	f.append(noise + failing(7))
	if err := os.Rename(f.path, f.path+".1"); err != nil {
		t.Fatal(err)
	}
	f.write(failing(1))
	f.facts()
	f.want("log_kv_load_failures=8")
}

func TestAStormOfErrorsDoesNotHoldUpTheOthers(t *testing.T) {
	f := follow(t)
	f.write(begun)
	f.want("max_num_seqs=8")
	f.append(strings.Repeat("(EngineCore pid=1) WARNING 11-23 18:26:00 [x.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1 GiB\n", 30<<20/112))
	began := time.Now()
	f.look(6 * time.Second)
	if took := time.Since(began); took > 3*oneTurn {
		t.Errorf("one look took %s", took)
	}
	if f.FactsOf(server)["log_oom"].Num == 0 {
		t.Error("nothing of it was read")
	}
}

func TestApplyDoesNotWaitForALookThatHangs(t *testing.T) {
	f := several(t)
	f.write(begun)
	hangs, over := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.Apply([]Source{{Path: f.path, Labels: func(string) (map[string]string, bool) {
		once.Do(func() { close(hangs); <-over })
		return nil, true
	}}})
	done := make(chan struct{})
	go func() { f.Poll(t.Context()); close(done) }()
	<-hangs
	f.Apply(nil) // as a reload does
	close(over)
	<-done
	if h := f.Health(); len(h) != 0 {
		t.Errorf("the look that was under way tells of sources that are gone: %+v", h)
	}
	if f.look(time.Second); len(f.files) != 0 {
		t.Errorf("%d files are followed", len(f.files))
	}
}

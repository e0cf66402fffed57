package logs

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// at is a line of vLLM at a time.
func at(clock, text string) string {
	return "(EngineCore pid=2) ERROR 11-23 " + clock + " [core.py:1] " + text + "\n"
}

func TestOnlyWhatTheLastMinutesSaidCounts(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"compiled hours ago", at("08:00:00", "JIT compilation during inference: k") + at("18:00:00", "JIT monitor") + "Kernel JIT monitor activated\n", "log_jit_compilation=0"},
		{"compiled minutes ago", at("17:50:00", "JIT compilation during inference: k") + at("18:00:00", "x"), "log_jit_compilation=1"},
		{"failed hours ago and now", at("08:00:00", "Failing 3 request(s) due to KV load failure") + at("18:00:00", "Failing 4 request(s) due to KV load failure"), "log_kv_load_failures=4"},
		{"without times all counts", "Failing 3 request(s) due to KV load failure\nFailing 4 request(s) due to KV load failure\n", "log_kv_load_failures=7"},
		{"periodic lines of the last five minutes", strings.ReplaceAll(stats, "18:28:06", "08:00:00") + strings.Replace(stats, "Running: 63", "Running: 7", 1), "log_running_max=7 log_stats_lines=2"},
		{"periodic lines that ended long before the log did", stats + at("19:28:06", "x"), "log_running_max=- log_stats_lines=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { told(t, tt.in, tt.want) })
	}
}

// died is a start that ends with an exception.
func died(clock, end string) string {
	return strings.NewReplacer("18:25:53", clock, "18:26:15", clock).Replace(launch("0.25.1", "'max_num_seqs': 8")+initializing) +
		at(clock, "EngineCore failed to start.") + at(clock, "Traceback (most recent call last):") + at(clock, `  File "core.py", line 1, in f`) + at(clock, end) +
		"(APIServer pid=1) Traceback (most recent call last):\n(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.\n"
}

func TestACrashLoopIsTold(t *testing.T) {
	in := died("18:26:30", "ValueError: No available memory for the cache blocks.") + died("18:36:30", "torch.OutOfMemoryError: CUDA out of memory.") +
		later(launch("0.25.1", "'max_num_seqs': 8")+initializing, 19)
	l, err := Read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	want := []Crash{
		{"11-23 18:26:30", false, "ValueError: No available memory for the cache blocks."},
		{"11-23 18:36:30", false, "torch.OutOfMemoryError: CUDA out of memory."},
	}
	if diff := cmp.Diff(want, l.Crashes); diff != "" {
		t.Error(diff)
	}
	if got := l.Finding(); got != "a crash loop: 2 starts ended without a shutdown, the last one: 11-23 18:36:30 ended while starting: torch.OutOfMemoryError: CUDA out of memory." {
		t.Error(got)
	}
	wantFacts := "log_restarts=2 log_crashes=2 log_oom=0 log_oom_before_restart=2"
	if got := show(l.Facts(), names(wantFacts)...); got != wantFacts {
		t.Errorf("got %s", got)
	}
	if got := l.Facts()["log_crash_line"].Text; got != "11-23 18:36:30 torch.OutOfMemoryError: CUDA out of memory." {
		t.Error(got)
	}
}

func TestOldCrashesAreNoLoop(t *testing.T) {
	in := died("08:26:30", "ValueError: x") + died("08:36:30", "ValueError: x") + launch("0.25.1", "") + initializing + complete + stats
	told(t, in, "log_restarts=1 log_crashes=0 log_crash_line=-") // the last start began within the hour, its crash did not
}

func TestLogsOfSeveralServersAreNoCrashLoop(t *testing.T) {
	pod := launch("0.25.1", "'max_num_seqs': 8") + initializing + "Graph capturing finished in 1 secs, took 0.12 GiB\n" + complete + stats
	in := pod + strings.Replace(pod, "'max_num_seqs': 8", "'max_num_seqs': 9", 1) + strings.Replace(pod, "'max_num_seqs': 8", "'max_num_seqs': 10", 1)
	told(t, in, "log_restarts=0 log_crashes=0 max_num_seqs=10*")
	l, err := Read(strings.NewReader(in))
	if err != nil || l.Others != 2 || l.Finding() != "nothing wrong is said in it" {
		t.Errorf("%d others: %s, %v", l.Others, l.Finding(), err)
	}
}

func TestAShutdownIsNoCrash(t *testing.T) {
	in := launch("0.25.1", "") + complete + at("18:30:00", "[shutdown] API: start") + later(launch("0.25.1", ""), 19) + complete
	told(t, in, "log_restarts=1 log_crashes=0")
}

func TestWhatIsKeptDoesNotGrow(t *testing.T) {
	l, err := NewReader()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 8_000 {
		now := begin.Add(time.Duration(i) * 100 * time.Millisecond).Format("01-02 15:04:05")
		l.Line("INFO " + now + " [loggers.py:273] " + stats[strings.Index(stats, "Engine 000"):len(stats)-1])
		l.Line(fmt.Sprintf("WARNING %s [x.py:1] Failing 1 request(s) due to KV load failure", now))
		l.Line(fmt.Sprintf("(SGLangEngine pid=%d) Decode batch, #running-req: 1, #token: 1, token usage: 0.1", i))
	}
	for name, q := range l.start.load.quantities {
		if len(q.points) > 2*maxPoints {
			t.Errorf("%d points of %s", len(q.points), name)
		}
	}
	if n := len(l.start.load.engines); n > maxEngines {
		t.Errorf("%d engines", n)
	}
	if n := len(l.start.events["log_kv_load_failures"].hits); n > 2*maxHits {
		t.Errorf("%d hits", n)
	}
	told, err := l.Log()
	if err != nil || told.Facts()["log_kv_load_failures"].Num < maxHits {
		t.Errorf("%v, %v", told.Facts()["log_kv_load_failures"], err)
	}
}

package logs

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestContainersWrapLines(t *testing.T) {
	long := "INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {'max_num_seqs': 8, 'x': '" + strings.Repeat("y", 20<<10) + "', 'max_model_len': 4096}"
	docker := func(text string) string {
		b, _ := json.Marshal(map[string]string{"log": text, "stream": "stderr", "time": "2026-11-23T18:25:53.123456789Z"})
		return string(b) + "\n"
	}
	tests := []struct{ name, in, want string }{
		{"kubectl logs --timestamps", "2026-11-23T18:25:53.123456789Z INFO 11-23 19:25:53 [a.py:1] Using max model len 100\n", "max_model_len=100 log_ends_at=1795458353"},
		{"a zone of its own", "2026-11-23T19:25:53.1+01:00 INFO 11-23 19:25:53 [a.py:1] Using max model len 100\n", "max_model_len=100 log_ends_at=1795458353"},
		{"containerd", "2026-11-23T18:25:53.1Z stdout F INFO 11-23 19:25:53 [a.py:1] Using max model len 100\n", "max_model_len=100 log_ends_at=1795458353"},
		{"containerd cuts long lines", "2026-11-23T18:25:53.1Z stdout P " + long[:16<<10] + "\n2026-11-23T18:25:53.1Z stderr F something else\n2026-11-23T18:25:53.1Z stdout F " + long[16<<10:] + "\n", "max_num_seqs=8* max_model_len=4096*"},
		{"Docker's files", docker("INFO 11-23 18:25:53 [a.py:1] Using max model len 100\n"), "max_model_len=100 log_ends_at=1795458353"},
		{"Docker cuts long lines", docker(long[:16<<10]) + docker(long[16<<10:]+"\n"), "max_num_seqs=8* max_model_len=4096*"},
		{"Ray's prefix", "(RayWorkerWrapper pid=123, ip=10.0.0.1) INFO 11-23 18:25:53 [a.py:1] Model loading took 13.54 GiB and 1.7 seconds [repeated 7x across cluster]\n", "model_weights_gib=13.54"},
		{"docker compose's prefix", "vllm-1  | INFO 11-23 18:25:53 [a.py:1] Using max model len 100\n", "max_model_len=100"},
		{"seconds in JSON", `{"ts": 1795458353.5, "level": "warning", "msg": "Using max model len 100"}` + "\n", "max_model_len=100 log_ends_at=1795458353 log_warnings=1"},
		{"no zone, no end that compares", "[2026-11-01 10:00:41] The server is fired up and ready to roll!\n", "log_ends_at=-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { told(t, tt.in, tt.want) })
	}
}

func TestTimesAsTheyAreWritten(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"vLLM", "(APIServer pid=1) INFO 11-23 18:25:53 [a.py:1] x", "11-23 18:25:53"},
		{"SGLang", "[2026-11-01 10:00:40 DP0 TP0] x", "2026-11-01 10:00:40"},
		{"the journal", "Nov  3 08:42:38 gpu7 kernel: x", "11-03 08:42:38"},
		{"no date", "at 10:00:40 it was", ""},
		{"no time", "[1843.308145] NVRM: Xid (PCI:0000:44:00): 79", ""},
		{"a month that is none", "13-01 10:00:40", ""},
		{"an address", "127.0.0.1:11:22:33", ""},
		{"too short", "0:00", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := written(tt.in).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheYearEnds(t *testing.T) {
	var c clock
	before := c.ordered(written("INFO 12-31 23:59:50 x"))
	after := c.ordered(written("INFO 01-01 00:00:10 x"))
	if got := after.at.Sub(before.at).Seconds(); got != 20 {
		t.Errorf("%v s passed", got)
	}
	if undated := c.ordered(stamp{}); undated != after {
		t.Errorf("a line without a time is of %v", undated)
	}
}

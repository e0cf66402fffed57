package pipeline

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

func open(t *testing.T, id string) (*Pipeline, *samples.Store, time.Time) {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := recording.Open("../../corpus/"+id+"/metrics.om.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	return New(c, nil, engine.Fit{}), st, time.UnixMilli(last)
}

// fact reads one fact of the only target, as "text (from)".
func fact(t *testing.T, p *Pipeline, st *samples.Store, r Request, name string) (string, []string) {
	t.Helper()
	f, notes := p.Frame(st, r)
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget {
			x, ok := f.Fact(e.ID, name)
			if !ok {
				return "unknown", notes
			}
			return x.Text + " (" + x.From + ")", notes
		}
	}
	t.Fatal("no target")
	return "", nil
}

func TestWhatTheServerShowsWinsOverWhatItWasAsked(t *testing.T) {
	p, st, at := open(t, "base-c64")
	log := map[string]model.Fact{"max_num_batched_tokens": {Text: "8192", Num: 8192, IsNum: true, From: "log"}}
	for _, tc := range []struct {
		name, fact, want string
		r                Request
	}{
		{"a label", "gpu_memory_utilization", "0.85 (metric label)", Request{Args: []string{"--gpu-memory-utilization", "0.85"}}},
		{"an argument nobody contradicts", "max_num_seqs", "512 (args)", Request{Args: []string{"--max-num-seqs", "512"}}},
		{"the log over an argument", "max_num_batched_tokens", "8192 (log)", Request{Args: []string{"--max-num-batched-tokens", "4096"}, Log: log}},
		{"an unknown launch tells no default", "enforce_eager", "unknown", Request{}},
		{"a launch without the flag tells the default", "enforce_eager", "false (default of vllm >=0.24.0)", Request{Args: []string{}}},
	} {
		tc.r.At, tc.r.Window = at, 5*time.Minute
		if got, _ := fact(t, p, st, tc.r, tc.fact); got != tc.want {
			t.Errorf("%s: %s is %s, want %s", tc.name, tc.fact, got, tc.want)
		}
	}
}

func TestArgumentsOfAnotherServerAreLeftOut(t *testing.T) {
	p, st, at := open(t, "base-c64") // 64 run, the label says 0.85
	for _, args := range [][]string{
		{"--max-num-seqs", "8"},
		{"--gpu-memory-utilization", "0.17", "--max-num-seqs", "256"},
		{"--no-enable-prefix-caching", "--max-num-seqs", "256"},
	} {
		got, notes := fact(t, p, st, Request{At: at, Window: 5 * time.Minute, Args: args}, "max_num_seqs")
		if got != "unknown" || len(notes) != 1 || !strings.Contains(notes[0], "not this server's") {
			t.Errorf("%v: max_num_seqs is %s, notes %v", args, got, notes)
		}
	}
}

// The log of another server, or of a start before the last one, would lend this one its settings and its errors.
func TestALogThatContradictsTheServerIsLeftOutAsAWhole(t *testing.T) {
	p, st, at := open(t, "base-c64") // 64 run, the label says a block size of 16
	for name, log := range map[string]map[string]model.Fact{
		"a cap below what runs": {"max_num_seqs": number(8, "log"), "log_oom": number(1, "log")},
		"another block size":    {"block_size": {Text: "32", Num: 32, IsNum: true, Explicit: true, From: "log"}, "log_oom": number(1, "log")},
	} {
		got, notes := fact(t, p, st, Request{At: at, Window: 5 * time.Minute, Log: log}, "log_oom")
		if got != "unknown" || len(notes) != 1 || !strings.Contains(notes[0], "the log is not this server's, or of an earlier start") {
			t.Errorf("%s: log_oom is %s, notes %v", name, got, notes)
		}
	}
}

func TestEachServerHasItsOwnArguments(t *testing.T) {
	p, st, at := open(t, "base-c64")
	of := func(instance string, args ...string) func(model.Labels) []string {
		return func(l model.Labels) []string {
			if l.Get("instance") != instance {
				return nil
			}
			return args
		}
	}
	all := []string{"--max-num-seqs", "512"}
	for _, tc := range []struct {
		name string
		r    Request
		want string
	}{
		{"its own", Request{ArgsOf: of("h200-0:8000", "--max-num-seqs", "128")}, "128 (args)"},
		{"its own over those of all", Request{ArgsOf: of("h200-0:8000", "--max-num-seqs", "128"), Args: all}, "128 (args)"},
		{"another server's are not its own", Request{ArgsOf: of("h200-1:8000", "--max-num-seqs", "128")}, "unknown"},
		{"those of all where it has none", Request{ArgsOf: of("h200-1:8000"), Args: all}, "512 (args)"},
	} {
		tc.r.At, tc.r.Window = at, 5*time.Minute
		if got, _ := fact(t, p, st, tc.r, "max_num_seqs"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestEachServerHasItsOwnLog(t *testing.T) {
	p, st, at := open(t, "base-c64")
	told := func(n float64) map[string]model.Fact {
		return map[string]model.Fact{"max_num_seqs": {Text: fmt.Sprint(n), Num: n, IsNum: true, From: "log"}}
	}
	of := func(instance string) func(model.Labels) map[string]model.Fact {
		return func(l model.Labels) map[string]model.Fact {
			if l.Get("instance") != instance {
				return nil
			}
			return told(128)
		}
	}
	for _, tc := range []struct {
		name string
		r    Request
		want string
	}{
		{"its own", Request{LogOf: of("h200-0:8000")}, "128 (log)"},
		{"its own over that of all", Request{LogOf: of("h200-0:8000"), Log: told(512)}, "128 (log)"},
		{"another server's is not its own", Request{LogOf: of("h200-1:8000")}, "unknown"},
		{"that of all where it has none", Request{LogOf: of("h200-1:8000"), Log: told(512)}, "512 (log)"},
	} {
		tc.r.At, tc.r.Window = at, 5*time.Minute
		if got, _ := fact(t, p, st, tc.r, "max_num_seqs"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestALogThatEndsLongBeforeIsNoted(t *testing.T) {
	p, st, at := open(t, "base-c64")
	ends := func(d time.Duration) string {
		r := Request{At: at.Truncate(time.Second), Window: 5 * time.Minute, Log: map[string]model.Fact{"log_ends_at": number(float64(at.Add(d).Unix()), "log")}}
		_, notes := p.Frame(st, r)
		return strings.Join(notes, "; ")
	}
	for d, want := range map[time.Duration]string{
		-10 * time.Minute: "", time.Hour: "the log goes on for 1 h after what is diagnosed: what it says of errors and load is of then",
		-2 * time.Hour: "the log ends 2 h before what is diagnosed: what it says of errors and load is of then",
	} {
		if got := ends(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}

func TestEachServerIsAskedForItself(t *testing.T) {
	p, st, at := open(t, "base-c64")
	r := Request{At: at, Window: 5 * time.Minute, Server: func(l model.Labels) (map[string]model.Fact, bool) {
		if l.Get("instance") != "h200-0:8000" {
			return nil, false
		}
		return map[string]model.Fact{"engine_version": {Text: "0.25.1", From: "version endpoint"}}, false
	}}
	if got, _ := fact(t, p, st, r, "engine_version"); got != "0.25.1 (version endpoint)" {
		t.Error(got)
	}
	if got, _ := fact(t, p, st, r, "enforce_eager"); got != "unknown" {
		t.Errorf("a version alone is no launch command: enforce_eager is %s", got)
	}
}

func TestTheBytesOfAWeight(t *testing.T) {
	q := func(method string) map[string]model.Fact {
		return map[string]model.Fact{"quantization": {Text: method, From: "args"}}
	}
	for _, tc := range []struct {
		name, model string
		in          map[string]model.Fact
		want        float64
	}{
		{"nothing says otherwise", "llama-8b", nil, 2},
		{"the launch says none", "llama-8b-awq", q("none"), 2},
		{"a 4-bit method", "llama-8b", q("awq_marlin"), 0.5},
		{"an 8-bit method", "llama-8b", q("fp8"), 1},
		{"the name says so", "Qwen3-32B-GPTQ-Int4", nil, 0.5},
		{"a method of unknown size says nothing", "llama-8b", q("aqlm"), 0},
	} {
		f, _ := weightBytes(tc.in, tc.model)
		if f.Num != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, f.Num, tc.want)
		}
	}
}

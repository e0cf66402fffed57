package knobs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
)

func catalog(t testing.TB) *Catalog {
	t.Helper()
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// show writes facts as "id=text", explicit ones with a star, in order.
func show(facts map[string]model.Fact) string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(facts)) {
		star := ""
		if facts[id].Explicit {
			star = "*"
		}
		out = append(out, id+"="+facts[id].Text+star)
	}
	return strings.Join(out, " ")
}

// facts reads "gpu_memory_gib=80 gpu_name=A100".
func facts(s string) map[string]model.Fact {
	out := map[string]model.Fact{}
	for field := range strings.FieldsSeq(s) {
		name, text, _ := strings.Cut(field, "=")
		n, ok := parseNumber(text)
		if b, isBool := parseBool(text); isBool && !ok {
			ok = true
			if b {
				n = 1
			}
		}
		out[name] = model.Fact{Text: text, Num: n, IsNum: ok}
	}
	return out
}

func texts(s string) map[string]string {
	out := map[string]string{}
	for field := range strings.FieldsSeq(s) {
		name, text, _ := strings.Cut(field, "=")
		out[name] = text
	}
	return out
}

func TestVersionRanges(t *testing.T) {
	tests := []struct {
		name, in string
		want     truth
	}{
		{"a patch release is within its minor", "<=0.19 | 0.19.1", yes},
		{"the next minor is not", "<=0.19 | 0.20.0", no},
		{"suffixes are ignored", ">=0.32 | v0.32.0+cpu", yes},
		{"release candidates count as the release", ">=0.32 | 0.32.0rc1", yes},
		{"ten is after nine", ">=0.9 | 0.10.2", yes},
		{"a lower bound may be above", ">=0.20 | >=0.24", yes},
		{"a lower bound cannot be below", "<=0.19 | >=0.24", no},
		{"a lower bound leaves later ranges open", ">=0.29 | >=0.24", unknown},
		{"in words", ">=0.29 | at least 0.30", yes},
		{"an unknown version tells nothing", "<0.8 | ", unknown},
		{"text is no version", ">=0.8 | nightly", unknown},
		{"both bounds must hold", ">=0.8 <=0.8.4 | 0.8.5", no},
		{"equal to a minor", "==0.33 | 0.33.2", yes},
		{"above a minor", ">0.33 | 0.33.2", no},
		{"no range is every version", " | 0.6", yes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rng, version, _ := strings.Cut(tt.in, " | ")
			vs, err := parseVersions(rng)
			if err != nil {
				t.Fatal(err)
			}
			if got := vs.holds(parseSpan(version)); got != tt.want {
				t.Errorf("%s is %d, want %d", tt.in, got, tt.want)
			}
		})
	}
}

func TestAvailable(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"in every version", "max_num_seqs 0.6.6", "true "},
		{"removed before", "swap_space 0.25.1", "false --swap-space was removed in vllm 0.18"},
		{"still there", "swap_space 0.17.1", "true "},
		{"too new", "max_num_queued_reqs 0.25.1", "false --max-num-queued-reqs needs vllm 0.29 or newer"},
		{"just there", "max_num_queued_reqs 0.29.0", "true "},
		{"perhaps too new", "max_num_queued_reqs >=0.24", "true --max-num-queued-reqs needs vllm 0.29 or newer"},
		{"unknown version, removed in recent ones", "swap_space ", "false --swap-space was removed in vllm 0.18"},
		{"unknown version", "gpu_memory_utilization ", "true "},
		{"no such knob", "max_num_seq 0.25.1", "false no knob max_num_seq of vllm is known, did you mean max_num_seqs?"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, version, _ := strings.Cut(tt.in, " ")
			ok, why := c.Available("vllm", id, version)
			if diff := cmp.Diff(tt.want, fmt.Sprint(ok, " ", why)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"an H200", "0.25.1 gpu_memory_gib=140", "max_num_seqs=1024 max_num_batched_tokens=8192 gpu_memory_utilization=0.92"},
		{"a small GPU", "0.25.1 gpu_memory_gib=24", "max_num_seqs=256 max_num_batched_tokens=2048"},
		{"80 GiB could be an A100", "0.25.1 gpu_memory_gib=79.6", "max_num_seqs= max_num_batched_tokens="},
		{"an A100", "0.25.1 gpu_memory_gib=79.6 gpu_name=A100-SXM4", "max_num_seqs=256 max_num_batched_tokens=2048"},
		{"an H100", "0.25.1 gpu_memory_gib=79.6 gpu_name=H100", "max_num_seqs=1024 max_num_batched_tokens=8192"},
		{"an A100 before 0.9", "0.8.5 gpu_memory_gib=79.6", "max_num_seqs=1024 max_num_batched_tokens=8192"},
		{"a B200", "0.33.0 gpu_memory_gib=180", "max_num_seqs=1024 max_num_batched_tokens=16384"},
		{"a B200 before it was read", "0.30.0 gpu_memory_gib=180", "max_num_seqs=1024 max_num_batched_tokens="},
		{"no GPU seen", "0.25.1", "max_num_seqs= max_num_batched_tokens= gpu_memory_utilization=0.92 enforce_eager=false"},
		{"a CPU", "0.32.0 backend=cpu", "max_num_seqs=128 max_num_batched_tokens=2048"},
		{"two CPU ranks", "0.32.0 backend=cpu tensor_parallel_size=2", "max_num_seqs=256 max_num_batched_tokens=4096"},
		{"throughput mode doubles", "0.25.1 gpu_memory_gib=140 performance_mode=throughput", "max_num_seqs=2048 max_num_batched_tokens=16384"},
		{"a small budget that was set caps the sequences", "0.25.1 gpu_memory_gib=140 max_num_batched_tokens=128", "max_num_seqs=128 max_num_batched_tokens="},
		{"without chunks the budget holds a whole prompt", "0.25.1 gpu_memory_gib=140 enable_chunked_prefill=false max_model_len=32768", "max_num_batched_tokens=32768"},
		{"without chunks and with an unknown length", "0.25.1 gpu_memory_gib=140 enable_chunked_prefill=false", "max_num_batched_tokens="},
		{"V0", "0.7.3", "max_num_seqs=256 enable_prefix_caching=false gpu_memory_utilization=0.9"},
		{"at least 0.24", ">=0.24", "gpu_memory_utilization=0.92 max_num_queued_reqs="},
		{"the version could be on either side", ">=0.10", "gpu_memory_utilization="},
		{"an unknown version", "unknown", "gpu_memory_utilization= tensor_parallel_size=1 swap_space="},
		{"removed knobs have none", "0.25.1", "swap_space= max_num_partial_prefills=1"},
		{"what is known already is left out", "0.25.1 tensor_parallel_size=4", "tensor_parallel_size="},
		{"graphs are off in eager mode", "0.25.1 gpu_memory_gib=140 enforce_eager=true", "cudagraph_mode="},
		{"graphs are on", "0.25.1 gpu_memory_gib=140", "cudagraph_mode=FULL_AND_PIECEWISE"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			version, in, _ := strings.Cut(tt.in, " ")
			got := c.Defaults("vllm", version, facts(in))
			want := texts(tt.want)
			for id := range want {
				if diff := cmp.Diff(want[id], got[id].Text); diff != "" {
					t.Errorf("%s: %s", id, diff)
				}
			}
		})
	}
}

func TestADefaultSaysWhoseItIs(t *testing.T) {
	got := catalog(t).Defaults("vllm", "0.25.1", nil)["tensor_parallel_size"]
	want := model.Fact{Text: "1", Num: 1, IsNum: true, From: "default of vllm 0.25.1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestFromLabels(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a number of sixteen digits is said with four", "kv_cache_max_concurrency=1.1428571428571428", "kv_max_concurrency=1.143"},
		{"a real label set", "block_size=16 cache_dtype=auto enable_prefix_caching=True gpu_memory_utilization=0.85 kv_cache_max_concurrency=26.05 kv_cache_memory_bytes=None kv_cache_size_tokens=853552 num_gpu_blocks=53347 num_gpu_blocks_override=None", "block_size=16 enable_prefix_caching=true gpu_memory_utilization=0.85 kv_cache_dtype=auto kv_capacity_tokens=853552 kv_max_concurrency=26.05"},
		{"before 0.24 the capacity is blocks times size", "block_size=16 num_gpu_blocks=100", "block_size=16 kv_capacity_tokens=1600"},
		{"an override can only have been set by somebody", "block_size=32 num_gpu_blocks=2048 num_gpu_blocks_override=1024", "block_size=32 kv_capacity_tokens=32768 num_gpu_blocks_override=1024*"},
		{"nothing", "", ""},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, show(c.FromLabels("vllm", texts(tt.in)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a change that can be made", "0.25.1 | max_num_seqs=8 max_num_batched_tokens=8192 | max_num_seqs=64", ""},
		{"already set", "0.25.1 | gpu_memory_utilization=0.9 | gpu_memory_utilization=0.90", "--gpu-memory-utilization is already 0.9"},
		{"removed in the running version", "0.25.1 | | swap_space=8", "--swap-space was removed in vllm 0.18"},
		{"not there yet", "0.25.1 | | max_num_queued_reqs=100", "--max-num-queued-reqs needs vllm 0.29 or newer"},
		{"out of range", "0.25.1 | | gpu_memory_utilization=1.2", "--gpu-memory-utilization 1.2 is above 1, the most allowed"},
		{"no whole number", "0.25.1 | | max_num_seqs=8.5", "--max-num-seqs 8.5 is not a whole number"},
		{"no number", "0.25.1 | | max_num_seqs=many", `--max-num-seqs: "many" is not a number`},
		{"no such word", "0.25.1 | | scheduling_policy=lifo", "--scheduling-policy lifo is none of fcfs, priority"},
		{"more sequences than a step has tokens", "0.25.1 | max_num_batched_tokens=128 | max_num_seqs=256", "--max-num-batched-tokens: a step must hold one token of every sequence that may run"},
		{"both raised together", "0.25.1 | max_num_batched_tokens=128 | max_num_seqs=256 max_num_batched_tokens=2048", ""},
		{"no chunks and a small budget", "0.25.1 | max_model_len=32768 max_num_batched_tokens=8192 | enable_chunked_prefill=false", "--enable-chunked-prefill: without chunked prefill a step must hold the longest prompt"},
		{"what is not known breaks nothing", "0.25.1 | | max_num_seqs=100000", ""},
		{"one knob twice by two names", "0.25.1 | | max_num_seqs=8 --max_num_seqs=9", "--max-num-seqs is changed twice"},
		{"the share is void beside fixed bytes", "0.25.1 | kv_cache_memory_bytes=1G | gpu_memory_utilization=0.9", "--gpu-memory-utilization: --kv-cache-memory-bytes fixes the pool and makes this share void"},
		{"taking the bytes away in the same go", "0.25.1 | kv_cache_memory_bytes=1G | gpu_memory_utilization=0.9 kv_cache_memory_bytes=none", ""},
		{"taking away what is not there", "0.25.1 | num_gpu_blocks_override=none | num_gpu_blocks_override=", "--num-gpu-blocks-override is not set"},
		{"graphs need eager mode off", "0.25.1 | enforce_eager=true | cudagraph_mode=FULL", "--compilation-config.cudagraph_mode: --enforce-eager turns graphs off; remove it first"},
		{"a part and its whole", `0.25.1 | | speculative_config={} num_speculative_tokens=3`, "--speculative-config.num_speculative_tokens and --speculative-config are changed, which holds it"},
		{"a fact that is no knob may be known", "0.25.1 | backend=cpu | gpu_memory_utilization=0.9", "--gpu-memory-utilization: the CPU backend sizes its cache by VLLM_CPU_KVCACHE_SPACE"},
		{"a knob that does not exist", "0.25.1 | | warp_speed=9", "no knob warp_speed of vllm is known"},
		{"a negative flag", "0.25.1 | enable_prefix_caching=true | --no-enable-prefix-caching=true", ""},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts := strings.Split(tt.in+" ", "|")
			got := c.Check("vllm", strings.TrimSpace(parts[0]), texts(parts[1]), texts(parts[2]))
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFormat(t *testing.T) {
	tests := []struct {
		name, in string
		value    float64
		want     string
	}{
		{"an integer", "max_num_seqs", 63.99, "63"},
		{"no rounding error", "max_num_seqs", 0.1 * 3 * 10, "3"},
		{"a large integer", "kv_cache_memory_bytes", 12345678901, "12345678901"},
		{"a ratio", "gpu_memory_utilization", 0.9, "0.90"},
		{"a boolean", "enforce_eager", 1, "true"},
		{"gibibytes", "kv_offloading_size", 12.3456, "12.35"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.Format("vllm", tt.in, tt.value); got != tt.want {
				t.Errorf("%v is written %s, want %s", tt.value, got, tt.want)
			}
		})
	}
}

func TestRollback(t *testing.T) {
	tests := []struct {
		name string
		in   model.Fact
		want string
	}{
		{"it was set", model.Fact{Text: "8", Explicit: true}, "start again with --max-num-seqs 8"},
		{"it was at its default", model.Fact{Text: "256"}, "start again without --max-num-seqs"},
		{"nobody knows", model.Fact{}, "start again with --max-num-seqs as it was"},
	}
	k, _ := catalog(t).Knob("vllm", "max_num_seqs")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, k.Rollback(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSetting(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a number", "max_num_seqs=64", "--max-num-seqs 64"},
		{"on", "enable_prefix_caching=true", "--enable-prefix-caching"},
		{"off", "enable_prefix_caching=false", "--no-enable-prefix-caching"},
		{"a list", "cudagraph_capture_sizes=1,2,4", "--cudagraph-capture-sizes 1 2 4"},
		{"JSON", `speculative_config={"method":"ngram"}`, `--speculative-config '{"method":"ngram"}'`},
		{"none as a word", "cudagraph_mode=NONE", "--compilation-config.cudagraph_mode NONE"},
		{"taken away", "num_gpu_blocks_override=none", ""},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, value, _ := strings.Cut(tt.in, "=")
			k, ok := c.Knob("vllm", id)
			if !ok {
				t.Fatalf("no knob %s", id)
			}
			if diff := cmp.Diff(tt.want, k.Setting(value)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEveryFaultOfAFileIsReported(t *testing.T) {
	const text = `knobs:
  good:
    flag: --good
    type: int
    effect: e
    cost: c
    seen_in: s
    source: f@1
  bad:
    flag: bad
    type: number
    effect: e
    cost: c
    seen_in: s
    source: f@1
    since: soon
    default: [{versions: "~1", value: x}, {when: goood == 3, value: 1}]
    requires: [{check: bad >= max_good, message: m}]
    part_of: {knob: good, keys: [k]}
`
	_, err := Load(fstest.MapFS{"x.yaml": {Data: []byte(text)}})
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`x.yaml:10:11: bad has flag "bad"`, `x.yaml:11:11: bad has type "number"`, `x.yaml:16:12: soon is no version`,
		`x.yaml:17:26: version range "~1" cannot be read`, "x.yaml:17:50: unknown name goood", "did you mean good?",
		"x.yaml:18:31: unknown name max_good", "x.yaml:19:21: good is no knob of type json",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
}

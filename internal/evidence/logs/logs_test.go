package logs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const corpus = "../../../corpus"

// read gives the facts of a log.
func read(r io.Reader) (Facts, error) {
	l, err := Read(r)
	if err != nil {
		return nil, err
	}
	return l.Facts(), nil
}

// show writes the facts named, in order; an explicit one has a star, an absent one a dash.
func show(facts Facts, names ...string) string {
	var out []string
	for _, name := range names {
		f, ok := facts[name]
		switch {
		case !ok:
			f.Text = "-"
		case f.Explicit:
			f.Text += "*"
		}
		out = append(out, name+"="+f.Text)
	}
	return strings.Join(out, " ")
}

// names takes the names out of what show writes.
func names(want string) []string {
	var out []string
	for field := range strings.FieldsSeq(want) {
		name, _, _ := strings.Cut(field, "=")
		out = append(out, name)
	}
	return out
}

// launch is a start of a server in the lines that matter.
func launch(version, args string) string {
	return "(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:339]  ▄▄ ▄█ █     █     █ ▀▄▀ █  version " + version + "\n" +
		"(APIServer pid=1) INFO 11-23 18:25:53 [api_utils.py:273] non-default args: {" + args + "}\n"
}

// later is a text of 18 o'clock as of another hour.
func later(text string, hour int) string {
	return strings.ReplaceAll(text, " 18:", fmt.Sprintf(" %d:", hour))
}

const (
	initializing = "(EngineCore pid=2) INFO 11-23 18:26:15 [core.py:114] Initializing a V1 LLM engine (v0.25.1) with config: model='m, n', speculative_config=SpeculativeConfig(method='ngram', model=None, num_spec_tokens=8), dtype=torch.bfloat16, max_seq_len=4096, tensor_parallel_size=2, quantization=None, enforce_eager=False, kv_cache_dtype=fp8, device_config=cuda, enable_prefix_caching=False, enable_chunked_prefill=True, compilation_config={'mode': <CompilationMode.VLLM_COMPILE: 3>, 'cudagraph_mode': <CUDAGraphMode.FULL_AND_PIECEWISE: (2, 1)>, 'cudagraph_capture_sizes': [1, 2, 4], 'max_cudagraph_capture_size': 4}\n"
	complete     = "(APIServer pid=1) INFO:     Application startup complete.\n"
	stats        = "(APIServer pid=1) INFO 11-23 18:28:06 [loggers.py:273] Engine 000: Avg prompt throughput: 1.0 tokens/s, Avg generation throughput: 5.9 tokens/s, Running: 63 reqs, Waiting: 0 reqs, GPU KV cache usage: 4.5%, Prefix cache hit rate: 0.0%\n"
)

func TestRecordings(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			"a sequence cap was set", "seqs8-c64",
			"engine_version=0.25.1 backend=cuda max_num_seqs=8* max_num_batched_tokens=8192 gpu_memory_utilization=0.85* max_model_len=32768* enforce_eager=false enable_prefix_caching=true kv_capacity_tokens=853072 kv_max_concurrency=26.03 kv_memory_gib=104.14 model_weights_gib=13.54 cuda_graphs_captured=true attention_backend=FLASH_ATTN num_speculative_tokens=- max_cudagraph_capture_size=16 log_engine_dead=0 log_oom=0",
		},
		{
			"eager mode", "eager-c8",
			"engine_version=0.25.1 backend=cuda max_num_seqs=- max_num_batched_tokens=8192 gpu_memory_utilization=0.85* max_model_len=32768* enforce_eager=true* enable_prefix_caching=true kv_capacity_tokens=853552 kv_max_concurrency=26.05 kv_memory_gib=104.2 model_weights_gib=13.54 cuda_graphs_captured=false attention_backend=FLASH_ATTN num_speculative_tokens=- max_cudagraph_capture_size=0 log_engine_dead=0 log_oom=0",
		},
		{
			"speculation by n-grams", "ngram-c64",
			"engine_version=0.25.1 backend=cuda max_num_seqs=- max_num_batched_tokens=8192 gpu_memory_utilization=0.85* max_model_len=32768* enforce_eager=false enable_prefix_caching=true kv_capacity_tokens=851056 kv_max_concurrency=25.97 kv_memory_gib=103.89 model_weights_gib=13.54 cuda_graphs_captured=true attention_backend=FLASH_ATTN num_speculative_tokens=8* max_cudagraph_capture_size=256* log_engine_dead=0 log_oom=0",
		},
		{
			"a CPU server with a combined capacity line", "d1_budget_small",
			"engine_version=0.32.0 backend=cpu max_num_seqs=16* max_num_batched_tokens=16* gpu_memory_utilization=- max_model_len=4096* enforce_eager=true* enable_prefix_caching=true kv_capacity_tokens=65536 kv_max_concurrency=16 kv_memory_gib=- model_weights_gib=- cuda_graphs_captured=false attention_backend=- num_speculative_tokens=- max_cudagraph_capture_size=- log_engine_dead=0 log_oom=0",
		},
		{
			"only periodic lines", "a2_healthy",
			"engine_version=- backend=cpu max_num_seqs=- max_num_batched_tokens=- gpu_memory_utilization=- max_model_len=- enforce_eager=- enable_prefix_caching=- kv_capacity_tokens=- kv_max_concurrency=- kv_memory_gib=- model_weights_gib=- cuda_graphs_captured=- attention_backend=- num_speculative_tokens=- max_cudagraph_capture_size=- log_engine_dead=0 log_oom=0",
		},
		{
			"an orderly stop is no dead engine", "j_down",
			"engine_version=- backend=cpu max_num_seqs=- max_num_batched_tokens=- gpu_memory_utilization=- max_model_len=- enforce_eager=- enable_prefix_caching=- kv_capacity_tokens=- kv_max_concurrency=- kv_memory_gib=- model_weights_gib=- cuda_graphs_captured=- attention_backend=- num_speculative_tokens=- max_cudagraph_capture_size=- log_engine_dead=0 log_oom=0",
		},
		{
			"two data-parallel engines are one start", "o_dp2",
			"engine_version=0.32.0 backend=cpu max_num_seqs=16* max_num_batched_tokens=2048 gpu_memory_utilization=- max_model_len=4096* enforce_eager=true* enable_prefix_caching=true kv_capacity_tokens=32768 kv_max_concurrency=8 kv_memory_gib=- model_weights_gib=- cuda_graphs_captured=false attention_backend=- num_speculative_tokens=- max_cudagraph_capture_size=- log_engine_dead=0 log_oom=0",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := Open(filepath.Join(corpus, tt.in, "server.log.gz"))
			if err != nil {
				t.Fatal(err)
			}
			facts := l.Facts()
			if diff := cmp.Diff(strings.Fields(tt.want), strings.Fields(show(facts, names(tt.want)...))); diff != "" {
				t.Error(diff)
			}
			if n := facts["log_restarts"].Num; n != 0 {
				t.Errorf("%v restarts seen in one start", n)
			}
		})
	}
}

func TestEveryRecordingIsRead(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus, "*", "server.log.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		if _, err := Open(file); err != nil {
			t.Error(err)
		}
	}
}

func TestLines(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"the Initializing line gives what the engine made of its settings", initializing, "engine_version=0.25.1 max_model_len=4096 tensor_parallel_size=2 quantization=none kv_cache_dtype=fp8 enable_prefix_caching=false cudagraph_mode=FULL_AND_PIECEWISE max_cudagraph_capture_size=4 num_speculative_tokens=8 speculative_method=ngram dtype=bfloat16"},
		{"what was asked for and came true is explicit", launch("0.25.1", "'max_model_len': 4096, 'enable_prefix_caching': True") + initializing, "max_model_len=4096* enable_prefix_caching=false"},
		{"colours are stripped", "\x1b[32mINFO\x1b[0m 01-02 03:04:05 [scheduler.py:1] Chunked prefill is enabled with max_num_batched_tokens=\x1b[1m512\x1b[0m.", "max_num_batched_tokens=512"},
		{"a line of JSON", `{"level":"WARNING","message":"Chunked prefill is enabled with max_num_batched_tokens=512."}`, "max_num_batched_tokens=512 log_warnings=1"},
		{"a container's JSON", `{"log":"WARNING 01-02 03:04:05 [scheduler.py:1] Using max model len 100\n","stream":"stderr"}`, "max_model_len=100 log_warnings=1"},
		{"two capacities are of two ranks: the smaller counts", "GPU KV cache size: 2,000 tokens\nGPU KV cache size: 1,000 tokens", "kv_capacity_tokens=1000"},
		{"one combined line", "INFO 11-23 18:25:53 [a.py:1] GPU + host KV cache size: 1,280 tokens, Maximum concurrency for 1,024 tokens per request: 1.25x", "kv_capacity_tokens=1280 kv_max_concurrency=1.25 backend=cuda"},
		{"V0 logs blocks", "INFO 11-23 18:25:53 llm_engine.py:1] # GPU blocks: 100, # CPU blocks: 10", "kv_capacity_tokens=1600 backend=cuda"},
		{"V0 names the graphics memory by its device", "INFO 11-23 18:25:53 executor_base.py:1] # cuda blocks: 100, # CPU blocks: 10", "kv_capacity_tokens=1600 backend=cuda"},
		{"up to 0.8 every argument is listed", "INFO 01-01 00:00:00 [api_server.py:1] vLLM API server version 0.8.5\nINFO 01-01 00:00:00 [api_server.py:1] args: Namespace(subparser='serve', max_num_seqs=128, max_model_len=None, gpu_memory_utilization=0.9, dispatch=<function f at 0x7f>)", "engine_version=0.8.5 max_num_seqs=128 max_model_len=- gpu_memory_utilization=0.9 log_restarts=0"},
		{"old wording of the attention backend", "Using Flash Attention backend on V1 engine.", "attention_backend=FLASH_ATTN"},
		{"middle wording", "INFO 11-23 18:25:53 [a.py:1] Using AttentionBackendEnum.FLASHINFER backend.", "attention_backend=FLASHINFER"},
		{"asynchronous scheduling turned off", "Async scheduling will be disabled because it cannot be used here", "async_scheduling=false"},
		{"graphs are captured", initializing + "Graph capturing finished in 1 secs, took 0.12 GiB\n" + complete, "cuda_graphs_captured=true"},
		{"serving without having captured", initializing + complete, "cuda_graphs_captured=false"},
		{"still starting: nothing is known of graphs", initializing, "cuda_graphs_captured=-"},
		{"events are counted", stats + "torch.OutOfMemoryError: CUDA out of memory. Tried\nERROR x EngineDeadError\nERROR x EngineCore encountered a fatal error\nFailing 3 request(s) due to KV load failure\nRecovered from KV load failure: 2 request(s) rescheduled\nNo available shared memory broadcast block found in 60 seconds\nNCCL error: unhandled", "log_oom=1 log_engine_dead=2 log_kv_load_failures=5 log_worker_hang=1 log_nccl_error=1"},
		{"naming NCCL is no error of it", stats + "INFO 11-23 18:25:53 [a.py:1] world_size=1 backend=nccl\nINFO 11-23 18:25:53 [a.py:1] vLLM is using nccl==2.27.5", "log_nccl_error=0"},
		{"compilation is not known to be absent where nobody watches", stats, "log_jit_compilation=-"},
		{"compilation is watched", stats + "Kernel JIT monitor activated; monitored JIT compilations during inference will use mode=warn.", "log_jit_compilation=0"},
		{"compilation is seen", stats + "WARNING 11-23 18:25:53 [jit_monitor.py:9] Triton kernel JIT compilation during inference: k", "log_jit_compilation=1"},
		{"nothing secret is taken over", launch("0.25.1", "'api_key': ['s3cret'], 'max_num_seqs': 8"), "max_num_seqs=8* api_key=-"},
		{"arguments cut off in the middle", launch("0.25.1", "'max_num_seqs': 8, 'model': 'x") + stats, "max_num_seqs=8*"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts, err := read(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(facts, names(tt.want)...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheLastStartCounts(t *testing.T) {
	first := launch("0.24.0", "'max_num_seqs': 8") + initializing + stats + "torch.OutOfMemoryError: CUDA out of memory\n"
	tests := []struct{ name, in, want string }{
		{"settings of the first are forgotten", first + later(launch("0.25.1", "'max_num_batched_tokens': 64"), 19), "engine_version=0.25.1 max_num_seqs=- max_num_batched_tokens=64* log_oom=0 log_oom_before_restart=1 log_restarts=1"},
		{"a crash loop", first + later(first, 19) + later(first, 20), "max_num_seqs=8* log_oom=1 log_oom_before_restart=1 log_restarts=1"},
		{"a log without arguments restarts at the engine's line", initializing + complete + later(initializing, 19), "log_restarts=1"},
		{"two engines of one start", launch("0.25.1", "") + initializing + initializing + complete, "log_restarts=0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts, err := read(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, show(facts, names(tt.want)...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAFileThatIsNoLogIsAnError(t *testing.T) {
	for _, in := range []string{"", "hello\nworld\n", "# TYPE vllm:num_requests_running gauge\n", "\x1f\x8bxx"} {
		_, err := Read(strings.NewReader(in))
		if err == nil {
			t.Errorf("%q was read as a log", in)
		}
		if !strings.HasPrefix(in, "\x1f") && (!errors.Is(err, ErrUnrecognised) || !strings.Contains(err.Error(), "\nhint: ")) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestEndlessLinesAreCut(t *testing.T) {
	in := stats + strings.Repeat("x", 3*maxLine) + "\n" + "GPU KV cache size: 1,000 tokens\n"
	facts, err := read(strings.NewReader(in))
	if err != nil || facts["kv_capacity_tokens"].Num != 1000 {
		t.Errorf("the line after an endless one is lost: %v, %v", facts["kv_capacity_tokens"], err)
	}
}

func TestPythonValues(t *testing.T) {
	tests := []struct {
		name, in string
		want     map[string]any
	}{
		{"scalars", `{'a': 1, 'b': 0.5, 'c': True, 'd': None, 'e': 'it''s', "f": "don't", 'g': 'a\'b'}`, map[string]any{"a": 1.0, "b": 0.5, "c": true, "d": nil, "e": "it", "f": "don't", "g": "a'b"}},
		{"nested", `{'a': [1, (2, 3), {'b': 'c'}], 'd': {}}`, map[string]any{"a": []any{1.0, []any{2.0, 3.0}, map[string]any{"b": "c"}}, "d": map[string]any{}}},
		{"enums and objects", `{'a': <M.FULL: (2, 1)>, 'b': C(x=1, y=D(z='q')), 'c': PosixPath('/p'), 'd': torch.float16}`, map[string]any{"a": "FULL", "b": map[string]any{"x": 1.0, "y": map[string]any{"z": "q"}}, "c": "/p", "d": "float16"}},
		{"cut off", `{'a': 1, 'b': [2, 3`, map[string]any{"a": 1.0, "b": []any{2.0, 3.0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, readDict(tt.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(launch("0.25.1", "'max_num_seqs': 8") + initializing + stats))
	f.Add([]byte("non-default args: {'a': [((<x.y: (1)>, {b: C(d=1"))
	f.Add([]byte(`{"message":"{\"log\":\"args: Namespace(a=b(c=[1)\"}"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		facts, err := read(bytes.NewReader(in))
		if err != nil {
			return
		}
		again, err := read(bytes.NewReader(slices.Clone(in)))
		if err != nil || !cmp.Equal(facts, again) {
			t.Errorf("two readings differ: %v", cmp.Diff(facts, again))
		}
		for name, fact := range facts {
			if fact.From != "log" || fact.Num != fact.Num {
				t.Errorf("%s is %+v", name, fact)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	in := launch("0.25.1", "") + initializing + strings.Repeat(stats+"(APIServer pid=1) INFO:     127.0.0.1:5 - \"POST /v1/completions HTTP/1.1\" 200 OK\n", 5000)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := Read(strings.NewReader(in)); err != nil {
			b.Fatal(err)
		}
	}
}

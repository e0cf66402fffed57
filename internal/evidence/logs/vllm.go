package logs

import (
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// pattern is a line that an engine writes. has is a part of it that is looked for first, which is much cheaper.
type pattern struct {
	has  string
	re   *regexp.Regexp
	of   string // the server that alone writes it, "" where others might
	take func(l *Reader, m []string)
}

var vllmLine = regexp.MustCompile(`\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \[?[\w./]+:\d+\]`)

var vllmWarning = regexp.MustCompile(`(?:^|[\s)\]])WARNING \d\d-\d\d \d\d:\d\d:\d\d`)

var vllmPatterns = []pattern{
	{"version ", regexp.MustCompile(`(?:vLLM API server version |[█▀▄] +version )(\d\S*)`), "vllm", func(l *Reader, m []string) {
		l.begins("version")
		l.start.text("engine_version", m[1])
	}},
	{"non-default args", regexp.MustCompile(`non-default args: (\{.*)`), "vllm", func(l *Reader, m []string) {
		l.begins("args")
		maps.Copy(l.start.explicit, l.catalog.FromValues("vllm", readDict(m[1]), "log", true))
	}},
	{"args: Namespace(", regexp.MustCompile(`args: Namespace\((.*)`), "vllm", func(l *Reader, m []string) {
		// Up to 0.8: every argument, those at their default too.
		l.begins("namespace")
		l.values(readPairs(m[1]))
	}},
	{"LLM engine (v", regexp.MustCompile(`Initializing an? (?:V[01] )?LLM engine \(v([^)\s]+)\) with config: (.*)`), "vllm", func(l *Reader, m []string) {
		if l.start.serving && !l.announced {
			l.restart()
		}
		l.start.engine = true
		l.start.text("engine_version", m[1])
		l.config(readPairs(m[2]))
	}},
	{"Chunked prefill is enabled", regexp.MustCompile(`Chunked prefill is enabled with max_num_batched_tokens=(\d+)`), "vllm", func(l *Reader, m []string) {
		l.start.number("max_num_batched_tokens", number(m[1]))
		l.start.flag("enable_chunked_prefill", true)
	}},
	{"Using max model len", regexp.MustCompile(`Using max model len (\d+)`), "vllm", func(l *Reader, m []string) {
		l.start.number("max_model_len", number(m[1]))
	}},
	{"KV cache size", regexp.MustCompile(`([A-Z]+)(?: \+ host)? KV cache size: ([\d,]+) tokens`), "vllm", func(l *Reader, m []string) {
		l.start.engine = true
		l.backend(m[1])
		l.start.least("kv_capacity_tokens", number(m[2]))
	}},
	{"Maximum concurrency", regexp.MustCompile(`Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x`), "vllm", func(l *Reader, m []string) {
		l.start.least("kv_max_concurrency", number(m[2]))
	}},
	{" blocks: ", regexp.MustCompile(`# (\w+) blocks: (\d+), # CPU blocks: \d+`), "vllm", func(l *Reader, m []string) {
		l.start.engine = true
		l.backend(strings.ToUpper(m[1]))
		l.start.v0Blocks = number(m[2])
	}},
	{"estimated maximum model length", regexp.MustCompile(`estimated maximum model length is (\d+)`), "vllm", func(l *Reader, m []string) {
		l.start.number("log_length_fits", number(m[1]))
	}},
	{"Available KV cache memory", regexp.MustCompile(`Available KV cache memory: ([\d.]+) Gi?B`), "vllm", func(l *Reader, m []string) {
		l.start.least("kv_memory_gib", number(m[1]))
	}},
	{"oading", regexp.MustCompile(`(?:Model loading took|Loading model weights took) ([\d.]+) Gi?B`), "vllm", func(l *Reader, m []string) {
		l.start.most("model_weights_gib", number(m[1]))
	}},
	{"Graph capturing finished", regexp.MustCompile(`Graph capturing finished in (\d+) secs?(?:, took ([\d.]+) GiB)?`), "vllm", func(l *Reader, m []string) {
		l.start.graphs = true
		l.start.most("graph_capture_s", number(m[1]))
		if m[2] != "" {
			l.start.most("graph_memory_gib", number(m[2]))
		}
	}},
	{"cudagraph_mode", regexp.MustCompile(`CUDAGraphMode\.(\w+) is not supported.*?setting cudagraph_mode=(\w+)|Overriding cudagraph_mode (?:from (\S+) )?to (\w+)`), "vllm", func(l *Reader, m []string) {
		l.downgraded(m[1]+m[3], m[2]+m[4])
	}},
	{"Skipping CUDA graph", regexp.MustCompile(`Skipping CUDA graph capture`), "vllm", func(l *Reader, _ []string) { l.start.eager = true }},
	{"Enforce eager set", regexp.MustCompile(`Enforce eager set, disabling torch\.compile`), "vllm", func(l *Reader, _ []string) { l.start.eager = true }},
	{"synchronous scheduling is", regexp.MustCompile(`Asynchronous scheduling is (enabled|disabled)`), "vllm", func(l *Reader, m []string) {
		l.start.flag("async_scheduling", m[1] == "enabled")
	}},
	{"Async scheduling", regexp.MustCompile(`Async scheduling (?:will be|is) disabled`), "vllm", func(l *Reader, _ []string) {
		l.start.flag("async_scheduling", false)
	}},
	{"disabling stats logging", regexp.MustCompile(`AsyncLLM created with api_server_count more than 1; disabling stats logging`), "vllm", func(l *Reader, _ []string) {
		l.start.flag("log_stats_disabled", true)
	}},
	{"Defaulting api_server_count", regexp.MustCompile(`Defaulting api_server_count to data_parallel_size(?:_local)? \((\d+)\)`), "vllm", func(l *Reader, m []string) {
		l.start.number("api_server_count", number(m[1]))
	}},
	{" backend", regexp.MustCompile(`Using (\w+) attention backend|Using ([\w ]+?) backend on V1 engine|Using (?:AttentionBackendEnum\.)?([A-Z][A-Z0-9_]+) backend\.|Using (Flash Attention|XFormers|Flashinfer|FlashInfer|Torch SDPA|Triton MLA) backend\.`), "vllm", func(l *Reader, m []string) {
		l.start.text("attention_backend", attentionBackend(m[1]+m[2]+m[3]+m[4]))
	}},
	{"JIT monitor activated", regexp.MustCompile(`Kernel JIT monitor activated`), "vllm", func(l *Reader, _ []string) { l.start.monitored = true }},
	{"Application startup complete", regexp.MustCompile(`Application startup complete`), "", func(l *Reader, _ []string) { l.serves() }},
	{"[shutdown]", regexp.MustCompile(`\[shutdown\] \w+: start`), "vllm", func(l *Reader, _ []string) {
		if l.start.events["log_engine_dead"] != nil {
			return // cleaning up after the engine
		}
		l.start.stopping = true
		l.start.flag("log_shutdown", true)
	}},
}

var vllmEvents = []event{
	{"log_oom", []string{"out of memory", "Out of memory", "OutOfMemory", "No available memory", "which is larger than the available"}, regexp.MustCompile(`(?:CUDA|HIP) out of memory|torch\.(?:cuda\.)?OutOfMemoryError|No available memory for the cache blocks|KV cache (?:is )?needed, which is larger than the available KV cache memory`), false},
	{"log_engine_dead", []string{"EngineCore encountered", "EngineDead", "EngineCore failed", "ngine core"}, regexp.MustCompile(`EngineCore encountered a fatal error|EngineDeadError|EngineCore failed to start|Engine core initialization failed|engine core exited unexpectedly|[Ee]ngine core proc \S+ died`), false},
	{"log_oom_start", []string{"No available memory", "which is larger than the available"}, regexp.MustCompile(`No available memory for the cache blocks|KV cache (?:is )?needed, which is larger than the available KV cache memory`), false},
	{"log_worker_died", []string{"died", "ActorError", "ActorDied", "WorkerCrashed"}, regexp.MustCompile(`(?:Worker|worker|WorkerProc)\b.{0,80}\bdied\b|RayActorError|ActorDiedError|WorkerCrashedError`), false},
	{"log_preempted", []string{"is preempted by"}, regexp.MustCompile(`is preempted by PreemptionMode\.\w+ mode because there is not enough KV cache space`), false},
	{"log_nccl_error", []string{"NCCL error", "nccl", "DistBackend", "collective operation"}, regexp.MustCompile(`NCCL error|nccl(?:UnhandledCuda|System|Internal|Remote)Error|DistBackendError|collective operation timeout`), false},
	{"log_worker_hang", []string{"broadcast block", "atchdog timeout"}, regexp.MustCompile(`No available shared memory broadcast block found in`), false},
	{"log_jit_compilation", []string{"JIT compilation"}, regexp.MustCompile(`JIT compilation during inference`), false},
	{"log_kv_load_failures", []string{"KV load failure", "transfer failed"}, regexp.MustCompile(`(?:Failing (\d+) request\(s\) due to KV load failure|Recovered from KV load failure: (\d+) request\(s\))`), true},
}

// config reads the Initializing line: what the engine made of its settings.
func (l *Reader) config(values map[string]any) {
	if v, ok := values["device_config"].(string); ok {
		l.backend(strings.ToUpper(v))
		l.start.device = true
	}
	l.values(values)
}

// otherNames are settings that the Initializing line calls differently.
var otherNames = map[string]string{"max_seq_len": "max_model_len", "chunked_prefill_enabled": "enable_chunked_prefill"}

func (l *Reader) values(values map[string]any) {
	for theirs, id := range otherNames {
		if v, ok := values[theirs]; ok {
			values[id] = v
		}
	}
	facts := l.catalog.FromValues("vllm", values, "log", false)
	delete(facts, "compilation_config") // pages of text; its parts are facts of their own
	if len(values) > 0 && facts["cudagraph_mode"].Text == "NONE" {
		l.start.eager = true
	}
	maps.Copy(l.start.facts, facts)
}

// downgraded notes that the engine took another mode of CUDA graphs than was asked for.
func (l *Reader) downgraded(from, to string) {
	from, to = strings.TrimPrefix(from, "CUDAGraphMode."), strings.ToUpper(strings.TrimPrefix(to, "CUDAGraphMode."))
	l.start.text("cudagraph_mode", to)
	l.start.eager = l.start.eager || to == "NONE"
	if from = strings.ToUpper(strings.Trim(from, ".,")); from != to {
		l.start.text("cudagraph_mode_asked", from)
		l.start.flag("log_cudagraph_downgraded", true)
	}
}

// backend notes the device. The configuration knows it best: before 0.32 the lines of a server on the CPU say GPU.
func (l *Reader) backend(device string) {
	if l.start.device {
		return
	}
	switch device {
	case "GPU", "CUDA":
		l.start.text("backend", "cuda")
	default:
		l.start.text("backend", strings.ToLower(device))
	}
}

// attentionBackend spells older names as newer releases do.
func attentionBackend(name string) string {
	switch name {
	case "Flash Attention":
		return "FLASH_ATTN"
	case "Triton", "Triton Attention":
		return "TRITON_ATTN"
	}
	return strings.ToUpper(strings.ReplaceAll(name, " ", "_"))
}

func number(s string) float64 {
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		return 0 // the expressions let numbers through only; "1.2.3" is none
	}
	return n
}

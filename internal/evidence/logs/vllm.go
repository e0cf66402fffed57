package logs

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// pattern is a line that an engine writes. has is a part of it that is looked for first, which is much cheaper.
type pattern struct {
	has  string
	re   *regexp.Regexp
	take func(l *reader, m []string)
}

var vllmLine = regexp.MustCompile(`\b(?:DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \[?[\w./]+:\d+\]`)

var vllmWarning = regexp.MustCompile(`(?:^|[\s)\]])WARNING \d\d-\d\d \d\d:\d\d:\d\d`)

var vllmPatterns = []pattern{
	{"version ", regexp.MustCompile(`(?:vLLM API server version |[█▀▄] +version )(\d\S*)`), func(l *reader, m []string) {
		l.begins("version")
		l.start.text("engine_version", m[1])
	}},
	{"non-default args", regexp.MustCompile(`non-default args: (\{.*)`), func(l *reader, m []string) {
		l.begins("args")
		maps.Copy(l.start.explicit, l.catalog.FromValues("vllm", readDict(m[1]), "log", true))
	}},
	{"args: Namespace(", regexp.MustCompile(`args: Namespace\((.*)`), func(l *reader, m []string) {
		// Up to 0.8: every argument, those at their default too.
		l.begins("namespace")
		l.values(readPairs(m[1]))
	}},
	{"LLM engine (v", regexp.MustCompile(`Initializing an? (?:V[01] )?LLM engine \(v([^)\s]+)\) with config: (.*)`), func(l *reader, m []string) {
		if l.start.serving && !l.announced {
			l.restart()
		}
		l.start.engine = true
		l.start.text("engine_version", m[1])
		l.config(readPairs(m[2]))
	}},
	{"Chunked prefill is enabled", regexp.MustCompile(`Chunked prefill is enabled with max_num_batched_tokens=(\d+)`), func(l *reader, m []string) {
		l.start.number("max_num_batched_tokens", number(m[1]))
		l.start.flag("enable_chunked_prefill", true)
	}},
	{"Using max model len", regexp.MustCompile(`Using max model len (\d+)`), func(l *reader, m []string) {
		l.start.number("max_model_len", number(m[1]))
	}},
	{"KV cache size", regexp.MustCompile(`([A-Z]+)(?: \+ host)? KV cache size: ([\d,]+) tokens`), func(l *reader, m []string) {
		l.start.engine = true
		l.backend(m[1])
		l.start.least("kv_capacity_tokens", number(m[2]))
	}},
	{"Maximum concurrency", regexp.MustCompile(`Maximum concurrency for ([\d,]+) tokens per request: ([\d.]+)x`), func(l *reader, m []string) {
		l.start.least("kv_max_concurrency", number(m[2]))
	}},
	{" blocks: ", regexp.MustCompile(`# (\w+) blocks: (\d+), # CPU blocks: \d+`), func(l *reader, m []string) {
		l.start.engine = true
		l.backend(strings.ToUpper(m[1]))
		l.start.v0Blocks = number(m[2])
	}},
	{"Available KV cache memory", regexp.MustCompile(`Available KV cache memory: ([\d.]+) Gi?B`), func(l *reader, m []string) {
		l.start.least("kv_memory_gib", number(m[1]))
	}},
	{"oading", regexp.MustCompile(`(?:Model loading took|Loading model weights took) ([\d.]+) Gi?B`), func(l *reader, m []string) {
		l.start.most("model_weights_gib", number(m[1]))
	}},
	{"Graph capturing finished", regexp.MustCompile(`Graph capturing finished in`), func(l *reader, _ []string) { l.start.graphs = true }},
	{"Skipping CUDA graph", regexp.MustCompile(`Skipping CUDA graph capture`), func(l *reader, _ []string) { l.start.eager = true }},
	{"Enforce eager set", regexp.MustCompile(`Enforce eager set, disabling torch\.compile`), func(l *reader, _ []string) { l.start.eager = true }},
	{"synchronous scheduling is", regexp.MustCompile(`Asynchronous scheduling is (enabled|disabled)`), func(l *reader, m []string) {
		l.start.flag("async_scheduling", m[1] == "enabled")
	}},
	{"Async scheduling", regexp.MustCompile(`Async scheduling (?:will be|is) disabled`), func(l *reader, _ []string) {
		l.start.flag("async_scheduling", false)
	}},
	{"Defaulting api_server_count", regexp.MustCompile(`Defaulting api_server_count to data_parallel_size(?:_local)? \((\d+)\)`), func(l *reader, m []string) {
		l.start.number("api_server_count", number(m[1]))
	}},
	{" backend", regexp.MustCompile(`Using (\w+) attention backend|Using ([\w ]+?) backend on V1 engine|Using (?:AttentionBackendEnum\.)?([A-Z][A-Z0-9_]+) backend\.|Using (Flash Attention|XFormers|Flashinfer|FlashInfer|Torch SDPA|Triton MLA) backend\.`), func(l *reader, m []string) {
		l.start.text("attention_backend", attentionBackend(m[1]+m[2]+m[3]+m[4]))
	}},
	{"JIT monitor activated", regexp.MustCompile(`Kernel JIT monitor activated`), func(l *reader, _ []string) { l.start.monitored = true }},
	{"Application startup complete", regexp.MustCompile(`Application startup complete`), func(l *reader, _ []string) { l.start.serving = true }},
	{"[shutdown]", regexp.MustCompile(`\[shutdown\] \w+: start`), func(l *reader, _ []string) {
		l.start.stopping = true
		l.start.flag("log_shutdown", true)
	}},
	{"Avg prompt throughput: ", regexp.MustCompile(`Avg prompt throughput: [\d.]+ tokens/s`), func(l *reader, _ []string) { l.start.serving = true }},
	{" KV cache usage: ", regexp.MustCompile(`([A-Z]+)(?: \+ host)? KV cache usage: `), func(l *reader, m []string) { l.backend(m[1]) }},
}

// event is a line that says something is wrong.
type event struct {
	name  string
	re    *regexp.Regexp
	count bool // the groups hold a number to add; else each line counts once
}

var vllmEvents = []event{
	{"log_oom", regexp.MustCompile(`(?:CUDA|HIP) out of memory|torch\.(?:cuda\.)?OutOfMemoryError|No available memory for the cache blocks|KV cache (?:is )?needed, which is larger than the available KV cache memory`), false},
	{"log_engine_dead", regexp.MustCompile(`EngineCore encountered a fatal error|EngineDeadError|EngineCore failed to start|Engine core initialization failed`), false},
	{"log_nccl_error", regexp.MustCompile(`NCCL error|nccl(?:UnhandledCuda|System|Internal|Remote)Error|DistBackendError|collective operation timeout`), false},
	{"log_worker_hang", regexp.MustCompile(`No available shared memory broadcast block found in`), false},
	{"log_jit_compilation", regexp.MustCompile(`JIT compilation during inference`), false},
	{"log_kv_load_failures", regexp.MustCompile(`(?:Failing (\d+) request\(s\) due to KV load failure|Recovered from KV load failure: (\d+) request\(s\))`), true},
}

// eventWords are words of which every event has one; looking for them first is much cheaper than the expressions.
var eventWords = []string{"memory", "OutOfMemory", "EngineDead", "EngineCore", "Engine core", "NCCL", "nccl", "DistBackend", "collective", "JIT", "KV load", "Out of memory", "hit an exception", "atchdog", "transfer failed", "retracted_reqs"}

func (l *reader) line(raw string) {
	text, level := clean(raw)
	hit := false
	for _, p := range l.patterns {
		if !strings.Contains(text, p.has) {
			continue
		}
		if m := p.re.FindStringSubmatch(text); m != nil {
			p.take(l, m)
			hit = true
		}
	}
	if slices.ContainsFunc(eventWords, func(w string) bool { return strings.Contains(text, w) }) {
		hit = l.event(text) || hit
	}
	if level == "WARNING" || strings.Contains(text, "WARNING") && vllmWarning.MatchString(text) {
		l.start.events["log_warnings"]++
	}
	if hit || l.recognised == 0 && vllmLine.MatchString(text) {
		l.recognised++
	}
}

func (l *reader) event(text string) bool {
	hit := false
	for _, e := range l.events {
		m := e.re.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		hit = true
		switch {
		case e.name == "log_engine_dead" && l.start.stopping:
			// The front end calls the engine dead whenever it stops, also when somebody stopped it.
		case e.count:
			l.start.events[e.name] += number(m[1] + m[2])
		default:
			l.start.events[e.name]++
		}
	}
	return hit
}

// config reads the Initializing line: what the engine made of its settings.
func (l *reader) config(values map[string]any) {
	if v, ok := values["device_config"].(string); ok {
		l.backend(strings.ToUpper(v))
	}
	l.values(values)
}

// otherNames are settings that the Initializing line calls differently.
var otherNames = map[string]string{"max_seq_len": "max_model_len", "chunked_prefill_enabled": "enable_chunked_prefill"}

func (l *reader) values(values map[string]any) {
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

func (l *reader) backend(device string) {
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

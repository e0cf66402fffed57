package logs

import (
	"maps"
	"regexp"
)

// sglangPatterns are lines of SGLang 0.4 to 0.5.23. It logs all settings with what it made of them, so that none of them is
// known to be the operator's.
var sglangPatterns = []pattern{
	{"server_args=", regexp.MustCompile(`server_args=(?:ServerArgs\(|(\{))(.*)`), "sglang", func(l *Reader, m []string) {
		l.begins("server_args")
		values := map[string]any{}
		if m[1] == "" {
			values = readPairs(m[2])
		} else if tree := readDict(m[1] + m[2]); tree != nil {
			values = tree
		}
		maps.Copy(l.start.facts, l.catalog.FromValues("sglang", values, "log", false))
	}},
	{"max_total_num_tokens=", regexp.MustCompile(`max_total_num_tokens=(\d+), chunked_prefill_size=(-?\d+|None), max_prefill_tokens=(\d+), max_running_requests=(\d+), context_len=(\d+)`), "sglang", func(l *Reader, m []string) {
		s := l.start
		s.engine = true
		s.least("kv_capacity_tokens", number(m[1]))
		if m[2] != "None" {
			s.number("chunked_prefill_size", number(m[2]))
		}
		s.number("max_prefill_tokens", number(m[3]))
		// Attention that is data-parallel splits the cap among its ranks, and the line is of one rank.
		ranks := 1.0
		if s.facts["enable_dp_attention"].Num == 1 {
			ranks = max(1, s.facts["data_parallel_size"].Num)
		}
		s.number("max_num_seqs", number(m[4])*ranks)
		s.number("max_model_len", number(m[5]))
	}},
	{"KV Cache is allocated", regexp.MustCompile(`KV Cache is allocated\..*?(?:K size: ([\d.]+) GB, V size: ([\d.]+)|KV size: ([\d.]+)) GB`), "sglang", func(l *Reader, m []string) {
		l.start.engine = true
		l.start.most("kv_memory_gib", number(m[1])+number(m[2])+number(m[3]))
	}},
	{"Load weight end", regexp.MustCompile(`Load weight end\. .*mem usage=([\d.]+) GB`), "sglang", func(l *Reader, m []string) {
		l.start.engine = true
		l.start.most("model_weights_gib", number(m[1]))
	}},
	{"KV Cache is allocated", regexp.MustCompile(`KV Cache is allocated\..*?#tokens: (\d+)`), "sglang", func(l *Reader, m []string) {
		l.start.least("kv_capacity_tokens", number(m[1]))
	}},
	{"graph end", regexp.MustCompile(`Capture (?:.*?)(?:CUDA|cuda|cpu|npu) ?graph end\.(?: Time elapsed: ([\d.]+) s)?(?:.*mem usage=([\d.]+) GB)?`), "sglang", func(l *Reader, m []string) {
		l.start.graphs = true
		if m[1] != "" {
			l.start.most("graph_capture_s", number(m[1]))
		}
		if m[2] != "" {
			l.start.most("graph_memory_gib", number(m[2]))
		}
	}},
	{"ttention backend not", regexp.MustCompile(`Attention backend not (?:explicitly )?specified\. Use (\w+) backend by default`), "sglang", func(l *Reader, m []string) {
		l.start.text("attention_backend", m[1])
	}},
	{"fired up and ready", regexp.MustCompile(`The server is fired up and ready to roll`), "sglang", func(l *Reader, _ []string) { l.serves() }},
}

var sglangEvents = []event{
	{"log_oom", []string{"ut of memory"}, regexp.MustCompile(`(?i:out of memory\. Try to lower your batch size)|Out of memory even after retracting`), false},
	{"log_engine_dead", []string{"hit an exception"}, regexp.MustCompile(`(?:Scheduler|TokenizerManager|DetokenizerManager|DataParallelController|TpModelWorkerClient) hit an exception`), false},
	{"log_worker_hang", []string{"broadcast block", "atchdog timeout"}, regexp.MustCompile(`[Ww]atchdog timeout \(`), false},
	{"log_kv_load_failures", []string{"KV load failure", "transfer failed"}, regexp.MustCompile(`(?:Prefill|Decode) transfer failed for request`), false},
	{"log_retracted", []string{"retracted_reqs"}, regexp.MustCompile(`(?:Retract requests|Decode out of memory happened)\.? ?#retracted_reqs: (\d+)`), true},
}

// minDecodes is how many Decode batch lines, one every 40 steps, are enough to speak of a share.
const minDecodes = 10

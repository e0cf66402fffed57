package logs

import (
	"strings"
	"testing"
)

// Lines as SGLang's own format strings give them (0.4.10 and 0.5.23).
const (
	sglangArgs   = "[2026-11-01 10:00:00] server_args=ServerArgs(model_path='m, n', dtype='auto', context_length=None, mem_fraction_static=0.874, max_running_requests=64, chunked_prefill_size=8192, attention_backend='fa3', disable_cuda_graph=False, cuda_graph_bs=[1, 2, 4], dp_size=4, enable_dp_attention=True)\n"
	sglangDict   = "[2026-11-01 10:00:00] server_args={'model_path': 'm', 'mem_fraction_static': 0.8, 'max_running_requests': None, 'disable_radix_cache': True, 'attention_backend': 'triton'}\n"
	sglangCaps   = "[2026-11-01 10:00:40 DP0 TP0] max_total_num_tokens=431021, chunked_prefill_size=8192, max_prefill_tokens=16384, max_running_requests=16, context_len=32768, available_gpu_mem=5.60 GB\n"
	sglangGraphs = "[2026-11-01 10:00:38] Capture cuda graph end. Time elapsed: 4.91 s. mem usage=1.20 GB. avail mem=5.60 GB.\n"
	sglangReady  = "[2026-11-01 10:00:41] The server is fired up and ready to roll!\n"
	decodeGraph  = "[2026-11-01 10:00:42 TP0] Decode batch. #running-req: 16, #token: 9000, token usage: 0.02, cuda graph: True, gen throughput (token/s): 900.10, #queue-req: 40, \n"
	decodeEager  = "[2026-11-01 10:00:42 TP0] Decode batch [41], #running-req: 16, #token: 9000, token usage: 0.02, cuda graph: False, gen throughput (token/s): 900.10, #queue-req: 40, \n"
)

func TestSGLangLines(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{
			"the settings in force, the cap of all ranks", sglangArgs + sglangCaps + sglangGraphs + sglangReady,
			"max_num_seqs=64 chunked_prefill_size=8192 max_prefill_tokens=16384 max_model_len=32768 mem_fraction_static=0.874 kv_capacity_tokens=431021 attention_backend=fa3 data_parallel_size=4 cuda_graphs_captured=true",
		},
		{"settings as a dict", sglangDict + strings.Replace(sglangCaps, "=16,", "=2048,", 1), "max_num_seqs=2048 disable_radix_cache=true attention_backend=triton mem_fraction_static=0.8"},
		{
			"what was loaded and allocated",
			"[2026-11-01 10:00:20 TP0] Load weight end. type=LlamaForCausalLM, dtype=torch.bfloat16, avail mem=60.11 GB, mem usage=15.08 GB.\n[2026-11-01 10:00:30 TP0] KV Cache is allocated. #tokens: 431021, K size: 26.31 GB, V size: 26.31 GB\n",
			"model_weights_gib=15.08 kv_memory_gib=52.62",
		},
		{"steps without a graph", strings.Repeat(decodeGraph, 3) + strings.Repeat(decodeEager, 9), "decode_eager_ratio=0.75"},
		{"too few steps to speak of a share", strings.Repeat(decodeEager, 9), "decode_eager_ratio=-"},
		{
			"retractions are added up",
			"[2026-11-01 10:01:00 TP0] KV cache pool is full. Retract requests. #retracted_reqs: 3, #new_tokens_gained: 900, #new_token_ratio: 0.5 -> 0.7\n[2026-11-01 10:01:00 TP0] Decode out of memory happened. #retracted_reqs: 2, #new_token_ratio: 0.5 -> 0.7\n",
			"log_retracted=5 log_oom=0",
		},
		{"out of memory", "[2026-11-01 10:01:00 TP0] Prefill out of memory. Try to lower your batch size.\n", "log_oom=1"},
		{"a dead scheduler", "[2026-11-01 10:01:00 TP0] Scheduler hit an exception: Traceback (most recent call last):\n", "log_engine_dead=1"},
		{"a watchdog that bites", "[2026-11-01 10:01:00 TP0] Watchdog timeout (self.watchdog_timeout=300)\n", "log_worker_hang=1"},
		{"a KV transfer that failed", "[2026-11-01 10:01:00 TP0] Decode transfer failed for request rank=0 decode_req.req.rid='a' decode_req.req.bootstrap_room=3\n", "log_kv_load_failures=1"},
		{"the settings come once a start", sglangArgs + sglangReady + strings.ReplaceAll(sglangDict+sglangReady, " 10:", " 11:"), "log_restarts=1 max_num_seqs=- disable_radix_cache=true"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts, err := read(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if got := show(facts, names(tt.want)...); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

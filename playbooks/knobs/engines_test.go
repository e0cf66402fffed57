package knobs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFromArgsOfOtherServers(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"what means the same has one id", "sglang --max-running-requests 8 --context-length 32768 --tp 2 --dp-size=4", "data_parallel_size=4* max_model_len=32768* max_num_seqs=8* tensor_parallel_size=2*"},
		{"what does not has its own", "sglang --mem-fraction-static 0.8 --chunked-prefill-size 2048 --schedule-conservativeness 0.3", "chunked_prefill_size=2048* mem_fraction_static=0.8* schedule_conservativeness=0.3*"},
		{"whole prompts", "sglang --chunked-prefill-size -1", "chunked_prefill_size=-1*"},
		{"flags without a value", "sglang --disable-radix-cache --enable-metrics --model-path m", "disable_radix_cache=true* enable_metrics=true*"},
		{"the largest graph of a list", "sglang --cuda-graph-bs 1 2 64", "cuda_graph_bs=1,2,64* cuda_graph_max_bs=64*"},
		{"one role of two", "sglang --disaggregation-mode null", "disaggregation_mode=none*"},
		{"flags that are no knobs are quiet", "sglang --host h --api-key s3cret --dist-init-addr a:1", ""},
		{"a near miss", "sglang --max-runnimg-requests 8", "\nunknown flag --max-runnimg-requests, did you mean --max-running-requests?"},
		{"a file of flags", "sglang --config serve.yaml --tp 2", "tensor_parallel_size=2*\n--config names a file that is not read; flags in it are not known"},
		{"underscores are the spelling", "trtllm m --max_batch_size 64 --tp_size 2 --kv_cache_free_gpu_memory_fraction 0.5", "free_gpu_memory_fraction=0.5* max_num_seqs=64* tensor_parallel_size=2*"},
		{"a beginning is no flag where the server takes none", "trtllm m --max_batch_siz 64", "\nunknown flag --max_batch_siz, did you mean --max_batch_size?"},
		{"a file of settings", "trtllm m --extra_llm_api_options o.yaml", "\n--extra_llm_api_options names a file that is not read; flags in it are not known"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			engine, line, _ := strings.Cut(tt.in, " ")
			l := c.FromArgs(engine, SplitArgs(line))
			if diff := cmp.Diff(tt.want, strings.Join(append([]string{show(l.Facts)}, l.Notes...), "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDefaultsOfOtherServers(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"an H100", "sglang 0.5.9 gpu_memory_gib=79.6", "chunked_prefill_size=8192 cuda_graph_max_bs=256 cuda_graph_max_bs_decode= schedule_policy=fcfs schedule_conservativeness=1"},
		{"four H100", "sglang 0.5.9 gpu_memory_gib=79.6 tensor_parallel_size=4", "cuda_graph_max_bs=512"},
		{"an L40", "sglang 0.5.9 gpu_memory_gib=45", "chunked_prefill_size=4096 cuda_graph_max_bs=32"},
		{"a 5090 before and after its table changed", "sglang 0.5.19 gpu_memory_gib=31.8", "chunked_prefill_size=2048 cuda_graph_max_bs_decode=24"},
		{"the newer one", "sglang 0.5.20 gpu_memory_gib=31.8", "chunked_prefill_size=4096 cuda_graph_max_bs_decode=48 cuda_graph_max_bs="},
		{"a small cap lowers the graphs", "sglang 0.5.23 gpu_memory_gib=79.6 max_num_seqs=8", "cuda_graph_max_bs_decode=8"},
		{"a cap that nobody set", "sglang 0.5.23", "max_num_seqs=2048"},
		{"and one that speculation lowers", "sglang 0.5.23 speculative_algorithm=EAGLE3", "max_num_seqs=48"},
		{"ranks share a chunk", "sglang 0.5.23 gpu_memory_gib=79.6 enable_dp_attention=true", "chunked_prefill_size="},
		{"the first releases", "sglang 0.4.0 gpu_memory_gib=79.6", "chunked_prefill_size=8192 schedule_policy=lpm mem_fraction_static=0.88"},
		{"no GPU seen", "sglang 0.5.23", "chunked_prefill_size= mem_fraction_static= decode_log_interval=40 disable_radix_cache=false"},
		{"a version that is not known", "sglang unknown gpu_memory_gib=79.6", "schedule_conservativeness=1 load_balance_method="},
		{"settings of the file have defaults, too", "trtllm 1.1.0", "max_num_seqs=2048 max_num_batched_tokens=8192 free_gpu_memory_fraction=0.9 capacity_scheduler_policy=GUARANTEED_NO_EVICT enable_block_reuse=true"},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			words := strings.SplitN(tt.in+" ", " ", 3)
			got := c.Defaults(words[0], words[1], facts(words[2]))
			for id, want := range texts(tt.want) {
				if diff := cmp.Diff(want, got[id].Text); diff != "" {
					t.Errorf("%s: %s", id, diff)
				}
			}
		})
	}
}

func TestASettingOfAFileIsWrittenAsItStandsThere(t *testing.T) {
	k, ok := catalog(t).Knob("trtllm", "capacity_scheduler_policy")
	if !ok {
		t.Fatal("no knob")
	}
	if diff := cmp.Diff("scheduler_config: {capacity_scheduler_policy: MAX_UTILIZATION}", k.Setting("MAX_UTILIZATION")); diff != "" {
		t.Error(diff)
	}
}

func TestChangesAreCheckedByTheServerTheyAreFor(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"a word that only another server takes", "sglang 0.5.9 | | kv_cache_dtype=fp8", "--kv-cache-dtype fp8 is none of auto, fp8_e5m2, fp8_e4m3, bf16, bfloat16, fp4_e2m1, mxfp8, nvfp4, fp4_mx_block16"},
		{"a flag of an older release", "sglang 0.5.20 | | cuda_graph_max_bs=64", "--cuda-graph-max-bs was removed in sglang 0.5.20"},
		{"chunks that are off cannot be mixed", "sglang 0.5.9 | chunked_prefill_size=-1 | enable_mixed_chunk=true", "--enable-mixed-chunk: --chunked-prefill-size -1 leaves no chunks to mix"},
		{"a capped pool", "sglang 0.5.9 | max_total_tokens=9000 | mem_fraction_static=0.9", "--mem-fraction-static: --max-total-tokens caps the pool; remove it first"},
		{"both at once", "sglang 0.5.9 | max_total_tokens=9000 | mem_fraction_static=0.9 max_total_tokens=none", ""},
		{"a setting of a file", "trtllm 1.1.0 | capacity_scheduler_policy=GUARANTEED_NO_EVICT | capacity_scheduler_policy=MAX_UTILIZATION", ""},
	}
	c := catalog(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts := strings.Split(tt.in+" ", "|")
			words := strings.Fields(parts[0])
			got := c.Check(words[0], words[1], texts(parts[1]), texts(parts[2]))
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

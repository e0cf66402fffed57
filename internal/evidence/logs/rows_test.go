package logs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Lines as the releases' own format strings give them; those of V0 and of KV transfers as users posted them.
const (
	statsV0   = "INFO 07-24 04:00:31 metrics.py:295] Avg prompt throughput: 558.7 tokens/s, Avg generation throughput: 127.4 tokens/s, Running: 2 reqs, Swapped: 1 reqs, Pending: 5 reqs, GPU KV cache usage: 98.8%, CPU KV cache usage: 10.0%.\n"
	statsFull = "(APIServer pid=1) INFO 06-11 12:33:59 [loggers.py:259] Engine 000: Avg prompt throughput: 430.1 tokens/s, Avg generation throughput: 45.4 tokens/s, Running: 3 reqs, Waiting: 2 reqs, Deferred: 4 reqs, GPU KV cache usage: 40.0%, Prefix cache hit rate: 10.8%, External prefix cache hit rate: 6.3%, MM cache hit rate: 5.0%, KV fetch: 7 waiting to start, 2 in progress, 1 completed waiting\n"
	specNew   = "INFO 11-23 18:50:49 [metrics.py:120] SpecDecoding metrics: Mean acceptance length: 2.50, Accepted throughput: 10.00 tokens/s, Drafted throughput: 40.00 tokens/s, Accepted: 150 tokens, Drafted: 400 tokens, Per-position acceptance rate: 0.800, 0.700, Avg Draft acceptance rate: 37.5%\n"
	transfers = "INFO 11-23 18:50:49 [metrics.py:109] KV Transfer metrics: Num successful transfers=4, Avg xfer time (ms)=38.7, P90 xfer time (ms)=61.5, Avg post time (ms)=6.7, P90 post time (ms)=9.1, Avg MB per transfer=167.0, Throughput (MB/s)=4319.0, Avg number of descriptors=1785.0\n"
	prefill   = "[2026-11-01 10:00:41 TP0] Prefill batch [7], #new-seq: 2, #new-token: 1000, #cached-token: 3000, token usage: 0.40, #running-req: 5, #queue-req: 9, #pending-token: 4096, cuda graph: False, input throughput (token/s): 900.03\n"
	prefill2  = "[2026-11-01 10:01:01 TP0] Prefill batch [8], #new-seq: 2, #new-token: 2000, #cached-token: 0, token usage: 0.45, #running-req: 5, #queue-req: 11, #pending-token: 2048, cuda graph: False, input throughput (token/s): 900.03\n"
	decode    = "[2026-11-01 10:00:42 TP0] Decode batch [41], #running-req: 16, #full token: 9000, full token usage: 0.52, mamba num: 4, mamba usage: 0.61, accept len: 3.12, accept rate: 0.56, cuda graph: True, gen throughput (token/s): 900.10, #queue-req: 40\n"
)

func TestEveryPeriodicLineIsRead(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"V0 says pending and swapped", statsV0, "log_running_max=2 log_waiting_median=5 log_swapped_max=1 log_kv_used_max_ratio=0.988 log_prompt_tokens_per_s=558.7 log_gen_tokens_per_s=127.4 log_stats_lines=1"},
		{"every part of V1", statsFull, "log_running_max=3 log_waiting_max=2 log_deferred_median=4 log_kv_used_median_ratio=0.4 log_prefix_hit_ratio=0.108 log_external_hit_ratio=0.063 log_mm_hit_ratio=0.05 log_kv_fetch_waiting_median=7 log_kv_fetch_running_median=2"},
		{"a part that is missing is absent", strings.Replace(statsFull, ", Prefix cache hit rate: 10.8%", "", 1), "log_prefix_hit_ratio=- log_external_hit_ratio=0.063"},
		{"engines that are aggregated", strings.Replace(statsFull, "Engine 000", "4 Engines Aggregated", 1), "log_running_max=3"},
		{"two engines are added up, the fuller cache counts", statsFull + strings.NewReplacer("Engine 000", "Engine 001", "40.0%", "90.0%").Replace(statsFull), "log_running_max=6 log_waiting_max=4 log_kv_used_max_ratio=0.9"},
		{"another device", strings.Replace(stats, "GPU KV", "XPU KV", 1), "log_kv_used_max_ratio=0.045 backend=xpu"},
		{"V0's hit rate", "INFO 10-16 19:06:01 metrics.py:361] Prefix cache hit rate: GPU: 94.35%, CPU: 0.00%\n", "log_prefix_hit_ratio=0.9435"},
		{"speculation", specNew, "log_acceptance_length=2.5 log_draft_acceptance_ratio=0.375"},
		{"speculation in 0.8", "INFO 04-01 18:50:49 [metrics.py:99] SpecDecoding metrics: Draft acceptance rate: 50.0%, Accepted: 66 tokens, Drafted: 132 tokens\n", "log_draft_acceptance_ratio=0.5 log_acceptance_length=-"},
		{"speculation in V0", "INFO 10-16 19:05:47 metrics.py:367] Speculative metrics: Draft acceptance rate: 0.642, System efficiency: 0.598, Number of speculative tokens: 3, Number of accepted tokens: 8547\n", "log_draft_acceptance_ratio=0.642"},
		{"nothing drafted is no acceptance", strings.NewReplacer("Accepted: 150", "Accepted: 0", "Drafted: 400", "Drafted: 0", "2.50", "1.00", "37.5", "nan").Replace(specNew), "log_draft_acceptance_ratio=-"},
		{"transfers", transfers, "log_kv_transfer_mean_s=0.0387 log_kv_transfer_p90_s=0.0615 log_kv_transfer_bytes_per_s=4319000000 log_kv_transfer_bytes=167000000 log_kv_transfer_parts_mean=1785"},
		{"utilisation", "INFO 11-23 18:50:49 [x.py:1] MFU: 123.4 TF/s/device 2345.6 GB/s/device\n", "log_device_flops=123400000000000 log_device_bytes_per_s=2345600000000"},
		{"iterations", "INFO 11-23 18:50:49 [core.py:1] Iteration(7): 1 context requests, 300 context tokens, 100 generation requests, 100 generation tokens, iteration elapsed time: 45.50 ms\n", "log_step_mean_s=0.0455 log_step_tokens_max=400 log_step_prefill_ratio=0.75"},
		{"SGLang's prefills", prefill, "log_running_max=5 log_waiting_median=9 log_pending_tokens_max=4096 log_kv_used_max_ratio=0.4 log_prefix_hit_ratio=0.75 log_prompt_tokens_per_s=-"},
		{"prompt tokens by two prefills", prefill + prefill2, "log_prompt_tokens_per_s=100 log_prefix_hit_ratio=0.5"},
		{"decodes of a hybrid model: the fullest pool", decode, "log_running_max=16 log_waiting_median=40 log_kv_used_max_ratio=0.61 log_gen_tokens_per_s=900.1 log_acceptance_length=3.12 log_draft_acceptance_ratio=0.56"},
		{"a second rank of the same engine says the same", decode + strings.Replace(decode, "TP0", "TP1", 1), "log_running_max=16"},
		{"attention ranks are engines", strings.Replace(decode, "TP0", "DP0 TP0 EP0", 1) + strings.Replace(decode, "TP0", "DP6 TP6 EP6", 1), "log_running_max=32"},
		{"the decode side of a disaggregated service", "[2026-03-02 14:44:10 TP0] Decode batch, #running-req: 1, #token: 33, token usage: 0.10, pre-allocated usage: 0.20, #prealloc-req: 3, #transfer-req: 4, #retracted-req: 0, cuda graph: True, gen throughput (token/s): 0.04, #queue-req: 0\n", "log_kv_used_max_ratio=0.1 log_preallocated_ratio=0.2 log_decode_prealloc_median=3 log_decode_transfer_median=4"},
		{"the prefill side, old names", "[2026-03-02 14:44:10 TP0] Prefill batch. #new-seq: 1, #new-token: 10, #cached-token: 0, token usage: 0.00, #running-req: 0, #unbootstrapped-req: 2, #queue-req: 0, #transferring-req: 6, \n", "log_prefill_bootstrap_median=2 log_prefill_inflight_median=6"},
		{"the prefill side, new names", "[2026-03-02 14:44:10 TP0] Prefill batch, #new-seq: 1, #new-token: 10, #cached-token: 0, token usage: 0.00, #running-req: 0, #queue-req: 0, #bootstrap-req: 3, #inflight-req: 1, input throughput (token/s): 1.00\n", "log_prefill_bootstrap_median=3 log_prefill_inflight_median=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { told(t, tt.in, tt.want) })
	}
}

// told reads a log and compares the facts that want names.
func told(t *testing.T, in, want string) {
	t.Helper()
	facts, err := read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, show(facts, names(want)...)); diff != "" {
		t.Error(diff)
	}
}

func TestEveryLineOfTheStartIsRead(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"what graphs cost", "Graph capturing finished in 12 secs, took 0.57 GiB\n", "cuda_graphs_captured=true graph_capture_s=12 graph_memory_gib=0.57"},
		{"a server on the CPU whose lines say GPU, as before 0.32", strings.Replace(initializing, "device_config=cuda", "device_config=cpu", 1) + stats, "backend=cpu"},
		{"graphs are skipped", initializing + "WARNING 11-23 18:25:53 [a.py:1] Skipping CUDA graph capture. To turn on CUDA graph capture, set cudagraph_mode\n", "cuda_graphs_captured=false"},
		{"a mode that is not supported", initializing + "WARNING 11-23 18:25:53 [gpu_model_runner.py:1] CUDAGraphMode.FULL_AND_PIECEWISE is not supported with X backend; setting cudagraph_mode=PIECEWISE.\n", "cudagraph_mode=PIECEWISE cudagraph_mode_asked=FULL_AND_PIECEWISE log_cudagraph_downgraded=true"},
		{"a mode that becomes none", initializing + "CUDAGraphMode.FULL is not supported with nccl_alltoall expert-parallel backend; setting cudagraph_mode=NONE.\n", "cudagraph_mode=NONE cuda_graphs_captured=false log_cudagraph_downgraded=true"},
		{"a mode that is overridden", "Overriding cudagraph_mode from FULL to PIECEWISE because of x\n", "cudagraph_mode=PIECEWISE cudagraph_mode_asked=FULL"},
		{"weights in GB and GiB", "Model loading took 13.54 GB and 1.76 seconds\n", "model_weights_gib=13.54"},
		{"several API servers", "(ApiServer_0 pid=1) WARNING 11-23 18:42:38 [loggers.py:1] AsyncLLM created with api_server_count more than 1; disabling stats logging to avoid incomplete stats.\nINFO 11-23 18:42:38 [a.py:1] Defaulting api_server_count to data_parallel_size (4).\n", "log_stats_disabled=true api_server_count=4"},
		{"SGLang's pool by its tokens", "[2026-11-01 10:00:30 TP0] KV Cache is allocated. #tokens: 431021, K size: 26.31 GB, V size: 26.31 GB\n", "kv_capacity_tokens=431021 kv_memory_gib=52.62"},
		{"SGLang's graphs", "[2026-11-01 10:00:38 TP0] Capture decode CUDA graph begin. This can take up to several minutes. avail mem=9.10 GB\n[2026-11-01 10:00:42 TP0] Capture decode CUDA graph end. Time elapsed: 4.91 s. mem usage=1.20 GB. avail mem=7.90 GB.\n", "cuda_graphs_captured=true graph_capture_s=4.91 graph_memory_gib=1.2"},
		{"graphs of another device", strings.Repeat(strings.Replace(decode, "cuda graph: True", "npu graph: False", 1), 10), "decode_eager_ratio=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { told(t, tt.in, tt.want) })
	}
}

func TestEveryKindOfErrorIsCountedAndShown(t *testing.T) {
	tests := []struct{ name, in, want, line string }{
		{"an allocation failed", "ERROR 11-23 18:42:38 [core.py:1] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", "log_oom=1 log_oom_start=0", "log_oom_line=11-23 18:42:38 torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"},
		{"no room for the cache at start", "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`", "log_oom=1 log_oom_start=1", ""},
		{"the longest request does not fit", "ValueError: To serve at least one request with the models's max seq len (131072), (16.00 GiB KV cache is needed, which is larger than the available KV cache memory (9.1 GiB)", "log_oom=1 log_oom_start=1", ""},
		{"a worker died", "(APIServer pid=1) ERROR 11-23 18:42:38 [multiproc_executor.py:1] Worker proc VllmWorker-1 died unexpectedly, shutting down executor.", "log_worker_died=1", "log_worker_died_line=11-23 18:42:38 Worker proc VllmWorker-1 died unexpectedly, shutting down executor."},
		{"the engine was killed, and the front end cleans up", "(APIServer pid=1) WARNING 11-30 18:44:46 [core_client.py:817] [shutdown] MPClient: engine core exited unexpectedly; starting cleanup\n(APIServer pid=1) INFO 11-30 18:44:46 [core_client.py:770] [shutdown] MPClient: start timeout=default\nvllm.v1.engine.exceptions.EngineDeadError: x", "log_engine_dead=2 log_shutdown=-", ""},
		{"the engine died, in older words", "ERROR 11-23 18:42:38 [core_client.py:1] Engine core proc EngineCore_DP0 died unexpectedly, shutting down client.", "log_engine_dead=1 log_worker_died=0", ""},
		{"Ray lost a worker", "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.", "log_worker_died=1", ""},
		{"V0's preemption", "WARNING 01-01 00:00:00 scheduler.py:1] Sequence group 7 is preempted by PreemptionMode.RECOMPUTE mode because there is not enough KV cache space. total_num_cumulative_preemption=51", "log_preempted=1", ""},
		{"an Xid in dmesg", "[ 1843.308145] NVRM: Xid (PCI:0000:44:00): 79, pid=1234, name=python3, GPU has fallen off the bus.", "log_xid_errors=1 log_xid_last=79 log_gpu_errors=0", ""},
		{"an Xid in the journal", "Nov 23 18:42:38 gpu7 kernel: NVRM: Xid (PCI:0000:44:00.0): 31, pid=7, MMU Fault", "log_xid_errors=1 log_xid_last=31", "log_xid_errors_line=11-23 18:42:38 NVRM: Xid (PCI:0000:44:00.0): 31, pid=7, MMU Fault"},
		{"memory of the device", "RuntimeError: CUDA error: uncorrectable ECC error encountered", "log_gpu_errors=1 log_cuda_errors=1", ""},
		{"the kernel kills for memory", "Nov 23 18:42:38 gpu7 kernel: Out of memory: Killed process 4242 (VLLM::EngineCor) total-vm:1kB", "log_host_oom_kills=1 log_oom=0", "log_host_oom_kills_line=11-23 18:42:38 Out of memory: Killed process 4242 (VLLM::EngineCor) total-vm:1kB"},
		{"the kernel kills in a container", "[ 99.1] Memory cgroup out of memory: Killed process 42 (python3) total-vm:1kB", "log_host_oom_kills=1", ""},
		{"the front end waits", "INFO 11-23 18:42:38 [shm_broadcast.py:1] No available shared memory broadcast block found in 60 seconds.", "log_worker_hang=1", ""},
		{"transfers that failed, in the figures", strings.Replace(transfers, "Num successful", "Num failed transfers=3, Num successful", 1), "log_kv_load_failures=3", ""},
		{"SGLang's watchdog", "[2026-11-01 10:01:00 TP0] Watchdog timeout (self.watchdog_timeout=300)", "log_worker_hang=1", "log_worker_hang_line=2026-11-01 10:01:00 Watchdog timeout (self.watchdog_timeout=300)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			told(t, tt.in, tt.want)
			if name, want, ok := strings.Cut(tt.line, "="); ok {
				facts, _ := read(strings.NewReader(tt.in))
				if got := facts[name].Text; got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
		})
	}
}

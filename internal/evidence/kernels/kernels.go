// Package kernels tells by its name what a GPU kernel does. It is pure.
package kernels

import "strings"

// Class is a kind of work on the GPU.
type Class string

// The classes, and what counts as one of them.
const (
	Attention   Class = "attention"   // softmax(QK)V in all its forms, the merging of its splits and linear attention
	GEMM        Class = "gemm"        // dense matrix products, quantised ones and those of adapters
	MoE         Class = "moe"         // the experts' grouped products, routing and permutation; their exchange is a collective
	Norm        Class = "norm"        // RMS and layer norms, with whatever is fused into them
	Elementwise Class = "elementwise" // activations, rotary embedding, quantisation of activations, fused pointwise kernels
	Sampling    Class = "sampling"    // from logits to a token: penalties, masks, sorting, drawing, verifying drafts
	AllReduce   Class = "all-reduce"  // sums over the GPUs that share a layer: NCCL's and the engines' own
	AllToAll    Class = "all-to-all"  // the experts' dispatch and combine, and NCCL's send and receive, of which it is made (pipelines use them, too)
	Collective  Class = "collective"  // other exchange between GPUs: all-gather, reduce-scatter, broadcast
	Copy        Class = "copy"        // memory copies and fills, writes into the KV cache
	Other       Class = "other"       // what no pattern knows
)

// Classes lists every class in the order in which they are shown.
func Classes() []Class {
	return []Class{Attention, GEMM, MoE, Norm, Elementwise, Sampling, AllReduce, AllToAll, Collective, Copy, Other}
}

// Exchanges says whether a class moves data between GPUs, so that its kernels wait for other ranks.
func (c Class) Exchanges() bool { return c == AllReduce || c == AllToAll || c == Collective }

// pattern is a class and what one of its names holds in lower case.
type pattern struct {
	class Class
	parts []string
}

// patterns are asked in this order: the first that fits is the class. A name often holds words of several classes
// (FlashAttention's kernels are CUTLASS's, a fused all-reduce names the norm behind it), so the specific stand first.
var patterns = []pattern{
	{AllReduce, []string{"allreduce", "all_reduce", "all-reduce", "cross_device_reduce", "userbuffers", "quickreduce"}},
	{AllToAll, []string{
		"alltoall", "all_to_all", "all2all", "a2a_", "moea2a", "sendrecv", "deep_ep", "nvshmem", "pplx", "epdispatch", "epcombine",
	}},
	{Collective, []string{"nccl", "rccl", "allgather", "all_gather", "reducescatter", "reduce_scatter", "multimem"}},
	{Copy, []string{
		"memcpy", "memset", "direct_copy", "catarraybatchedcopy", "copy_blocks", "swap_blocks", "_and_cache",
		"appendpagedkvcache", "set_kv_buffer", "store_kv", "storekv", "gather_and_maybe_dequant_cache", "cp_gather_cache",
	}},
	{MoE, []string{
		"moe", "expert", "topkgating", "grouped_topk", "groupproblemshape", "ptrarray", "grouped_gemm", "groupedgemm", "group_gemm",
		"mgrouped", "m_grouped", "expandinputrows", "deepgemm_permute", "ep_scatter", "ep_gather",
		"gemmtype)1", "gemmtype)2", "_dynb_", "doactivationkernel", "dogatedactivationkernel", // DeepGEMM's and TensorRT-LLM's grouped products
	}},
	{Sampling, []string{
		"::sampling", "samplingfrom", "_sampl", "gumbel", "argmax", "multinomial", "repetition_penalties", "_penalties", "token_bitmask",
		"topktopp", "topk_topp", "top_k", "top_p", "min_p", "gathertopk", "mbtopk", "topk_log_softmax", "log_softmax", "cunn_softmax",
		"rejection", "verify_tree", "_post_update_kernel", "temperature_kernel", "radixsort", "bitonicsort", "sampled_and_draft", "renormprob", "maskedlogits",
		"toppsampl", "topksampl", "topkstage", "applypenalty", "distribution_elementwise", "scan_innermost_dim", // torch draws, and adds probabilities up for top-p
	}},
	{Attention, []string{
		"attention", "flash::", "flash_fwd", "flashattn", "flash_attn", "fmha", "_mha", "mha_", "multihead", "kvcachekernel", "attn_fwd", "attn_kernel",
		"mergestate", "merge_state", "merge_attn", "reduce_segments", "_fwd_grouped_kernel", "_fwd_kernel", "flash_mla", "flashmla",
		"mla_kernel", "mla_prefill", "mla_decode", "::mla_", "get_mla_metadata", "_sdpa_", "mqa_logits", "fwd_splitkv", "selective_scan", "delta_rule", "causal_conv1d", "_chunk_scan",
		"_state_passing", "_chunk_state", "_bmm_chunk",
	}},
	{GEMM, []string{
		"gemm", "gemv", "nvjet", "matmul", "cutlass", "marlin", "machete", "cublas", "cijk_", "splitkreduce", "wvsplitk", "scaled_mm",
		"triton_tem", "bmm_", "_mm_kernel", "bgmv", "sgmv", "_lora_", "xmma", "gptq", "awq", "mul_mat", "dequantize_block", "kdequantizeblockwise",
		"dequantize_weights",
	}},
	{Norm, []string{"rms_norm", "rmsnorm", "layer_norm", "layernorm", "qk_norm", "qknorm", "l2norm", "groupnorm", "pow_rsqrt"}}, // inductor names its norms by their operations
	{Elementwise, []string{
		"elementwise", "act_and_mul", "silu", "gelu", "swiglu", "rotary", "rope", "scaled_fp8_quant", "scaled_int8_quant", "group_quant",
		"token_quant", "fp4_quant", "cvt_fp16_to_fp4", "quantize", "triton_poi", "triton_per_fused", "triton_red_fused",
	}},
}

// ClassOf tells what the kernel of a name does. It takes names as profilers give them: demangled with their template
// arguments, shortened, or mangled; and the profilers' own names of copies ("Memcpy HtoD", "[CUDA memset]").
func ClassOf(name string) Class {
	name = strings.ToLower(name)
	for _, p := range patterns {
		for _, part := range p.parts {
			if strings.Contains(name, part) {
				return p.class
			}
		}
	}
	return Other
}

// unpacking are parts of names of kernels that unpack quantised weights at every use and have a faster successor:
// AWQ's and GPTQ's own, bitsandbytes', GGUF's.
var unpacking = []string{
	"gemm_forward_4bit_cuda", "dequantize_weights", "awq_gemm", "awq_dequantize", "gemm_half_q_half_gptq", "gemm_half_q_half_alt",
	"reconstruct_gptq", "reconstruct_exllama", "kdequantizeblockwise", "kgemm_4bit_inference", "dequantize_block_q", "dequantize_block_iq",
	"mul_mat_q", "mul_mat_vec_q", "moe_q", "moe_vec_q",
}

// UnpacksWeights says whether a kernel belongs to the older ways of serving quantised weights, which unpack them in
// every step: AWQ and GPTQ without Marlin, bitsandbytes, GGUF.
func UnpacksWeights(name string) bool {
	name = strings.ToLower(name)
	for _, part := range unpacking {
		if strings.Contains(name, part) {
			return true
		}
	}
	return false
}

// Short cuts a name, whose template arguments run to pages, to n characters, and takes line breaks out.
func Short(name string, n int) string {
	name = strings.Join(strings.Fields(name), " ")
	if r := []rune(name); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return name
}

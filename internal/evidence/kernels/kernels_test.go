package kernels

import (
	"slices"
	"testing"
)

func TestClassOf(t *testing.T) {
	tests := []struct {
		in   string
		want Class
	}{
		// seen in profiles of vLLM 0.25 on an H200
		{"void cutlass::device_kernel<flash::enable_sm90_or_later<flash::FlashAttnFwdSm90<flash::CollectiveMainloopFwdSm90<2, cute::tuple<cute::C<1>, cute::C<1>, cute::C<1> >, cute::tuple<cute::C<64>, cute::C<128>, cute::C<128> >, 128, cutlass::bfloat16_t, float", Attention},
		{"void cutlass::device_kernel<flash::FlashAttnFwdCombine<cute::tuple<cute::C<8>, cute::C<128> >, 5, 256, 1, false, true, cutlass::bfloat16_t, float, cutlass::arch::Sm90> >(flash::FlashAttnFwdCombine<cute::tuple<cute::C<8>, cute::C<128> >, 5, 256, 1, false, true, cutlass::bfloat16_t, float, cutlass::arch::Sm90>::Params)", Attention},
		{"void flash::prepare_varlen_num_blocks_kernel<1, false>(int, int, int, int const*, int const*)", Attention},
		{"nvjet_sm90_tst_128x8_64x12_2x1_v_bz_splitK_TNT", GEMM},
		{"nvjet_sm90_tst_320x128_64x3_1x2_h_bz_coopB_TNT", GEMM},
		{"void cublasLt::splitKreduce_kernel<32, 16, int, float, __nv_bfloat16, float, __nv_bfloat16, false, float, __nv_bfloat16, __nv_bfloat16, true, false, false, false>(cublasLt::cublasSplitKParams<float>", GEMM},
		{"void vllm::act_and_mul_kernel<c10::BFloat16, __nv_bfloat162, &(c10::BFloat16 vllm::silu_kernel<c10::BFloat16>(c10::BFloat16 const&, float)), true>", Elementwise},
		{"std::enable_if<(((8)>(0)))&&vllm::_typeConvert<c10::BFloat16>::exists, void>::type vllm::fused_add_rms_norm_kernel<c10::BFloat16, 8, true>(c10::BFloat16*, long)", Norm},
		{"void vllm::rotary_embedding_kernel<c10::BFloat16, c10::BFloat16, true>(long const*, c10::BFloat16*)", Elementwise},
		{"void vllm::reshape_and_cache_flash_kernel<__nv_bfloat16, __nv_bfloat16, (vllm::Fp8KVCacheDataType)0>(__nv_bfloat16 const*)", Copy},
		{"triton_red_fused_fused_add_rms_norm_2", Norm},
		{"triton_red_fused__to_copy_embedding_rms_norm_0", Norm},
		{"triton_poi_fused_mul_silu_slice_1", Elementwise},
		{"triton_poi_fused_3", Elementwise},
		{"_gumbel_sample_kernel", Sampling},
		{"_get_num_sampled_and_rejected_kernel", Sampling},
		{"_combine_sampled_and_draft_tokens_kernel", Sampling},
		{"_post_update_kernel", Sampling},
		{"void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float, at::native::ArgMaxOps<float>, unsigned int, long, 4, 4> >(at::native::ReduceOp<float, at::native::ArgMaxOps<float>, unsigned int, long, 4, 4>)", Sampling},
		{"void at::native::unrolled_elementwise_kernel<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase&)::{lambda()#3}::operator()() const", Copy},
		{"void at::native::vectorized_elementwise_kernel<4, at::native::FillFunctor<int>, std::array<char*, 1ul> >(int, at::native::FillFunctor<int>, std::array<char*, 1ul>)", Elementwise},
		{"void at::vectorized_elementwise_kernel<8, at::<unnamed>::silu_kernel(at::TensorIteratorBase &)::[lambda() (instance 1)]::operator ()() const", Elementwise},
		{"void at::native::(anonymous namespace)::indexSelectSmallIndex<c10::BFloat16, long, unsigned int, 2, 2, -2>(at::cuda::detail::TensorInfo<c10::BFloat16, unsigned int>)", Other},
		{"_gather_block_tables_kernel", Other},
		{"_compute_slot_mappings_kernel", Other},
		{"_prepare_pos_seq_lens_kernel", Other},
		{"memcpy32_post", Copy},
		{"Memcpy HtoD (Pinned -> Device)", Copy},
		{"Memset (Device)", Copy},
		{"[CUDA memcpy Device-to-Host]", Copy},
		// attention of other engines, backends and cards
		{"void flash_fwd_splitkv_kernel<Flash_fwd_kernel_traits<128, 64, 128, 4, false, false, cutlass::bfloat16_t>", Attention},
		{"void pytorch_flash::flash_fwd_kernel<Flash_fwd_kernel_traits<64, 128, 128, 4, false, false, cutlass::half_t>", Attention},
		{"void flashinfer::BatchDecodeWithPagedKVCacheKernel<(flashinfer::PosEncodingMode)0, 2u, 4u, 8u, 16u, 1u, 8u>", Attention},
		{"void flashinfer::BatchPrefillWithRaggedKVCacheKernel<flashinfer::KernelTraits<(flashinfer::MaskMode)1, 128u>", Attention},
		{"void flashinfer::PersistentVariableLengthMergeStatesKernel<8u, 16u, 8u, 4u, float, __nv_bfloat16, int>", Attention},
		{"kernel_unified_attention_2d", Attention},
		{"void vllm::paged_attention_v2_reduce_kernel<uint16_t, 128, 128, 512>", Attention},
		{"fmhaSm100fKernel_QkvBfloat16OBfloat16H128PagedKvCausalP16VarSeqQ128Kv128PersistentContext", Attention},
		{"fmha_cutlassF_f16_aligned_64x128_rf_sm80", Attention},
		{"void mmha::masked_multihead_attention_kernel<unsigned short, 128>", Attention},
		{"void flash_fwd_splitkv_mla_kernel<Flash_fwd_kernel_traits_mla<576, 64, 64, 8, cutlass::bfloat16_t, 512>", Attention},
		{"_fwd_grouped_kernel_stage1", Attention},
		{"triton_tem_fused_flex_attention_0", Attention},
		{"cudnn_generated_fort_native_sdpa_sm90_flash_fprop_wgmma_f16_knob_7_64x128x128_4x1x1_kernel0_0", Attention},
		{"sm90_fp8_paged_mqa_logits", Attention},
		{"fused_recurrent_gated_delta_rule_fwd_kernel", Attention},
		// matrix products
		{"void cutlass::Kernel2<cutlass_80_wmma_tensorop_bf16_s161616gemm_bf16_32x32_128x2_tn_align8>(cutlass_80_wmma_tensorop_bf16_s161616gemm_bf16_32x32_128x2_tn_align8::Params)", GEMM},
		{"void cutlass::device_kernel<enable_sm90_or_later<cutlass::gemm::kernel::GemmUniversal<cute::tuple<int, int, int, int>, cutlass::gemm::collective::CollectiveMma<", GEMM},
		{"ampere_bf16_s16816gemm_bf16_128x64_ldg8_f2f_stages_64x4_tn", GEMM},
		{"sm90_xmma_gemm_bf16bf16_bf16f32_f32_tn_n_tilesize64x64x64_warpgroupsize1x1x1_execute_segment_k_off_kernel__5x_cublas", GEMM},
		{"void gemv2T_kernel_val<int, int, __nv_bfloat16, __nv_bfloat16, __nv_bfloat16, float, 128, 16, 4, 4, false, false>", GEMM},
		{"void deep_gemm::sm90_fp8_gemm_1d2d_impl<0u, 7168u, 2048u, 1u, 64u, 128u, 128u>", GEMM},
		{"void marlin::Marlin<__nv_bfloat16, 1125899906843140l, 256, 1, 8, 8, true, 4, 8, false>", GEMM},
		{"triton_tem_fused_mm_4", GEMM},
		{"_w8a8_block_fp8_matmul", GEMM},
		{"Cijk_Alik_Bljk_BBS_BH_Bias_HAS_SAV_UserArgs_MT256x16x128", GEMM},
		{"_lora_shrink_kernel", GEMM},
		{"void gemm_forward_4bit_cuda_m16nXk32<128>(int, int, __half*, int*", GEMM},
		{"void kDequantizeBlockwise<__nv_bfloat16, 512, 64, 8, 2>(float*, unsigned char*", GEMM},
		// experts
		{"fused_moe_kernel", MoE},
		{"void marlin_moe_wna16::Marlin<__nv_bfloat16, 1125899906843140l, 256, 1, 8, 8, 4>", MoE},
		{"void vllm::moe::topkGatingSoftmax<4, 128, 4, 16, 64, int>", MoE},
		{"void moe_align_block_size_kernel<int>(int const*, int*, int*, int*, int, int, int, int, unsigned long, int*)", MoE},
		{"void cutlass::device_kernel<cutlass::gemm::kernel::GemmUniversal<cutlass::gemm::GroupProblemShape<cute::tuple<int, int, int> >", MoE},
		{"void deep_gemm::sm90_fp8_gemm_1d2d_impl<(deep_gemm::GemmType)1, MGroupedContiguous>", MoE},
		// collectives
		{"ncclDevKernel_AllReduce_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)", AllReduce},
		{"ncclDevKernel_AllGather_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Collective},
		{"void vllm::cross_device_reduce_1stage<__nv_bfloat16, 8>(vllm::RankData*, vllm::RankSignals", AllReduce},
		{"void flashinfer::trtllm_allreduce_fusion::allreduce_fusion_kernel_oneshot_lamport<(AllReduceFusionPattern)1, __nv_bfloat16, 4, true> RMSNorm", AllReduce},
		{"multimem_all_reduce_kernel", AllReduce},
		{"void deep_ep::intranode::dispatch<8, 768, 8192>(int4*, float*, int*", AllToAll},
		{"void deep_ep::internode_ll::combine<false, 3, 7168, 9>(void*, void*", AllToAll},
		{"ncclDevKernel_ReduceScatter_Sum_bf16_RING_LL(ncclDevKernelArgsStorage<4096ul>)", Collective},
		{"ncclSymkDevKernel_AllReduce_RSxLD_AGxST_bf16", AllReduce},
		{"ncclKernel_AllReduce_RING_LL_Sum_half(ncclWorkElem)", AllReduce},
		{"void tensorrt_llm::kernels::twoShotAllReduceKernel<__nv_bfloat16, 8, true>", AllReduce},
		{"void quickreduce::allreduce_prototype_twoshot<quickreduce::AllReduceTwoshot<half>>", AllReduce},
		{"ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)", AllToAll},
		{"void tensorrt_llm::kernels::moe_comm::moeAllToAllKernel<int>", AllToAll},
		{"void tensorrt_llm::kernels::moe_alltoall::moeA2ADispatchKernel<8>", AllToAll},
		{"a2a_combine_recv_kernel", AllToAll},
		{"void nvshmemi_transfer_rma_kernel", AllToAll},
		{"void mori::moe::EpDispatchIntraNodeKernel<hip_bfloat16>", AllToAll},
		// SGLang, TensorRT-LLM, FlashInfer on Hopper, DeepGEMM, Inductor
		{"void flashinfer::PrefillWithKVCacheKernel<flashinfer::CollectiveMainloop<", Attention},
		{"_fwd_kernel_stage2", Attention},
		{"sparse_mla_prefill_mg_dual_kernel", Attention},
		{"void aiter::mla_dec_stage1_bf16_a16w16", Attention},
		{"void sm90::fwd::sparse_attn_fwd_kernel<576>", Attention},
		{"StoreKVCacheKernel<256>", Copy},
		{"indexer_k_quant_and_cache_kernel", Copy},
		{"void deep_gemm::sm100_fp8_gemm_1d1d_impl<0u, 4096u, 7168u, (deep_gemm::GemmType)2>", MoE},
		{"void deep_gemm::sm100_fp8_gemm_1d1d_impl<0u, 4096u, 7168u, (deep_gemm::GemmType)0>", GEMM},
		{"bmm_MxE4m3_MxE2m1MxE4m3_Fp32_t128x16x256u2_s4_et128x16_transOut_dynB_sm100f", MoE},
		{"bmm_Bfloat16_Bfloat16Bfloat16_Fp32_t128x8x128_s6_et64x8_sm100a", GEMM},
		{"void tensorrt_llm::kernels::cutlass_kernels::doActivationKernel<__nv_bfloat16>", MoE},
		{"moe_fused_gate_kernel", MoE},
		{"_fwd_kernel_ep_gather", MoE},
		{"triton_tem_fused__to_copy_mm_t_7", GEMM},
		{"void machete::machete_gemm", GEMM},
		{"triton_red_fused__to_copy_add_mean_mul_pow_rsqrt_1", Norm},
		{"void tensorrt_llm::kernels::generalRmsNorm<__nv_bfloat16>", Norm},
		{"void flashinfer::BatchQKApplyRotaryPosIdsCosSinCacheEnhancedHeadParallelismKernel<true, 128u>", Elementwise},
		{"void tensorrt_llm::kernels::topKStage1<float, 256, 8>", Sampling},
		{"void at::native::(anonymous namespace)::distribution_elementwise_grid_stride_kernel<float, 4, exponential>", Sampling},
		{"void at::native::tensor_kernel_scan_innermost_dim<float, std::plus<float> >", Sampling},
		{"void (anonymous namespace)::softmax_warp_forward<float, float, float, 8, false, false>", Other},
		// norms, sampling
		{"void flashinfer::norm::FusedAddRMSNormKernel<8u, __nv_bfloat16>", Norm},
		{"void at::native::(anonymous namespace)::vectorized_layer_norm_kernel<c10::BFloat16, float>", Norm},
		{"void flashinfer::sampling::TopKTopPSamplingFromProbKernel<1024u, (cub::BlockScanAlgorithm)1>", Sampling},
		{"void at::native::(anonymous namespace)::cunn_SoftMaxForward<4, float, float, float, at::native::(anonymous namespace)::SoftMaxForwardEpilogue>", Sampling},
		{"void at::native::sbtopk::gatherTopK<float, unsigned int, 2, false>", Sampling},
		{"void at::native::radixSortKVInPlace<-2, -1, 32, 4, float, long, unsigned int>", Sampling},
		{"void vllm::apply_repetition_penalties_kernel<float>", Sampling},
		{"apply_token_bitmask_inplace_kernel", Sampling},
		{"rejection_random_sample_kernel", Sampling},
		{"void vllm::dynamic_per_token_scaled_fp8_quant_kernel<c10::BFloat16>", Elementwise},
		{"void at::native::(anonymous namespace)::CatArrayBatchedCopy_aligned16_contig<", Copy},
		{"void at::native::(anonymous namespace)::upsample_bicubic2d_out_frame<float>", Other},
		{"", Other},
	}
	for _, tt := range tests {
		if got := ClassOf(tt.in); got != tt.want {
			t.Errorf("%q is %s, want %s", tt.in, got, tt.want)
		}
	}
}

func TestEveryPatternIsLowerCaseAndCanBeReached(t *testing.T) {
	for i, p := range patterns {
		if !slices.Contains(Classes(), p.class) {
			t.Errorf("%s is not listed", p.class)
		}
		for _, part := range p.parts {
			if got := ClassOf(part); got != p.class && slices.IndexFunc(patterns[:i], func(q pattern) bool { return q.class == got }) < 0 {
				t.Errorf("%q is %s, not %s", part, got, p.class)
			} else if got != p.class {
				t.Errorf("%q of %s is always taken for %s", part, p.class, got)
			}
		}
	}
}

func TestKernelsThatUnpackWeights(t *testing.T) {
	for _, name := range []string{
		"void vllm::awq::gemm_forward_4bit_cuda_m16nXk32<128>", "awq_dequantize_kernel", "void vllm::gptq::gemm_half_q_half_gptq_4bit_kernel<true, 1>",
		"void kgemm_4bit_inference_naive<__nv_bfloat16, 128, 16>", "void dequantize_block_q4_K<c10::BFloat16>", "void mul_mat_vec_q<c10::Half, 256, 32>",
	} {
		if !UnpacksWeights(name) {
			t.Errorf("%q was not seen", name)
		}
		if got := ClassOf(name); got != GEMM {
			t.Errorf("%q is %s", name, got)
		}
	}
	for _, name := range []string{"void marlin::Marlin<__nv_bfloat16, 1125899906843140l>", "nvjet_sm90_tst_128x8_64x12_2x1_v_bz_TNT", "machete_gemm"} {
		if UnpacksWeights(name) {
			t.Errorf("%q does not unpack", name)
		}
	}
}

func TestClassesThatWaitForOtherRanks(t *testing.T) {
	for _, c := range Classes() {
		if want := c == AllReduce || c == AllToAll || c == Collective; c.Exchanges() != want {
			t.Errorf("%s: %v", c, c.Exchanges())
		}
	}
}

func TestCallsThatWait(t *testing.T) {
	for name, want := range map[string]bool{
		"multiprocessing/connection.py(378): _recv":                true,
		"threading.py(637): wait":                                  true,
		"<built-in method poll of select.epoll object at 0x7ff>":   true,
		"<built-in function sched_yield>":                          true,
		"cudaStreamSynchronize":                                    true,
		"<built-in method acquire of _thread.lock object at 0x7f>": true,
		"asyncio/runners.py(118): run":                             true,
		"zmq/sugar/socket.py(638): send":                           false,
		"aten::select_backward":                                    false,
		"aten::mm":                                                 false,
		"cudaLaunchKernel":                                         false,
	} {
		if Waits(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestShortNames(t *testing.T) {
	for in, want := range map[string]string{"a  b\nc": "a b c", "abcdef": "abcdef", "äöüßéàç": "äöüßé…", "": ""} {
		if got := Short(in, 6); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

package shape

import (
	"slices"
	"strings"
)

// feedForward computes what lies behind the mixer: a dense part, or experts.
type feedForward struct {
	hidden, matrices          float64
	dense                     float64 // width of the dense part
	experts, perToken, expert float64 // routed experts, those of a token, the width of one
	shared                    float64 // width of the shared ones together
	first, step               int     // dense layers at the start; every step-th layer has experts
	offset                    int     // which of them
	only                      []int   // layers that are dense whatever else is said
	listed                    []int   // layers with experts, where they are listed
}

func newFeedForward(f *fields, s *Shape) *feedForward {
	m := &feedForward{hidden: s.Hidden, matrices: matrices(f), step: 1}
	m.experts = f.number("num_local_experts", "n_routed_experts", "num_experts", "moe_num_experts")
	m.perToken = f.number("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "moe_topk", "moe_k", "top_k_experts")
	m.dense = f.number("intermediate_size_mlp", "intermediate_size", "ffn_hidden_size", "n_inner")
	if m.dense == 0 && m.experts == 0 {
		m.dense = 4 * s.Hidden
	}
	if m.experts <= 1 {
		m.experts = 0
		return m
	}
	if m.perToken == 0 {
		f.missing = append(f.missing, "num_experts_per_tok")
	}
	m.expert = f.number("moe_intermediate_size", "expert_ffn_hidden_size")
	if m.expert == 0 {
		m.expert = f.need("intermediate_size", "ffn_hidden_size")
	}
	m.shared = f.number("shared_expert_intermediate_size", "moe_shared_expert_intermediate_size", "shared_intermediate_size")
	if n := f.number("n_shared_experts", "num_shared_experts"); n > 0 && m.shared == 0 {
		m.shared = n * m.expert
	}
	m.first = int(f.number("first_k_dense_replace"))
	m.only = f.numbers("mlp_only_layers")
	m.listed = f.numbers("moe_layers")
	if n := int(f.number("interleave_moe_layer_step")); n > 0 { // Llama 4, whose shared expert has no field
		m.step, m.shared, m.offset = n, m.expert, n-1
	}
	if n := int(f.number("decoder_sparse_step")); n > 0 {
		m.step, m.offset = n, n-1
	}
	if n := int(f.number("expert_layer_period")); n > 0 {
		m.step, m.offset = n, int(f.number("expert_layer_offset"))
	}
	return m
}

// add puts the feed-forward part of layer i into it.
func (m *feedForward) add(l *Layer, i int, k kind) {
	if m.routed(i, k) {
		l.Expert, l.Experts, l.PerToken = m.matrices*m.hidden*m.expert, m.experts, min(m.perToken, m.experts)
		l.Dense = m.matrices*m.hidden*m.shared + m.hidden*m.experts
		return
	}
	l.Dense = m.matrices * m.hidden * m.dense
}

func (m *feedForward) routed(i int, k kind) bool {
	switch {
	case m.experts == 0:
		return false
	case k.named:
		return k.expert
	case len(m.listed) > 0:
		return slices.Contains(m.listed, i)
	default:
		return i >= m.first && !slices.Contains(m.only, i) && i%m.step == m.offset%m.step
	}
}

// plain are the types whose feed-forward part has two matrices although their activation occurs with a gate, too.
var plain = []string{"gpt2", "gpt_neox", "gptj", "opt", "bloom", "falcon", "phi", "starcoder2", "gpt_bigcode", "mpt"}

// matrices of the feed-forward part: three with a gate, two without.
func matrices(f *fields) float64 {
	act := strings.ToLower(f.text("hidden_act", "hidden_activation", "activation_function", "mlp_hidden_act", "activation"))
	if slices.Contains(plain, f.text("model_type")) || strings.HasPrefix(act, "relu") {
		return 2
	}
	return 3
}

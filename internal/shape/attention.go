package shape

import "fmt"

// attention computes what the mixers of a model weigh and keep.
type attention struct {
	hidden, heads, kvHeads, headDim float64
	window, topk                    float64
	gate                            float64 // 2 where the query's layer also gives a gate
	mla                             *latent
	f                               *fields
}

// latent is multi-head latent attention.
type latent struct{ queryRank, rank, rope, nope, value float64 }

func newAttention(f *fields, s *Shape) *attention {
	a := &attention{hidden: s.Hidden, heads: s.Heads, f: f, gate: 1}
	a.window = f.number("sliding_window", "attention_chunk_size")
	a.topk = f.number("index_topk")
	if f.yes("attn_output_gate") || f.number("linear_num_value_heads") > 0 && !f.has("attn_output_gate") {
		a.gate = 2 // Qwen3-Next has the gate without a field
	}
	a.headDim = f.number("head_dim", "attention_head_dim", "kv_channels")
	if a.headDim == 0 {
		a.headDim = a.hidden / a.heads
	}
	a.kvHeads = f.number("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
	if a.kvHeads == 0 {
		a.kvHeads = a.heads
		if f.yes("multi_query") {
			a.kvHeads = 1
		}
	}
	if rank := f.number("kv_lora_rank"); rank > 0 {
		a.mla = &latent{
			queryRank: f.number("q_lora_rank"), rank: rank, rope: f.need("qk_rope_head_dim"),
			nope: f.need("qk_nope_head_dim"), value: f.need("v_head_dim"),
		}
		a.kvHeads = 1
	}
	return a
}

func (a *attention) layer(k kind) (Layer, error) {
	switch k.mixer {
	case "none":
		return Layer{}, nil
	case "mamba":
		return a.mamba()
	case "linear":
		return a.linear()
	}
	l := a.full()
	if a.mla != nil {
		l = a.latent()
	}
	if k.mixer == "window" {
		l.Window = a.window
	}
	return l, nil
}

func (a *attention) full() Layer {
	q, kv := a.heads*a.headDim, a.kvHeads*a.headDim
	return Layer{
		Mixer: a.hidden * (a.gate*q + 2*kv + q),
		KV:    2 * kv,
		// A product with the key and one with the value, two operations each.
		Attend: 4 * q,
	}
}

func (a *attention) latent() Layer {
	m := a.mla
	query := a.hidden * a.heads * (m.nope + m.rope)
	if m.queryRank > 0 {
		query = a.hidden*m.queryRank + m.queryRank*a.heads*(m.nope+m.rope)
	}
	l := Layer{
		Mixer: query + a.hidden*(m.rank+m.rope) + m.rank*a.heads*(m.nope+m.value) + a.heads*m.value*a.hidden,
		KV:    m.rank + m.rope, Latent: true,
		Attend: 2 * a.heads * (m.nope + m.rope + m.value),
		Window: a.topk, // sparse attention reads so many tokens, wherever they are
	}
	if heads, dim := a.f.number("index_n_heads"), a.f.number("index_head_dim"); heads > 0 && dim > 0 {
		l.Mixer += m.queryRank*heads*dim + a.hidden*(dim+heads)
	}
	return l
}

// mamba is a Mamba-2 layer: its state does not grow.
func (a *attention) mamba() (Layer, error) {
	f := a.f
	heads, dim := f.number("mamba_n_heads", "mamba_num_heads"), f.number("mamba_d_head", "mamba_head_dim")
	inner := heads * dim
	state := f.number("mamba_d_state", "ssm_state_size", "mamba_state_dim")
	groups := max(f.number("mamba_n_groups", "mamba_num_groups", "n_groups"), 1)
	if inner == 0 || state == 0 {
		return Layer{}, fmt.Errorf("%w: of its Mamba layers heads and state are not said", ErrNotConfig)
	}
	return Layer{Mixer: a.hidden*(2*inner+2*groups*state+heads) + inner*a.hidden}, nil
}

// linear is a gated delta net, as in Qwen3-Next: its state does not grow.
func (a *attention) linear() (Layer, error) {
	f := a.f
	keys := f.number("linear_num_key_heads") * f.number("linear_key_head_dim")
	heads := f.number("linear_num_value_heads")
	values := heads * f.number("linear_value_head_dim")
	if keys == 0 || values == 0 {
		return Layer{}, fmt.Errorf("%w: of its linear attention the heads are not said", ErrNotConfig)
	}
	return Layer{Mixer: a.hidden*(2*keys+2*values+2*heads) + values*a.hidden}, nil
}

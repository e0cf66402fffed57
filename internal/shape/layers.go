package shape

import (
	"fmt"
	"slices"
)

// kind is what one layer is.
type kind struct {
	mixer  string // full, window, linear, mamba, none
	feed   bool   // it has a feed-forward part
	expert bool   // that consists of experts, where the pattern says so
	named  bool   // the pattern says whether
}

// mixers are the words of layer_types and of layers_block_type.
var mixers = map[string]string{
	"full_attention": "full", "attention": "full", "global": "full", "sliding_attention": "window", "local": "window",
	"chunked_attention": "window", "linear_attention": "linear", "mamba": "mamba", "mamba2": "mamba",
}

func kinds(f *fields, n int) ([]kind, error) {
	out := make([]kind, n)
	if p := f.text("hybrid_override_pattern"); p != "" {
		return pattern(p, n)
	}
	for _, name := range []string{"layer_types", "layers_block_type"} {
		words := f.words(name)
		if len(words) == 0 {
			continue
		}
		if len(words) < n {
			return nil, fmt.Errorf("%w: %s names %d of %d layers", ErrNotConfig, name, len(words), n)
		}
		apart := slices.Contains(words, "moe") || slices.Contains(words, "mlp") // then a layer is a mixer or a feed-forward part
		for i := range out {
			if w := words[i]; w == "moe" || w == "mlp" {
				out[i] = kind{mixer: "none", feed: true, named: true, expert: w == "moe"}
				continue
			}
			m, ok := mixers[words[i]]
			if !ok {
				return nil, fmt.Errorf("%w: layers of type %q are not known", ErrNotConfig, words[i])
			}
			out[i] = kind{mixer: m, feed: !apart}
		}
		return out, nil
	}
	for i := range out {
		out[i] = kind{mixer: mixer(f, i, n), feed: true}
	}
	return out, nil
}

// strange are fields of models whose layers are of kinds that are not read: they keep or share other things than these layers do.
var strange = []string{
	"linear_attn_config", "block_types", "hybrid_layer_pattern", "block_configs", "cross_attention_layers", "mamba_d_ssm", "use_cla",
	"hidden_size_per_layer_input", "num_kv_shared_layers", "altup_num_inputs", "global_head_dim", "zero_expert_num", "compress_ratios",
	"moe_latent_size",
}

// refuse says which field makes the layers unknown.
func refuse(f *fields) error {
	for _, name := range strange {
		if f.has(name) && f.m[name] != false && f.m[name] != 0.0 {
			return fmt.Errorf("%w: layers as %s has them are not known", ErrNotConfig, name)
		}
	}
	if slices.Contains(f.numbers("attn_type_list"), 0) {
		return fmt.Errorf("%w: layers as attn_type_list has them are not known", ErrNotConfig)
	}
	if f.has("mamba_d_state") && f.number("attn_layer_period") == 0 && !f.has("attn_layer_indices") && !f.has("layer_types") && !f.has("layers_block_type") {
		return fmt.Errorf("%w: which of its layers are Mamba is not said", ErrNotConfig)
	}
	return nil
}

// pattern reads Nemotron's string, a letter for each layer.
func pattern(p string, n int) ([]kind, error) {
	if len(p) != n {
		return nil, fmt.Errorf("%w: the pattern has %d of %d layers", ErrNotConfig, len(p), n)
	}
	out := make([]kind, n)
	for i, c := range p {
		switch c {
		case 'M':
			out[i] = kind{mixer: "mamba"}
		case '*':
			out[i] = kind{mixer: "full"}
		case '-':
			out[i] = kind{mixer: "none", feed: true, named: true}
		case 'E':
			out[i] = kind{mixer: "none", feed: true, named: true, expert: true}
		default:
			return nil, fmt.Errorf("%w: layers of type %q are not known", ErrNotConfig, c)
		}
	}
	return out, nil
}

// mixer is what layer i of n is, where no list says it.
func mixer(f *fields, i, n int) string {
	if every := int(f.number("full_attention_interval")); every > 0 {
		if (i+1)%every == 0 {
			return "full"
		}
		return "linear"
	}
	if every := int(f.number("attn_layer_period")); every > 0 {
		if i%every == int(f.number("attn_layer_offset"))%every {
			return "full"
		}
		return "mamba"
	}
	if list := f.numbers("attn_layer_indices"); len(list) > 0 {
		if slices.Contains(list, i) {
			return "full"
		}
		return "mamba"
	}
	if f.number("sliding_window") == 0 {
		return "full"
	}
	every := int(f.number("sliding_window_pattern", "_sliding_window_pattern"))
	if every == 0 && f.text("model_type") == "gemma2" {
		every = 2
	}
	switch on, set := f.m["use_sliding_window"].(bool); {
	case set && !on:
		return "full"
	case every > 0 && (i+1)%every == 0:
		return "full"
	case set && on && float64(i) < min(f.number("max_window_layers"), float64(n)):
		return "full"
	}
	return "window"
}

package shape

import (
	"fmt"
	"slices"
	"strings"
)

// read fills the shape from the language model's part of the file and from the file as a whole.
func (s *Shape) read(f, top *fields) error {
	n := f.need("num_hidden_layers", "n_layer", "num_layers", "n_layers")
	s.Hidden = f.need("hidden_size", "n_embd", "d_model", "dim")
	s.Vocab = f.need("vocab_size", "padded_vocab_size")
	s.Heads = f.need("num_attention_heads", "n_head", "n_heads")
	if err := f.fault(); err != nil {
		return err
	}
	if n > maxLayers {
		return fmt.Errorf("%w: %g layers", ErrNotConfig, n)
	}
	s.Tied = tied(f, top)
	s.Bits = bits(f, top)
	s.Quant = quant(f, top, int(n))
	a := newAttention(f, s)
	m := newFeedForward(f, s)
	kinds, err := kinds(f, int(n))
	if err != nil {
		return err
	}
	for i, k := range kinds {
		l, err := a.layer(k)
		if err != nil {
			return err
		}
		if k.feed {
			m.add(&l, i, k)
		}
		l.Mixer += s.Hidden // the norm before it
		l.Dense += s.Hidden
		s.Layers = append(s.Layers, l)
	}
	s.KVHeads = a.kvHeads
	if s.Params() > 1e15 { // a thousand times the largest published
		return fmt.Errorf("%w: %.2g parameters", ErrNotConfig, s.Params())
	}
	return f.fault()
}

// tied says whether embedding and output layer are one. Where the file is silent the classes differ; the few that
// tie by default are known by their type.
func tied(f, top *fields) bool {
	for _, x := range []*fields{f, top} {
		if v, ok := x.m["tie_word_embeddings"].(bool); ok {
			return v
		}
	}
	kind := f.text("model_type")
	return strings.HasPrefix(kind, "gemma") || strings.HasPrefix(kind, "cohere") || kind == "gpt2"
}

// bits of a weight that is not quantised; 0 is unknown.
func bits(f, top *fields) float64 {
	t := f.text("torch_dtype", "dtype")
	if t == "" {
		t = top.text("torch_dtype", "dtype")
	}
	return typeBits(t)
}

func typeBits(t string) float64 {
	switch strings.TrimPrefix(t, "torch.") {
	case "bfloat16", "float16", "half":
		return 16
	case "float32", "float":
		return 32
	}
	return 0
}

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
		for i := range out {
			m, ok := mixers[words[i]]
			if !ok {
				return nil, fmt.Errorf("%w: layers of type %q are not known", ErrNotConfig, words[i])
			}
			out[i] = kind{mixer: m, feed: true}
		}
		return out, nil
	}
	for _, name := range hybrid {
		if f.has(name) {
			return nil, fmt.Errorf("%w: layers as %s has them are not known", ErrNotConfig, name)
		}
	}
	for i := range out {
		out[i] = kind{mixer: mixer(f, i, n), feed: true}
	}
	return out, nil
}

// hybrid are fields of models whose layers are of several kinds, told in a way that is not read.
var hybrid = []string{"linear_attn_config", "attn_type_list", "block_types", "hybrid_layer_pattern"}

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
	if list := f.numbers("attn_layer_indices"); len(list) > 0 || f.has("mamba_d_state") {
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

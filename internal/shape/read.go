package shape

import (
	"fmt"
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
	if err := refuse(f); err != nil {
		return err
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

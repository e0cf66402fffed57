// Package shape reads the shape of a model from its config.json: how many parameters it has, which of them a token uses, and
// how much KV cache a token takes. It goes by the fields of the file, not by lists of models.
package shape

// Shape is a model as its configuration describes it. Biases are left out and vision towers, too: they are below a per cent of a
// language model, or not read while it decodes.
type Shape struct {
	// Architecture is the class's name, for people.
	Architecture string
	Hidden       float64
	Vocab        float64
	// Heads are those of the queries; KVHeads is 1 where all share one latent.
	Heads, KVHeads float64
	// Tied says that the output layer is the embedding table.
	Tied   bool
	Layers []Layer
	// Bits of a weight that is not quantised; 0 where the file does not say.
	Bits  float64
	Quant Quant
	// Multimodal says that the file describes other parts beside the language model.
	Multimodal bool
}

// Layer is one layer of the decoder. Counts are of parameters.
type Layer struct {
	// Mixer is attention, or what stands in its place.
	Mixer float64
	// Dense is what every token passes beside experts: the feed-forward part, or shared experts and the router.
	Dense float64
	// Expert is one routed expert; Experts of them lie in the layer, and a token uses PerToken.
	Expert, Experts, PerToken float64
	// KV counts the numbers that the cache keeps for a token; 0 where the state does not grow.
	KV float64
	// Latent says that they are one latent, which no rank holds a part of.
	Latent bool
	// Window is how many tokens back attention reads at most; 0 is all.
	Window float64
	// Attend is the operations by which one token attends to one other.
	Attend float64
}

// Quant is how the weights of the linear layers are stored.
type Quant struct {
	// Method is "" for none.
	Method string
	// Bits of a weight with its share of scales; 0 where they cannot be told.
	Bits    float64
	Integer bool
	// KeepsMixer and KeepsDense say that attention, or what is no routed expert, is left as it was.
	KeepsMixer, KeepsDense bool
	// KV says that the checkpoint brings scales for a smaller KV cache.
	KV bool
}

// Embedding counts the parameters of the table that turns tokens into numbers. A step looks a few rows of it up.
func (s *Shape) Embedding() float64 { return s.Vocab * s.Hidden }

// Head counts the parameters of the output layer, read once a step for the tokens that are sampled.
func (s *Shape) Head() float64 { return s.Vocab * s.Hidden }

// Params counts all parameters of the language model.
func (s *Shape) Params() float64 {
	sum := s.Embedding()
	if !s.Tied {
		sum += s.Head()
	}
	for _, l := range s.Layers {
		sum += l.Mixer + l.Dense + l.Expert*l.Experts
	}
	return sum
}

// Active counts the parameters that one token is multiplied with, the output layer among them and the embedding not.
func (s *Shape) Active() float64 {
	sum := s.Head()
	for _, l := range s.Layers {
		sum += l.Mixer + l.Dense + l.Expert*l.PerToken
	}
	return sum
}

// Routed counts the experts of a layer and those that a token uses; 0, 0 of a dense model. Layers with experts are alike.
func (s *Shape) Routed() (experts, perToken float64) {
	for _, l := range s.Layers {
		if l.Experts > 0 {
			return l.Experts, l.PerToken
		}
	}
	return 0, 0
}

// Bytes are the sizes of what a step reads: what it reads whatever the batch, and all routed experts.
type Bytes struct{ Fixed, Experts float64 }

// Bytes gives the size of the weights, false where the type of some is unknown. Embeddings and the output layer are
// not quantised. The embedding table is left out: a step reads a few rows of it.
func (s *Shape) Bytes() (Bytes, bool) {
	if s.Bits == 0 || s.Quant.Method != "" && s.Quant.Bits == 0 {
		return Bytes{}, false
	}
	linear := s.Bits
	if s.Quant.Method != "" {
		linear = s.Quant.Bits
	}
	mixer, dense := linear, linear
	if s.Quant.KeepsMixer {
		mixer = s.Bits
	}
	if s.Quant.KeepsDense {
		dense = s.Bits
	}
	out := Bytes{Fixed: s.Head() * s.Bits / 8}
	for _, l := range s.Layers {
		out.Fixed += (l.Mixer*mixer + l.Dense*dense) / 8
		out.Experts += l.Expert * l.Experts * linear / 8
	}
	return out, true
}

// KV is what the cache of one rank keeps and a step reads, in numbers for each token.
type KV struct {
	// Full is of the layers that attend to everything, Windowed of those that attend to the last Window tokens.
	Full, Windowed, Window float64
}

// KV gives the cache of one of so many tensor-parallel ranks: heads are shared out as far as there are enough, a latent is not. Of
// several windows the smallest is taken.
func (s *Shape) KV(ranks float64) KV {
	var out KV
	for _, l := range s.Layers {
		n := l.KV
		if !l.Latent && n > 0 {
			n = l.KV / min(max(ranks, 1), s.KVHeads)
		}
		switch {
		case n == 0:
		case l.Window == 0:
			out.Full += n
		default:
			if out.Window == 0 || l.Window < out.Window {
				out.Window = l.Window
			}
			out.Windowed += n
		}
	}
	return out
}

// Attend counts the operations by which one token attends to one other, in the layers that see everything.
func (s *Shape) Attend() float64 {
	sum := 0.0
	for _, l := range s.Layers {
		if l.Window == 0 {
			sum += l.Attend
		}
	}
	return sum
}

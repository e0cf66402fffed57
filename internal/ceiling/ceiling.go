// Package ceiling turns a model's shape and the GPUs it runs on into what a step must at least read, compute and exchange. It is
// pure; the formulas that make times of it are signals (rules/signals/meaning/ceiling.yaml).
package ceiling

import (
	"math"

	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/shape"
)

// Server is how a model is spread over GPUs. A count of 0 is unknown.
type Server struct {
	Shape *shape.Shape
	// GPU is the zero value where it is unknown.
	GPU hardware.GPU
	// Tensor ranks share each layer outside of experts, ExpertRanks share the routed experts of a layer.
	Tensor, ExpertRanks float64
	// Batches run beside each other: those of data-parallel engines and of pipeline stages. ExpertBatches are those that do not
	// share experts.
	Batches, ExpertBatches float64
	// Engines are the data-parallel ones, each with a KV cache of its own.
	Engines float64
	// Context ranks share the tokens of the KV cache (decode context parallelism); 0 is one.
	Context float64
	// KVBits are those of a number in the KV cache.
	KVBits float64
}

// Facts are named as the formulas read them. What rests on something unknown is left out.
func (s Server) Facts() map[string]float64 {
	m := s.Shape
	out := map[string]float64{"model_params_fact": m.Params(), "model_active_params": m.Active()}
	if s.Tensor < 1 || s.ExpertRanks < 1 || s.Batches < 1 || s.ExpertBatches < 1 {
		return out
	}
	out["step_batches"] = s.Batches
	s.weights(out)
	s.cache(out)
	out["token_flops"] = 2 * (m.Active() - m.Head()) / s.Tensor
	out["sample_flops"] = 2 * m.Head() / s.Tensor
	out["attend_flops"] = m.Attend() / s.Tensor
	if bits := s.lowest(); bits > 0 {
		if r := s.GPU.Rate(math.Floor(bits), m.Quant.Integer && m.Quant.Method != ""); r > 0 {
			out["gpu_flops"] = r
		}
	}
	if s.Tensor == 1 {
		out["collective_token_s"] = 0
	} else if link := s.GPU.Between(); link > 0 {
		// Two all-reduces a layer of 16-bit numbers. Each rank must send and get them once, however they are summed up.
		out["collective_token_s"] = 2 * float64(len(m.Layers)) * m.Hidden * 2 / link
	}
	return out
}

// weights are what one GPU reads of them; of pipeline stages all together, since a token passes through each.
func (s Server) weights(out map[string]float64) {
	b, ok := s.Shape.Bytes()
	if !ok {
		return
	}
	out["weights_fixed_bytes"] = b.Fixed / s.Tensor
	out["weights_experts_bytes"] = b.Experts / s.ExpertRanks
	out["expert_batches"] = s.ExpertBatches
	out["expert_share"] = 0
	if all, some := s.Shape.Routed(); all > 0 {
		out["expert_share"] = some / all
	}
}

func (s Server) cache(out map[string]float64) {
	kv := s.Shape.KV(s.Tensor)
	if s.KVBits > 0 {
		bytes := s.KVBits / 8 / max(s.Context, 1)
		out["kv_token_bytes"] = kv.Full * bytes
		out["kv_window_token_bytes"] = kv.Windowed * bytes
		out["kv_window_tokens"] = kv.Window
	}
	if s.uniform() && s.Engines == 1 {
		out["kv_uniform"] = 1
	}
}

// uniform says that every layer keeps all tokens, so that tokens in the pool are tokens that a step reads.
func (s Server) uniform() bool {
	for _, l := range s.Shape.Layers {
		if l.KV == 0 && l.Mixer > s.Shape.Hidden || l.Window > 0 {
			return false
		}
	}
	return true
}

// lowest are the fewest bits that any weight has, which decide at which rate arithmetic can run at best.
func (s Server) lowest() float64 {
	if s.Shape.Quant.Method != "" {
		return s.Shape.Quant.Bits
	}
	return s.Shape.Bits
}

// Loaded is how many bytes of weights one GPU holds, the embedding table among them: between that of a pipeline stage of layers alone
// and that of one which has both tables, too, which are the same without stages. false where it is not known.
func (s Server) Loaded(stages float64) (least, most float64, ok bool) {
	b, ok := s.Shape.Bytes()
	if !ok || s.Tensor < 1 || s.ExpertRanks < 1 || stages < 1 {
		return 0, 0, false
	}
	tables := s.Shape.Head() * s.Shape.Bits / 8 // the output layer is among what is fixed
	layers := (b.Fixed-tables)/s.Tensor/stages + b.Experts/s.ExpertRanks/stages
	if !s.Shape.Tied {
		tables += s.Shape.Embedding() * s.Shape.Bits / 8
	}
	most = layers + tables/s.Tensor
	if stages == 1 {
		return most, most, true
	}
	return layers, most, true
}

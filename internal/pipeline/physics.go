package pipeline

import (
	"fmt"
	"strings"

	"github.com/inferdx/inferdx/internal/ceiling"
	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/shape"
	"github.com/inferdx/inferdx/rules/signals"
)

// fromConfig is where facts of a model's shape are from.
const fromConfig = "the model's config.json"

// lookup finds a fact of a target, its own before shared ones.
type lookup struct{ own, shared map[string]model.Fact }

func (l lookup) get(name string) (model.Fact, bool) {
	if f, ok := l.own[name]; ok {
		return f, true
	}
	f, ok := l.shared[name]
	return f, ok
}

func (l lookup) number(name string) float64 {
	f, ok := l.get(name)
	if !ok || !f.IsNum {
		return 0
	}
	return f.Num
}

// physics adds what the model's shape tells: parameters, and what a step must read, compute and exchange on this machine. A
// configuration that contradicts what the server loaded is left out, and the note says so.
func physics(out, shared map[string]model.Fact, t signals.Target, r Request, gpu hardware.GPU) (note string) {
	if r.Model == nil {
		return ""
	}
	given := r.Model(t.Labels)
	if given == nil {
		return ""
	}
	facts := lookup{out, shared}
	own := *given
	own.Bits, own.Quant = weightType(given, facts)
	s := spread(t, facts)
	s.Shape, s.GPU, s.KVBits = &own, gpu, kvBits(&own, facts)
	stages := parallel(t, facts, "pipeline_parallel_size")
	if n := otherModel(s, stages, facts); n != "" {
		return n
	}
	known := s.Facts()
	if _, told := known["kv_token_bytes"]; !told && known["kv_uniform"] == 1 {
		if b := measuredKV(facts, stages); b > 0 {
			known["kv_token_bytes"], known["kv_window_token_bytes"], known["kv_window_tokens"] = b, 0, 0
		}
	}
	for name, v := range known {
		out[name] = number(v, fromConfig)
	}
	return ""
}

// parallel is a number of ranks: what is known of it, else 1 on a single GPU, else 0 for unknown.
func parallel(t signals.Target, facts lookup, name string) float64 {
	if n := facts.number(name); n >= 1 {
		return n
	}
	if t.GPUs == 1 {
		return 1
	}
	return 0
}

// spread says how the model lies over the GPUs.
func spread(t signals.Target, facts lookup) ceiling.Server {
	tensor, stages, engines := parallel(t, facts, "tensor_parallel_size"), parallel(t, facts, "pipeline_parallel_size"), parallel(t, facts, "data_parallel_size")
	s := ceiling.Server{Tensor: tensor, ExpertRanks: tensor, Engines: engines, Batches: engines * stages, ExpertBatches: engines * stages}
	switch {
	case t.Engine.Name == "vllm":
		s.Context = facts.number("decode_context_parallel_size")
		// Engines of one model share the experts of a layer, with expert parallelism or without (vllm/model_executor/layers/fused_moe/config.py).
		s.ExpertRanks, s.ExpertBatches = tensor*engines, stages
	case facts.number("enable_dp_attention") == 1 && engines > 0:
		// SGLang's engines then lie within the tensor-parallel ranks: those that are left to each share its attention.
		s.Tensor, s.ExpertBatches = max(tensor/engines, 1), stages
	}
	return s
}

// weightType gives the bits of weights that are not quantised, and the quantisation: of the server's settings where they say
// it, else of the file. Engines load 32-bit checkpoints as 16 bits unless they are told otherwise.
func weightType(s *shape.Shape, facts lookup) (float64, shape.Quant) {
	bits := s.Bits
	if bits == 32 {
		bits = 16
	}
	if f, ok := facts.get("dtype"); ok {
		switch t := strings.TrimPrefix(f.Text, "torch."); t {
		case "float32", "float":
			bits = 32
		case "bfloat16", "float16", "half":
			bits = 16
		}
	}
	q := s.Quant
	if f, ok := facts.get("quantization"); ok && q.Method == "" && f.Text != "none" && f.Text != "auto" {
		q.Method = f.Text
		q.Bits, q.Integer = shape.Bits(f.Text)
	}
	return bits, q
}

// kvBits are those of a number in the KV cache; 0 where they cannot be told.
func kvBits(s *shape.Shape, facts lookup) float64 {
	f, ok := facts.get("kv_cache_dtype")
	switch t := f.Text; {
	case !ok:
		return 0
	case t == "auto":
		if s.Quant.KV {
			return 0 // the engine may take the checkpoint's scales, or not
		}
		return s.Bits
	case t == "fp8_ds_mla":
		return 8 * 656.0 / 576 // 656 bytes for the 576 numbers of a token and layer
	case strings.Contains(t, "fp4"):
		return 4.5
	case strings.HasPrefix(t, "fp8"), strings.HasPrefix(t, "int8"):
		return 8
	case t == "bfloat16", t == "bf16", t == "float16":
		return 16
	}
	return 0
}

// measuredKV is what a token takes in the cache by the server's own account, in bytes; 0 is unknown. Where a rank keeps a part of the
// layers, it cannot be told from its memory.
func measuredKV(facts lookup, stages float64) float64 {
	gib, tokens := facts.number("kv_memory_gib"), facts.number("kv_capacity_tokens")
	if gib <= 0 || tokens <= 0 || stages != 1 {
		return 0
	}
	return gib * (1 << 30) / tokens
}

// otherModel compares the configuration with what the server loaded and reserved. A server cannot hold less than its weights; it
// holds more by scales and buffers, and much more by a vision tower or a draft model.
func otherModel(s ceiling.Server, stages float64, facts lookup) string {
	loaded := facts.number("model_weights_gib") * (1 << 30)
	least, most, ok := s.Loaded(stages)
	if ok && loaded > 0 && facts.number("cpu_offload_gb") == 0 {
		_, drafts := facts.get("num_speculative_tokens")
		if loaded < 0.95*least || loaded > 1.2*most && !s.Shape.Multimodal && !drafts {
			return fmt.Sprintf("the model's config.json is not this server's: its weights would take %.3g GiB on a GPU, %.3g were loaded; it was left out", most/(1<<30), loaded/(1<<30))
		}
	}
	known := s.Facts()
	if got, want := measuredKV(facts, stages), known["kv_token_bytes"]; known["kv_uniform"] == 1 && got > 0 && want > 0 && (got < 0.9*want || got > 1.1*want) {
		return fmt.Sprintf("the model's config.json is not this server's: a token would take %.4g bytes of KV cache, it takes %.4g; it was left out", want, got)
	}
	return ""
}

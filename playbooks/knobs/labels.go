package knobs

import (
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// FromLabels reads the labels of vllm:cache_config_info, and from them how many tokens the KV cache holds
// (kv_capacity_tokens) and how many requests of full length (kv_max_concurrency). Both are of one engine.
// A label "None" says nothing about the knob.
func (c *Catalog) FromLabels(engine string, labels map[string]string) map[string]model.Fact {
	out := map[string]model.Fact{}
	e, ok := c.engines[engine]
	if !ok {
		return out
	}
	for id, k := range e.knobs {
		if k.Label == "" {
			continue
		}
		text, ok := labels[k.Label]
		if !ok {
			continue
		}
		if f, isSet, err := k.fact(text, "metric label", k.unsetByDefault()); isSet && err == nil {
			out[id] = f
		}
	}
	number := func(name string) (float64, bool) { return parseNumber(strings.TrimSpace(labels[name])) }
	if tokens, ok := number("kv_cache_size_tokens"); ok {
		out["kv_capacity_tokens"] = numberFact(tokens)
	} else if size, ok := number("block_size"); ok {
		// num_gpu_blocks is the sum over data-parallel engines and does not follow the override there; the override is one engine's.
		blocks, ok := number("num_gpu_blocks_override")
		if !ok {
			blocks, ok = number("num_gpu_blocks")
		}
		if ok {
			out["kv_capacity_tokens"] = numberFact(blocks * size)
		}
	}
	if n, ok := number("kv_cache_max_concurrency"); ok {
		fact := numberFact(n)
		fact.Text = strconv.FormatFloat(n, 'g', 4, 64) // vLLM gives all sixteen digits
		out["kv_max_concurrency"] = fact
	}
	return out
}

// unsetByDefault reports whether any value at all must have been set by somebody.
func (k *Knob) unsetByDefault() bool {
	for _, p := range k.defaults {
		if p.value != "none" {
			return false
		}
	}
	return len(k.defaults) > 0
}

func numberFact(n float64) model.Fact {
	return model.Fact{Text: strconv.FormatFloat(n, 'f', -1, 64), Num: n, IsNum: true, From: "metric label"}
}

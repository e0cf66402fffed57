package pipeline

import (
	"math"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules/signals"
)

// processor is the fact "cpu" of a server that computes on its host's CPU: there is no GPU to ask about.
// It is kept apart from the backend, on which defaults depend, as the labels only suggest it.
func processor(known map[string]model.Fact, args []string, t signals.Target) (model.Fact, bool) {
	if t.GPU != nil {
		return model.Fact{}, false
	}
	if b, ok := known["backend"]; ok {
		return model.Fact{Text: "cpu", From: b.From}, b.Text == "cpu"
	}
	for i, a := range args {
		if strings.HasPrefix(a, "VLLM_CPU_") || a == "VLLM_TARGET_DEVICE=cpu" || a == "--device=cpu" || a == "cpu" && i > 0 && args[i-1] == "--device" {
			return model.Fact{Text: "cpu", From: "args"}, true
		}
	}
	return model.Fact{Text: "cpu", From: "metric label"}, cpuLabels(t.Info)
}

// cpuLabels knows vLLM's CPU backend by its vllm:cache_config_info: it has a label of its own for the
// cache's size, and later sets the size in whole GiB from VLLM_CPU_KVCACHE_SPACE and the state
// of Mamba layers to float32, whatever the model (vllm/platforms/cpu.py).
func cpuLabels(info map[string]string) bool {
	if n, err := strconv.ParseFloat(info["cpu_kvcache_space_bytes"], 64); err == nil && n > 0 {
		return true
	}
	size, err := strconv.ParseFloat(info["kv_cache_memory_bytes"], 64)
	return err == nil && size > 0 && math.Mod(size, 1<<30) == 0 && info["mamba_ssm_cache_dtype"] == "float32"
}

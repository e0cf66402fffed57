package pipeline

import (
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules/signals"
)

// role adds whether a server only prefills or only decodes, by its arguments or log, else by its labels. kv_both says nothing: vLLM's
// NIXL connector has it on both sides.
func role(out map[string]model.Fact, labels model.Labels) {
	for _, f := range []struct{ fact, prefill, decode string }{
		{"kv_role", "kv_producer", "kv_consumer"},
		{"disaggregation_mode", "prefill", "decode"},
	} {
		switch out[f.fact].Text {
		case f.prefill:
			out["prefill_worker"] = number(1, out[f.fact].From)
			return
		case f.decode:
			out["decode_worker"] = number(1, out[f.fact].From)
			return
		}
	}
	for _, name := range signals.RoleLabels() {
		v := strings.ToLower(labels.Get(name))
		prefill, decode := strings.Contains(v, "prefill"), strings.Contains(v, "decode")
		switch {
		case prefill && !decode:
			out["prefill_worker"] = number(1, "label "+name)
			return
		case decode && !prefill:
			out["decode_worker"] = number(1, "label "+name)
			return
		}
	}
}

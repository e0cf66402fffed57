package pipeline

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
)

func TestAWorkersRoleIsReadFromWhatItWasToldOrFromItsLabels(t *testing.T) {
	for _, tt := range []struct {
		name   string
		facts  map[string]string
		labels map[string]string
		want   []string
	}{
		{"a vLLM producer prefills", map[string]string{"kv_role": "kv_producer"}, nil, []string{"prefill_worker"}},
		{"a vLLM consumer decodes", map[string]string{"kv_role": "kv_consumer"}, nil, []string{"decode_worker"}},
		{"kv_both may be either, a label tells", map[string]string{"kv_role": "kv_both"}, map[string]string{"llm_d_ai_role": "decode"}, []string{"decode_worker"}},
		{"kv_both without a label is not known", map[string]string{"kv_role": "kv_both"}, nil, nil},
		{"SGLang says its mode", map[string]string{"disaggregation_mode": "prefill"}, nil, []string{"prefill_worker"}},
		{"what the server says wins over its label", map[string]string{"disaggregation_mode": "decode"}, map[string]string{"role": "prefill"}, []string{"decode_worker"}},
		{"Dynamo names the component", nil, map[string]string{"dynamo_component": "VllmPrefillWorker"}, []string{"prefill_worker"}},
		{"a server for both is neither", nil, map[string]string{"role": "prefill-decode"}, nil},
		{"another role is none of ours", nil, map[string]string{"role": "main"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := map[string]model.Fact{}
			for k, v := range tt.facts {
				out[k] = model.Fact{Text: v}
			}
			role(out, model.LabelsFrom(tt.labels))
			for k := range tt.facts {
				delete(out, k)
			}
			if diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(out))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

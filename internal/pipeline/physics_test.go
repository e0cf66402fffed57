package pipeline

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/shape"
	"github.com/inferdx/inferdx/rules/signals"
)

// told gives the facts that the shape adds to a server with the given ones, written as "name=value".
func told(t *testing.T, config, engine string, gpus int, given ...string) (map[string]float64, string) {
	t.Helper()
	s, err := shape.Open("../shape/testdata/" + config + ".json")
	if err != nil {
		t.Fatal(err)
	}
	g, _ := hardware.Find("NVIDIA H200")
	facts := map[string]model.Fact{}
	for _, x := range given {
		name, value, _ := strings.Cut(x, "=")
		f := model.Fact{Text: value}
		var n float64
		if n, f.IsNum = parse(value); f.IsNum {
			f.Num = n
		}
		facts[name] = f
	}
	r := Request{Model: func(model.Labels) *shape.Shape { return s }}
	note := physics(facts, nil, signals.Target{Engine: model.Engine{Name: engine}, GPUs: gpus}, r, g)
	out := map[string]float64{}
	for name, f := range facts {
		if f.From == fromConfig {
			out[name] = f.Num
		}
	}
	return out, note
}

func parse(s string) (float64, bool) {
	if s == "true" {
		return 1, true
	}
	x, err := hardware.Parse("bandwidth: " + s)
	return x.Bandwidth, err == nil
}

func TestTheShapeIsSpreadAsTheServerSpreadsIt(t *testing.T) {
	whole := 671e9 - 17e9 // bytes of DeepSeek V3's routed experts
	for _, tc := range []struct {
		name, engine, fact string
		given              []string
		want               float64
	}{
		{"vLLM shares experts over its tensor and data ranks", "vllm", "weights_experts_bytes", []string{"tensor_parallel_size=2", "data_parallel_size=8", "pipeline_parallel_size=1"}, whole / 16},
		{"and all engines hit them", "vllm", "expert_batches", []string{"tensor_parallel_size=2", "data_parallel_size=8", "pipeline_parallel_size=1"}, 1},
		{"ranks that share the tokens of the cache read a part of it", "vllm", "kv_token_bytes", []string{"tensor_parallel_size=8", "data_parallel_size=1", "pipeline_parallel_size=1", "kv_cache_dtype=bfloat16", "decode_context_parallel_size=4"}, 61 * 576 * 2 / 4},
		{"stages run beside each other", "vllm", "step_batches", []string{"tensor_parallel_size=8", "data_parallel_size=1", "pipeline_parallel_size=2"}, 2},
		{"engines of SGLang's data-parallel attention keep attention whole", "sglang", "weights_fixed_bytes", []string{"tensor_parallel_size=8", "data_parallel_size=8", "pipeline_parallel_size=1", "enable_dp_attention=true"}, 17.1e9},
		{"and share the experts", "sglang", "weights_experts_bytes", []string{"tensor_parallel_size=8", "data_parallel_size=8", "pipeline_parallel_size=1", "enable_dp_attention=true"}, whole / 8},
		{"engines of SGLang without it are replicas", "sglang", "weights_experts_bytes", []string{"tensor_parallel_size=8", "data_parallel_size=2", "pipeline_parallel_size=1"}, whole / 8},
	} {
		got, note := told(t, "deepseek-v3", tc.engine, 16, tc.given...)
		if v, ok := got[tc.fact]; note != "" || !ok || math.Abs(v/tc.want-1) > 0.05 {
			t.Errorf("%s: %s = %g (%v), want %g; %s", tc.name, tc.fact, v, ok, tc.want, note)
		}
	}
}

func TestTypesAreThoseOfTheServer(t *testing.T) {
	const llama = "llama-3.1-8b"
	for _, tc := range []struct {
		name, fact string
		given      []string
		want       float64
	}{
		{"the file's type", "weights_fixed_bytes", nil, 15.01e9},
		{"quantised while loading", "weights_fixed_bytes", []string{"quantization=fp8"}, 6.98e9 + 1.05e9},
		{"arithmetic at its rate", "gpu_flops", []string{"quantization=fp8"}, 1.979e15},
		{"32 bits on purpose", "weights_fixed_bytes", []string{"dtype=torch.float32"}, 30.02e9},
		{"a cache of the model's type", "kv_token_bytes", []string{"kv_cache_dtype=auto"}, 131072},
		{"a cache of 8 bits", "kv_token_bytes", []string{"kv_cache_dtype=fp8_e4m3"}, 65536},
		{"a cache of unknown type, by what the log says of it", "kv_token_bytes", []string{"kv_memory_gib=104.2", "kv_capacity_tokens=853552"}, 131081},
	} {
		got, note := told(t, llama, "vllm", 1, tc.given...)
		if v, ok := got[tc.fact]; note != "" || !ok || math.Abs(v/tc.want-1) > 0.002 {
			t.Errorf("%s: %s = %g (%v), want %g; %s", tc.name, tc.fact, v, ok, tc.want, note)
		}
	}
	if got, _ := told(t, "gemma-2-9b", "vllm", 1); math.Abs(got["weights_fixed_bytes"]/18.48e9-1) > 0.01 {
		t.Errorf("a checkpoint of 32 bits is served in 16: %g bytes", got["weights_fixed_bytes"])
	}
}

func TestUnknownInputsLeaveTheirFactsOut(t *testing.T) {
	for _, tc := range []struct {
		name, fact string
		gpus       int
		given      []string
	}{
		{"how many ranks, on several GPUs", "weights_fixed_bytes", 8, nil},
		{"how many engines", "step_batches", 8, []string{"tensor_parallel_size=8", "pipeline_parallel_size=1"}},
		{"the type of the cache", "kv_token_bytes", 1, nil},
		{"a method of unknown size", "weights_fixed_bytes", 1, []string{"quantization=mystery"}},
	} {
		got, note := told(t, "llama-3.1-8b", "vllm", tc.gpus, tc.given...)
		if v, ok := got[tc.fact]; ok || note != "" {
			t.Errorf("%s: %s = %g, %s", tc.name, tc.fact, v, note)
		}
		if got["model_params_fact"] == 0 {
			t.Errorf("%s: the number of parameters does not depend on it", tc.name)
		}
	}
}

func TestAConfigurationThatTheServerContradictsIsLeftOut(t *testing.T) {
	for _, tc := range []struct {
		name  string
		given []string
		out   bool
	}{
		{"the weights that it describes", []string{"model_weights_gib=14.99"}, false},
		{"too few loaded", []string{"model_weights_gib=13.54"}, true},
		{"too many loaded", []string{"model_weights_gib=29"}, true},
		{"a draft model beside", []string{"model_weights_gib=29", "num_speculative_tokens=3"}, false},
		{"a part kept on the host", []string{"model_weights_gib=5", "cpu_offload_gb=10"}, false},
		{"a stage of layers alone", []string{"pipeline_parallel_size=4", "model_weights_gib=3.25"}, false},
		{"a stage with both tables", []string{"pipeline_parallel_size=4", "model_weights_gib=5.2"}, false},
		{"a stage of another model", []string{"pipeline_parallel_size=4", "model_weights_gib=9"}, true},
		{"the cache of a stage", []string{"pipeline_parallel_size=2", "kv_cache_dtype=auto", "kv_memory_gib=50", "kv_capacity_tokens=819200"}, false},
		{"a cache that ranks share by tokens", []string{"decode_context_parallel_size=2", "kv_cache_dtype=auto", "kv_memory_gib=50", "kv_capacity_tokens=819200"}, false},
		{"another cache", []string{"kv_cache_dtype=auto", "kv_memory_gib=100", "kv_capacity_tokens=2000000"}, true},
	} {
		got, note := told(t, "llama-3.1-8b", "vllm", 1, tc.given...)
		if (len(got) == 0) != tc.out || (note != "") != tc.out {
			t.Errorf("%s: %d facts, note %q", tc.name, len(got), note)
		}
	}
}

// A step of Mixtral by hand: two tensor ranks over PCIe, 8 requests of 1,000 tokens, 4 of 8 experts hit in expectation terms.
func TestTheFormulasOfAStep(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	es := &model.Entities{}
	id := es.Add(model.Entity{Scope: model.ScopeTarget, Parent: model.NoEntity, Labels: model.LabelsFrom(map[string]string{"instance": "a"})})
	b := model.NewFrame(time.Unix(0, 0), time.Minute, es)
	for name, v := range map[string]float64{
		"running": 8, "itl_mean_s": 0.05, "gen_tokens_per_s": 160, "prefill_tokens_per_s": 2000, "prompt_mean": 900, "output_mean": 200,
		"kv_used_ratio": 0.1,
	} {
		b.Set(id, name, model.Known(v))
	}
	for name, v := range map[string]float64{
		"step_batches": 1, "weights_fixed_bytes": 1.5e9, "weights_experts_bytes": 45e9, "expert_share": 0.25, "expert_batches": 1,
		"kv_token_bytes": 65536, "kv_window_token_bytes": 0, "kv_window_tokens": 0, "kv_uniform": 1, "kv_capacity_tokens": 80000,
		"token_flops": 12.6e9, "sample_flops": 0.13e9, "attend_flops": 32 * 4 * 4096 / 2, "gpu_flops": 3.12e14, "gpu_bandwidth": 2e12,
		"collective_token_s": 2 * 32 * 4096 * 2 / 3.2e10,
	} {
		b.SetFact(id, name, number(v, "test"))
	}
	c.Signals.Derive(b)
	f := b.Frame()
	hit := 1 - math.Pow(0.75, 8)
	tokens := 2160 * 0.05
	for name, want := range map[string]float64{
		"step_s": 0.05, "step_batch": 8, "step_computed_tokens": tokens, "step_context_tokens": 8000,
		"step_weights_bytes":       1.5e9 + 45e9*hit,
		"step_kv_bytes":            8000 * 65536,
		"step_memory_s":            (1.5e9 + 45e9*hit + 8000*65536) / 2e12,
		"step_compute_s":           (12.6e9*tokens + 0.13e9*8 + 262144*(8000+2000*0.05*450)) / 3.12e14,
		"step_collectives_s":       tokens * 1.6384e-5,
		"step_floor_s":             (1.5e9 + 45e9*hit + 8000*65536) / 2e12,
		"full_batch":               80,
		"collective_ceiling_ratio": tokens * 1.6384e-5 / 0.05,
	} {
		if v, ok := f.Get(id, name); !ok || math.Abs(v.V/want-1) > 1e-6 {
			t.Errorf("%s = %g (%v), want %g", name, v.V, ok, want)
		}
	}
	if d := engine.New(engine.Options{Rules: c.Rules, Playbooks: c.Playbooks, Meanings: c, Knobs: c}).Diagnose(f, nil); len(d) != 1 || d[0].Ceiling == nil || d[0].Ceiling.Limit != "bandwidth" {
		t.Errorf("%+v", d)
	}
}

// What limits a step, and what is said of it, by what a step of 0.1 s needs for reading, arithmetic and exchange.
func TestTheVerdictFollowsWhatTakesLongest(t *testing.T) {
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Options{Rules: c.Rules, Playbooks: c.Playbooks, Meanings: c, Knobs: c})
	for _, tc := range []struct {
		name                     string
		memory, compute, between float64
		limit, says              string
		far                      bool
	}{
		{"reading", 0.06, 0.01, 0, "bandwidth", "fewer bytes", false},
		{"arithmetic", 0.01, 0.05, 0.02, "compute", "fewer tokens to compute", false},
		{"links", 0.01, 0.03, 0.05, "interconnect", "fewer tensor-parallel ranks", false},
		{"little of anything", 0.02, 0.01, 0.005, "bandwidth", "settings can help", true},
		{"a bit of each is enough together", 0.021, 0.02, 0.005, "bandwidth", "a faster host gains little", false},
	} {
		es := &model.Entities{}
		id := es.Add(model.Entity{Scope: model.ScopeTarget, Parent: model.NoEntity, Labels: model.LabelsFrom(map[string]string{"instance": "a"})})
		b := model.NewFrame(time.Unix(0, 0), time.Minute, es)
		for name, v := range map[string]float64{"itl_mean_s": 0.1, "step_memory_s": tc.memory, "step_compute_s": tc.compute, "step_collectives_s": tc.between} {
			b.Set(id, name, model.Known(v))
		}
		c.Signals.Derive(b)
		d := e.Diagnose(b.Frame(), nil)[0].Ceiling
		if d == nil || d.Limit != tc.limit || d.Far != tc.far || !strings.Contains(d.Says, tc.says) {
			t.Errorf("%s: %+v", tc.name, d)
		}
	}
}

package shape

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t testing.TB, name string) *Shape {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s, err := Read(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

// The figures that makers publish, in 10^9. Of the active ones some count embedding and output layer, some the latter, some neither.
func TestParametersAreThoseThatMakersPublish(t *testing.T) {
	for _, tc := range []struct {
		name          string
		total, active float64
		count         string
		within        float64
	}{
		{"llama-3.1-8b", 8.03, 8.03, "all", 0.005},
		{"llama-3.1-70b", 70.55, 70.55, "all", 0.005},
		{"mistral-7b-v0.1", 7.24, 7.24, "all", 0.005},
		{"qwen2.5-7b", 7.62, 7.62, "all", 0.005},
		{"qwen3-0.6b", 0.596, 0.596, "output", 0.01},
		{"qwen3-30b-a3b", 30.5, 3.3, "all", 0.015},
		{"qwen2-57b-a14b", 57.4, 14.2, "all", 0.01},
		{"qwen3-next-80b-a3b", 79.7, 3.87, "all", 0.015},
		{"mixtral-8x7b", 46.7, 12.9, "all", 0.005},
		{"deepseek-v3", 671, 37, "output", 0.02},
		{"kimi-k2", 1026, 32.6, "all", 0.02},
		{"deepseek-v2-lite", 15.7, 2.66, "all", 0.02},
		{"gemma-2-9b", 9.24, 9.24, "output", 0.005},
		{"gemma-3-27b", 27.0, 27.0, "output", 0.005},
		{"gpt-oss-20b", 20.9, 3.61, "output", 0.015},
		{"gpt-oss-120b", 116.8, 5.13, "output", 0.015},
		{"glm-4.5-air", 106, 12.2, "neither", 0.02},
		{"phi-4", 14.66, 14.66, "all", 0.005},
		{"llama-4-scout", 107.8, 17.2, "all", 0.02},
		{"nemotron-3-nano-30b", 31.6, 3.57, "all", 0.005},
		{"gpt2", 0.1244, 0.1244, "output", 0.01},
	} {
		s := open(t, tc.name)
		active := s.Active()
		switch {
		case tc.count == "all" && !s.Tied:
			active += s.Embedding()
		case tc.count == "neither":
			active -= s.Head()
		}
		if got := s.Params() / 1e9; math.Abs(got/tc.total-1) > tc.within {
			t.Errorf("%s: %.4g billion parameters, want %.4g", tc.name, got, tc.total)
		}
		if got := active / 1e9; math.Abs(got/tc.active-1) > max(tc.within, 0.02) {
			t.Errorf("%s: %.4g billion active, want %.4g", tc.name, got, tc.active)
		}
	}
}

func TestKVOfATokenFollowsHeadsLatentsAndWindows(t *testing.T) {
	for _, tc := range []struct {
		name  string
		ranks float64
		want  KV
	}{
		// 128 KiB at 16 bits, as its server logs: 104.2 GiB for 853,552 tokens.
		{"llama-3.1-8b", 1, KV{Full: 65536}},
		{"llama-3.1-8b", 4, KV{Full: 16384}},
		{"llama-3.1-8b", 16, KV{Full: 8192}},                  // a head is not shared by ranks
		{"deepseek-v3", 8, KV{Full: 61 * 576}},                // nor is a latent
		{"qwen3-next-80b-a3b", 1, KV{Full: 12 * 2 * 2 * 256}}, // 36 of 48 layers keep a state that does not grow
		{"gpt-oss-20b", 1, KV{Full: 12 * 1024, Windowed: 12 * 1024, Window: 128}},
		{"gemma-3-27b", 1, KV{Full: 10 * 4096, Windowed: 52 * 4096, Window: 1024}},
		{"gemma-2-9b", 1, KV{Full: 21 * 4096, Windowed: 21 * 4096, Window: 4096}},
		{"mistral-7b-v0.1", 1, KV{Windowed: 65536, Window: 4096}},
		{"qwen2.5-7b", 1, KV{Full: 28 * 1024}}, // it has a window and does not use it
	} {
		if got := open(t, tc.name).KV(tc.ranks); got != tc.want {
			t.Errorf("%s on %g ranks: %+v, want %+v", tc.name, tc.ranks, got, tc.want)
		}
	}
}

// The sizes of the published files, in GB (10^9), without what is no part of the language model's steps.
func TestBytesFollowTheQuantisation(t *testing.T) {
	for _, tc := range []struct {
		name   string
		want   float64
		within float64
	}{
		{"llama-3.1-8b", 16.06 - 1.05, 0.005},
		{"llama-3.3-70b-awq", 39.77 - 2.1, 0.02},
		{"deepseek-v3", 671 + 1.85 - 0.93, 0.02}, // 8 bits, output layer 16
		{"gpt-oss-20b", 13.76 - 1.16, 0.02},
		{"gpt-oss-120b", 65.25 - 1.16, 0.02},
	} {
		b, ok := open(t, tc.name).Bytes()
		if got := (b.Fixed + b.Experts) / 1e9; !ok || math.Abs(got/tc.want-1) > tc.within {
			t.Errorf("%s: %.4g GB, %v, want %.4g", tc.name, got, ok, tc.want)
		}
	}
}

func TestWhatCannotBeToldIsNotGuessed(t *testing.T) {
	const llama = `"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100`
	for _, tc := range []struct{ name, in, want string }{
		{"no JSON", "layers: 3", "no config.json"},
		{"another JSON", `{"a": 1}`, "num_hidden_layers"},
		{"defaults of a class", `{"text_config": {"hidden_size": 2560, "num_hidden_layers": 34}}`, "num_attention_heads, vocab_size"},
		{"layers of an unknown type", `{` + llama + `, "layer_types": ["full_attention", "magic"]}`, `"magic"`},
		{"too few layers listed", `{` + llama + `, "layer_types": ["full_attention"]}`, "1 of 2 layers"},
		{"experts without a number of a token's", `{` + llama + `, "num_experts": 8, "moe_intermediate_size": 32}`, "num_experts_per_tok"},
		{"a hybrid told in another way", `{` + llama + `, "linear_attn_config": {"kda_layers": [1]}}`, "linear_attn_config"},
		{"Mamba without its heads", `{` + llama + `, "attn_layer_period": 2, "attn_layer_offset": 1}`, "Mamba"},
		{"Mamba beside attention", `{` + llama + `, "mamba_d_state": 16}`, "Mamba"},
		{"experts in a latent space", `{` + llama + `, "moe_latent_size": 16}`, "moe_latent_size"},
		{"some layers of lightning attention", `{` + llama + `, "attn_type_list": [1, 0]}`, "attn_type_list"},
		{"absurd sizes", `{"hidden_size": 1e9, "num_hidden_layers": 2000, "num_attention_heads": 4, "vocab_size": 1e9}`, "parameters"},
		{"many layers", `{"hidden_size": 8, "num_hidden_layers": 1e8, "num_attention_heads": 4, "vocab_size": 8}`, "layers"},
	} {
		s, err := Read(strings.NewReader(tc.in))
		if err == nil || !errors.Is(err, ErrNotConfig) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %+v, %v; want an error with %q", tc.name, s, err, tc.want)
		}
	}
	for _, tc := range []struct{ name, in string }{
		{"no type of the weights", `{` + llama + `}`},
		{"an unknown method", `{` + llama + `, "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "mystery"}}`},
		{"groups of several widths", `{` + llama + `, "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "compressed-tensors",
			"config_groups": {"a": {"weights": {"num_bits": 4}}, "b": {"weights": {"num_bits": 8}}}}}`},
	} {
		s, err := Read(strings.NewReader(tc.in))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if b, ok := s.Bytes(); ok {
			t.Errorf("%s: %+v bytes", tc.name, b)
		}
	}
}

func TestLayersAreReadHoweverTheyAreTold(t *testing.T) {
	pattern := open(t, "nemotron-3-nano-30b")
	raw, err := os.ReadFile("testdata/nemotron-3-nano-30b.json")
	if err != nil {
		t.Fatal(err)
	}
	words := strings.NewReplacer("M", `"mamba",`, "E", `"moe",`, "*", `"attention",`).Replace("MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME")
	list := strings.Replace(string(raw), `"hybrid_override_pattern": "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"`, `"layers_block_type": [`+strings.TrimSuffix(words, ",")+`]`, 1)
	s, err := Read(strings.NewReader(list))
	if err != nil || s.Params() != pattern.Params() || s.KV(1) != pattern.KV(1) {
		t.Errorf("%v: %+v", err, s)
	}
	const llama = `{"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "attn_type_list": [1, 1]}`
	if s, err := Read(strings.NewReader(llama)); err != nil || s.KV(1).Full != 256 {
		t.Errorf("%v: %+v", err, s)
	}
}

// Forms of quantization_config as checkpoints have them.
func TestQuantisationIsReadAsCheckpointsTellIt(t *testing.T) {
	const llama = `"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "torch_dtype": "bfloat16", "quantization_config": `
	for _, tc := range []struct {
		name, in string
		want     Quant
	}{
		{"ModelOpt's NVFP4, attention kept", `{"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16, "ignore": ["lm_head", "model.layers.*.self_attn*"], "kv_cache_scheme": {"type": "float"}}`, Quant{Method: "modelopt", Bits: 4.5, KeepsMixer: true, KV: true}},
		{"ModelOpt's FP8", `{"quant_method": "modelopt", "quant_algo": "FP8"}`, Quant{Method: "modelopt", Bits: 8}},
		{"several types", `{"quant_method": "modelopt", "quant_algo": "MIXED_PRECISION"}`, Quant{Method: "modelopt"}},
		{"compressed tensors of 4 bits", `{"quant_method": "compressed-tensors", "kv_cache_scheme": null, "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 128}}}}`, Quant{Method: "compressed-tensors", Bits: 4.125, Integer: true}},
		{"8 bits, a part of attention kept in each layer", `{"quant_method": "compressed-tensors", "ignore": ["model.layers.0.self_attn.kv_b_proj", "model.layers.1.self_attn.kv_b_proj"], "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}}`, Quant{Method: "compressed-tensors", Bits: 8, Integer: true}},
		{"attention kept, matrix by matrix", `{"quant_method": "fp8", "modules_to_not_convert": ["model.layers.0.self_attn.o_proj", "model.layers.1.self_attn.o_proj"]}`, Quant{Method: "fp8", Bits: 8, KeepsMixer: true}},
		{"GPTQ", `{"quant_method": "gptq", "bits": 4, "group_size": -1}`, Quant{Method: "gptq", Bits: 4, Integer: true}},
		{"bitsandbytes", `{"quant_method": "bitsandbytes", "load_in_4bit": true}`, Quant{Method: "bitsandbytes", Bits: 4, Integer: true}},
		{"no method", `{"some": "thing"}`, Quant{Method: "unknown"}},
	} {
		s, err := Read(strings.NewReader("{" + llama + tc.in + "}"))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if s.Quant != tc.want {
			t.Errorf("%s: %+v, want %+v", tc.name, s.Quant, tc.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal(err, len(files))
	}
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Read(strings.NewReader(string(raw)))
		if err != nil {
			if !errors.Is(err, ErrNotConfig) {
				t.Fatalf("%v does not say that it is no configuration", err)
			}
			return
		}
		b, _ := s.Bytes()
		kv := s.KV(2)
		for _, v := range []float64{s.Params(), s.Active(), b.Fixed, b.Experts, kv.Full, kv.Windowed, s.Attend()} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("%g of %+v", v, s)
			}
		}
		if s.Active() > s.Params()+s.Head() {
			t.Fatalf("%g active of %g", s.Active(), s.Params())
		}
	})
}

package config_test

import (
	"strings"
	"testing"

	"github.com/inferdx/inferdx/internal/config"
)

const tinyLlama = `{"architectures": ["LlamaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 100, "torch_dtype": "bfloat16"}`

func TestModelsAreReadWithTheConfiguration(t *testing.T) {
	path := write(t, "inferdx.yml", "urls: a:8000\nmodels: [{match: {model_name: chat.*}, config_file: m/config.json, gpu: NVIDIA H20}, {gpu: 'bandwidth: 1e12'}]", "m/config.json", tinyLlama)
	s, err := config.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	c, _, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ hidden, bandwidth float64 }{{64, 4e12}, {0, 1e12}} {
		m, err := s.Shape(c.Models[i])
		if err != nil || (m == nil) != (want.hidden == 0) || m != nil && m.Hidden != want.hidden {
			t.Errorf("%d: %+v, %v", i, m, err)
		}
		if g, ok := c.Models[i].Device(); !ok || g.Bandwidth != want.bandwidth {
			t.Errorf("%d: %+v", i, g)
		}
	}
}

func TestAModelsConfigurationCountsForTheHash(t *testing.T) {
	text := "urls: a:8000\nmodels: [{config_file: config.json}]"
	one, err := config.Hash(write(t, "inferdx.yml", text, "config.json", tinyLlama))
	if err != nil {
		t.Fatal(err)
	}
	other, err := config.Hash(write(t, "inferdx.yml", text, "config.json", strings.Replace(tinyLlama, "64", "128", 1)))
	if err != nil || one == other {
		t.Errorf("%s and %s, %v", one, other, err)
	}
}

func TestFaultsOfModelsAreToldAtTheirPlace(t *testing.T) {
	for _, tc := range []struct{ name, models, want string }{
		{"nothing said", "{match: {job: a}}", "2:10: want config_file, gpu or both"},
		{"no such file", "{config_file: gone.json}", "gone.json"},
		{"no configuration of a model", "{config_file: other.json}", "2:24: no config.json of a language model: it does not say"},
		{"no such GPU", "{gpu: Voodoo 2}", "2:16: Voodoo 2 is no known GPU"},
	} {
		_, _, err := config.Load(write(t, "inferdx.yml", "urls: a:8000\nmodels: ["+tc.models+"]", "other.json", `{"a": 1}`))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

package ceiling

import (
	"math"
	"os"
	"testing"

	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/shape"
)

func read(t *testing.T, name string) *shape.Shape {
	t.Helper()
	f, err := os.Open("../shape/testdata/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	s, err := shape.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func gpu(t *testing.T, name string) hardware.GPU {
	t.Helper()
	g, ok := hardware.Find(name)
	if !ok {
		t.Fatalf("no %s", name)
	}
	return g
}

func alone(s *shape.Shape, g hardware.GPU) Server {
	return Server{Shape: s, GPU: g, Tensor: 1, ExpertRanks: 1, Batches: 1, ExpertBatches: 1, Engines: 1, KVBits: 16}
}

func near(t *testing.T, facts map[string]float64, name string, want float64) {
	t.Helper()
	if got, ok := facts[name]; !ok || math.Abs(got-want) > 0.01*math.Abs(want) {
		t.Errorf("%s = %g (%v), want %g", name, got, ok, want)
	}
}

// By hand: 8.03 billion parameters less 0.525 of the embedding table, 2 bytes each; 32 layers x 2 x 8 heads x 128 x 2 bytes.
func TestADenseModelOnOneGPU(t *testing.T) {
	f := alone(read(t, "llama-3.1-8b"), gpu(t, "NVIDIA H200")).Facts()
	near(t, f, "weights_fixed_bytes", 15.01e9)
	near(t, f, "kv_token_bytes", 131072)
	near(t, f, "token_flops", 2*6.98e9)
	near(t, f, "sample_flops", 2*0.525e9)
	near(t, f, "attend_flops", 4*32*128*32)
	near(t, f, "gpu_flops", 9.895e14)
	for _, name := range []string{"weights_experts_bytes", "expert_share", "kv_window_token_bytes", "collective_token_s"} {
		if v, ok := f[name]; !ok || v != 0 {
			t.Errorf("%s = %g, %v, want 0", name, v, ok)
		}
	}
	if f["kv_uniform"] != 1 {
		t.Error("all of its layers keep all tokens")
	}
}

// DeepSeek V3 on eight H200: attention as tensor parallel, each GPU an eighth of the experts.
func TestAMixtureOfExpertsOnEightGPUs(t *testing.T) {
	s := alone(read(t, "deepseek-v3"), gpu(t, "NVIDIA H200"))
	s.Tensor, s.ExpertRanks = 8, 8
	f := s.Facts()
	near(t, f, "expert_share", 8.0/256)
	near(t, f, "weights_experts_bytes", 58*256*3*7168*2048.0/8)
	near(t, f, "gpu_flops", 1.979e15)
	near(t, f, "kv_token_bytes", 61*576*2) // every rank holds the latent
	near(t, f, "collective_token_s", 2*61*7168*2/4.5e11)
	if loaded, _, ok := s.Loaded(1); !ok || loaded < 83e9 || loaded > 86e9 {
		t.Errorf("a GPU loads %g, %v, want an eighth of 671 GB and the tables", loaded, ok)
	}
}

func TestSlidingWindowsAndStatesAreNotThePool(t *testing.T) {
	for _, name := range []string{"gpt-oss-20b", "gemma-3-27b", "qwen3-next-80b-a3b"} {
		if f := alone(read(t, name), gpu(t, "NVIDIA H200")).Facts(); f["kv_uniform"] != 0 {
			t.Errorf("%s: tokens in the pool are not what a step reads", name)
		}
	}
}

func TestWhatIsUnknownIsLeftOut(t *testing.T) {
	s := alone(read(t, "llama-3.1-8b"), hardware.GPU{})
	s.KVBits = 0
	f := s.Facts()
	for _, name := range []string{"gpu_flops", "kv_token_bytes"} {
		if v, ok := f[name]; ok {
			t.Errorf("%s = %g without its input", name, v)
		}
	}
	s.Tensor = 0
	f = s.Facts()
	if len(f) != 2 {
		t.Errorf("without the number of ranks only the model itself is known, got %v", f)
	}
	s = alone(read(t, "llama-3.1-8b"), hardware.GPU{Half: 1e14})
	s.Tensor = 2
	if v, ok := s.Facts()["collective_token_s"]; ok {
		t.Errorf("collectives take %g s over a link that is not known", v)
	}
}

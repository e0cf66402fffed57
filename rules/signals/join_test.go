package signals

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

var start = time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)

// page adds samples every 15 s for 5 minutes.
func page(st *samples.Store, name string, labels map[string]string, value func(i int) float64) {
	s := st.Series(name, model.LabelsFrom(labels))
	for i := 0; i <= 20; i++ {
		s.Add(start.Add(time.Duration(i)*15*time.Second).UnixMilli(), value(i))
	}
}

func constant(v float64) func(int) float64 { return func(int) float64 { return v } }

func with(base map[string]string, kv ...string) map[string]string {
	out := map[string]string{}
	for k, v := range base {
		out[k] = v
	}
	for i := 0; i < len(kv); i += 2 {
		out[kv[i]] = kv[i+1]
	}
	return out
}

func frame(t *testing.T, st *samples.Store, join Join) *model.Frame {
	t.Helper()
	c, err := Load(Builtin())
	if err != nil {
		t.Fatal(err)
	}
	st.Finish()
	return c.Frame(st, Request{At: start.Add(5 * time.Minute), Window: 5 * time.Minute, Join: join})
}

// byInstance finds a target.
func byInstance(t *testing.T, f *model.Frame, instance string) model.Entity {
	t.Helper()
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget && e.Labels.Get("instance") == instance {
			return e
		}
	}
	t.Fatalf("no target %s", instance)
	return model.Entity{}
}

// fourServers puts four vLLM servers on one host, with eight GPUs beside them.
func fourServers(gpu func(i int) map[string]string, server func(i int) map[string]string) *samples.Store {
	st := samples.NewStore()
	for i := range 4 {
		labels := with(map[string]string{"job": "vllm", "instance": fmt.Sprintf("node-a:%d", 8000+i), "model_name": "m", "engine": "0"})
		for k, v := range server(i) {
			labels[k] = v
		}
		page(st, "vllm:num_requests_running", labels, constant(float64(i)))
	}
	for i := range 8 {
		labels := with(map[string]string{"job": "dcgm", "instance": "node-a:9400", "Hostname": "node-a", "gpu": fmt.Sprint(i), "UUID": fmt.Sprintf("GPU-%d", i)})
		for k, v := range gpu(i) {
			labels[k] = v
		}
		page(st, "DCGM_FI_DEV_GPU_UTIL", labels, constant(float64(10*i)))
	}
	return st
}

func none(int) map[string]string { return nil }

func TestEightGPUsAndFourServersOnOneHostAreNeverMixed(t *testing.T) {
	f := frame(t, fourServers(none, none), Join{})
	for i := range 4 {
		e := byInstance(t, f, fmt.Sprintf("node-a:%d", 8000+i))
		if v, ok := f.Get(e.ID, "gpu_util_ratio"); ok {
			t.Errorf("server %d got GPU utilisation %v that nobody can attribute", i, v.V)
		}
		var why string
		for _, m := range f.Missing(e.ID) {
			if m.Signal == "gpu_util_ratio" {
				why = m.Needs
			}
		}
		if why == "" || why == "dcgm-exporter beside the server" {
			t.Errorf("server %d: missing says %q, want why the GPUs there are not its own", i, why)
		}
	}
}

func TestGPUsJoinTheirServerByPod(t *testing.T) {
	for _, tc := range []struct {
		name string
		gpu  func(i int) map[string]string
	}{
		{"pod", func(i int) map[string]string {
			return map[string]string{"namespace": "llm", "pod": fmt.Sprintf("srv-%d", i/2)}
		}},
		{"exported_pod, where pod is the exporter's", func(i int) map[string]string {
			return map[string]string{
				"namespace": "gpu", "pod": "dcgm-exporter-x", "exported_namespace": "llm", "exported_pod": fmt.Sprintf("srv-%d", i/2),
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := frame(t, fourServers(tc.gpu, func(i int) map[string]string {
				return map[string]string{"namespace": "llm", "pod": fmt.Sprintf("srv-%d", i)}
			}), Join{})
			for i := range 4 {
				e := byInstance(t, f, fmt.Sprintf("node-a:%d", 8000+i))
				want := (float64(10*2*i) + float64(10*(2*i+1))) / 2 / 100
				if v, ok := f.Get(e.ID, "gpu_util_ratio"); !ok || v.V < want-1e-9 || v.V > want+1e-9 {
					t.Errorf("server %d: GPU utilisation %v %v, want %v", i, v.V, ok, want)
				}
				if n := len(f.Entities.Children(e.ID, model.ScopeGPU)); n != 2 {
					t.Errorf("server %d has %d GPUs, want 2", i, n)
				}
			}
		})
	}
}

func TestGPUsJoinByConfiguredUUID(t *testing.T) {
	f := frame(t, fourServers(none, none), Join{GPUs: map[string][]string{"node-a:8003": {"GPU-7"}}})
	e := byInstance(t, f, "node-a:8003")
	if v, ok := f.Get(e.ID, "gpu_util_ratio"); !ok || math.Abs(v.V-0.7) > 1e-9 {
		t.Errorf("got %v %v, want 0.7", v.V, ok)
	}
}

func TestAServerAloneOnItsHostOwnsTheHostsGPUs(t *testing.T) {
	st := samples.NewStore()
	page(st, "vllm:num_requests_running", map[string]string{"job": "vllm", "instance": "node-b:8000", "model_name": "m"}, constant(1))
	page(st, "DCGM_FI_DEV_GPU_UTIL", map[string]string{"job": "dcgm", "instance": "node-b:9400", "hostname": "node-b", "UUID": "GPU-1"}, constant(50))
	page(st, "DCGM_FI_DEV_GPU_UTIL", map[string]string{"job": "dcgm", "instance": "node-c:9400", "hostname": "node-c", "UUID": "GPU-2"}, constant(90))
	f := frame(t, st, Join{})
	if v, ok := f.Get(byInstance(t, f, "node-b:8000").ID, "gpu_util_ratio"); !ok || v.V != 0.5 {
		t.Errorf("got %v %v, want 0.5", v.V, ok)
	}
}

func TestRanksAreSummedAndKeptApart(t *testing.T) {
	st := samples.NewStore()
	for rank, running := range []float64{27, 5} {
		l := map[string]string{"job": "vllm", "instance": "a:8000", "model_name": "m", "engine": fmt.Sprint(rank)}
		page(st, "vllm:num_requests_running", l, constant(running))
		page(st, "vllm:generation_tokens_total", l, func(i int) float64 { return float64(i*150) * (1 + float64(rank)) })
	}
	f := frame(t, st, Join{})
	e := byInstance(t, f, "a:8000")
	if v, _ := f.Get(e.ID, "running"); v.V != 32 {
		t.Errorf("running %v, want 32", v.V)
	}
	if v, _ := f.Get(e.ID, "gen_tokens_per_s"); v.V < 29.9 || v.V > 30.1 {
		t.Errorf("generation %v tokens/s, want 30", v.V)
	}
	ranks := f.Entities.Children(e.ID, model.ScopeRank)
	if len(ranks) != 2 {
		t.Fatalf("%d ranks, want 2", len(ranks))
	}
	if v, _ := f.Get(ranks[0], "running"); v.V != 27 {
		t.Errorf("rank 0 runs %v, want 27", v.V)
	}
}

func TestARenamedMetricIsNotCountedTwice(t *testing.T) {
	st := samples.NewStore()
	l := map[string]string{"job": "vllm", "instance": "a:8000", "model_name": "m"}
	page(st, "vllm:num_requests_running", l, constant(1))
	for _, n := range []string{"vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds"} {
		page(st, n+"_count", l, func(i int) float64 { return float64(i * 10) })
		page(st, n+"_sum", l, func(i int) float64 { return float64(i) / 10 })
		for _, le := range []string{"0.01", "0.025", "+Inf"} {
			page(st, n+"_bucket", with(l, "le", le), func(i int) float64 { return float64(i * 10) })
		}
	}
	f := frame(t, st, Join{})
	if v, _ := f.Get(byInstance(t, f, "a:8000").ID, "itl_events"); v.V != 190 { // 19 intervals lie inside (at - 5m, at]
		t.Errorf("%v events, want 190", v.V)
	}
}

func TestNamesMayComeWithUnderscores(t *testing.T) {
	st := samples.NewStore()
	page(st, "vllm_num_requests_running", map[string]string{"job": "ray", "instance": "a:8000"}, constant(4))
	f := frame(t, st, Join{})
	if v, ok := f.Get(byInstance(t, f, "a:8000").ID, "running"); !ok || v.V != 4 {
		t.Errorf("running %v %v, want 4", v.V, ok)
	}
}

func TestNaNIsNotAValue(t *testing.T) {
	st := samples.NewStore()
	nan := func(int) float64 { var zero float64; return zero / zero }
	page(st, "vllm:num_requests_running", map[string]string{"job": "vllm", "instance": "a:8000"}, nan)
	f := frame(t, st, Join{})
	if v, ok := f.Get(byInstance(t, f, "a:8000").ID, "running"); ok {
		t.Errorf("running is %v, want absent", v.V)
	}
}

func TestAnUnreachableInstanceIsATargetThatIsDown(t *testing.T) {
	st := samples.NewStore()
	page(st, "up", map[string]string{"job": "vllm", "instance": "a:8000"}, constant(0))
	f := frame(t, st, Join{})
	if v, ok := f.Get(byInstance(t, f, "a:8000").ID, "down"); !ok || v.V != 1 {
		t.Errorf("down is %v %v, want 1", v.V, ok)
	}
}

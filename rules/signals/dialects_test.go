package signals_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// pages shows two scrapes, a minute apart, of what a text has as "series first second".
func pages(t *testing.T, text string) (*model.Frame, model.EntityID) {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		name, labels, _ := strings.Cut(strings.TrimSuffix(f[0], "}"), "{")
		if labels != "" {
			labels = "," + labels
		}
		for i, v := range f[1:] {
			b.WriteString(name + `{job="j",instance="a:8000"` + labels + "} " + v + " " + []string{"1795500000", "1795500060"}[i] + "\n")
		}
	}
	st, err := recording.Options{}.Read("page.om", strings.NewReader(b.String()+"# EOF\n"))
	if err != nil {
		t.Fatal(err)
	}
	f := catalog(t).Frame(st, signals.Request{At: time.Unix(1795500060, 0), Window: 5 * time.Minute, Facts: func(x signals.Target) (own, shared map[string]model.Fact) {
		own = map[string]model.Fact{}
		for name, v := range x.Shown {
			own[name] = model.Fact{Num: v, IsNum: true}
		}
		return own, nil
	}})
	return f, server(t, f)
}

// The pages are written from the metrics' definitions in the engines' released files: none of these servers was run.
func TestOtherEnginesAreRead(t *testing.T) {
	for _, tt := range []struct {
		engine, page string
		want         map[model.SignalID]float64
		facts        map[string]float64
		absent       []model.SignalID
	}{
		{
			"trtllm", `
			trtllm_num_requests_running{model_name="m",engine_type="trtllm"} 64 64
			trtllm_num_requests_waiting{model_name="m",engine_type="trtllm"} 10 12
			trtllm_kv_cache_utilization{model_name="m",engine_type="trtllm"} 0.4 0.5
			trtllm_max_batch_size_static{model_name="m",engine_type="trtllm"} 64 64
			trtllm_kv_cache_max_blocks{model_name="m",engine_type="trtllm"} 1000 1000
			trtllm_kv_cache_tokens_per_block{model_name="m",engine_type="trtllm"} 32 32
			trtllm_generation_tokens_total{model_name="m",engine_type="trtllm"} 0 6000
			trtllm_prompt_tokens_total{model_name="m",engine_type="trtllm"} 0 12000
			trtllm_prompt_cached_tokens_total{model_name="m",engine_type="trtllm"} 0 3000
			trtllm_request_success_total{model_name="m",engine_type="trtllm",finished_reason="stop"} 0 50
			trtllm_request_success_total{model_name="m",engine_type="trtllm",finished_reason="length"} 0 10
			trtllm_time_to_first_token_seconds_bucket{model_name="m",engine_type="trtllm",le="1.0"} 0 60
			trtllm_time_to_first_token_seconds_bucket{model_name="m",engine_type="trtllm",le="+Inf"} 0 60
			trtllm_time_to_first_token_seconds_sum{model_name="m",engine_type="trtllm"} 0 30
			trtllm_time_to_first_token_seconds_count{model_name="m",engine_type="trtllm"} 0 60`,
			map[model.SignalID]float64{"running_max": 64, "waiting_last": 12, "kv_used_max_ratio": 0.5, "gen_tokens_per_s": 100, "prefix_hit_ratio": 0.25, "requests_finished": 60, "requests_to_limit": 10, "ttft_mean_s": 0.5},
			map[string]float64{"max_num_seqs": 64, "kv_capacity_tokens": 32000, "block_size": 32},
			[]model.SignalID{"preemptions_per_s", "stalled_running_s", "itl_p99_s"},
		},
		{
			"triton-trtllm", `
			nv_trt_llm_request_metrics{model="m",request_type="scheduled",version="1"} 8 8
			nv_trt_llm_request_metrics{model="m",request_type="waiting",version="1"} 3 5
			nv_trt_llm_request_metrics{model="m",request_type="max",version="1"} 512 512
			nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction",model="m",version="1"} 0.9 0.95
			nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="m",version="1"} 100 100
			nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="m",version="1"} 64 64`,
			map[model.SignalID]float64{"running_max": 8, "waiting_last": 5, "kv_used_max_ratio": 0.95},
			map[string]float64{"kv_capacity_tokens": 6400},
			[]model.SignalID{"ttft_mean_s", "gen_tokens_per_s"},
		},
		{
			"tgi", `
			tgi_batch_current_size 16 16
			tgi_queue_size 4 6
			tgi_request_success{method="generate_stream"} 0 30
			tgi_request_failure{err="overloaded"} 0 6
			tgi_request_generated_tokens_bucket{le="+Inf"} 0 30
			tgi_request_generated_tokens_sum 0 6000
			tgi_request_generated_tokens_count 0 30
			tgi_request_mean_time_per_token_duration_bucket{le="+Inf"} 0 30
			tgi_request_mean_time_per_token_duration_sum 0 0.9
			tgi_request_mean_time_per_token_duration_count 0 30`,
			map[model.SignalID]float64{"running_max": 16, "waiting_last": 6, "requests_finished": 30, "requests_rejected_per_s": 0.1, "output_mean": 200, "gen_tokens_per_s": 100, "itl_mean_s": 0.03},
			nil,
			[]model.SignalID{"ttft_mean_s", "kv_used_ratio", "preemptions_per_s"},
		},
	} {
		t.Run(tt.engine, func(t *testing.T) {
			f, id := pages(t, tt.page)
			if got := f.Entities.Get(id).Engine.Name; got != tt.engine {
				t.Errorf("taken for %q", got)
			}
			for s, want := range tt.want {
				if v, ok := f.Get(id, s); !ok || math.Abs(v.V-want) > 0.02*want {
					t.Errorf("%s is %v, %v, want %v", s, v.V, ok, want)
				}
			}
			for name, want := range tt.facts {
				if v, ok := f.Fact(id, name); !ok || v.Num != want {
					t.Errorf("fact %s is %v, %v, want %v", name, v.Num, ok, want)
				}
			}
			for _, s := range tt.absent {
				if v, ok := f.Get(id, s); ok {
					t.Errorf("%s is %v although nothing tells it", s, v.V)
				}
			}
		})
	}
}

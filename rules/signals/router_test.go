package signals_test

import (
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// scene is two scrapes, a minute apart, of "series first second" with all labels spelled out.
func scene(t *testing.T, text string) *model.Frame {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		for i, v := range f[1:] {
			if v != "-" {
				b.WriteString(f[0] + " " + v + " " + []string{"1795500000", "1795500060"}[i] + "\n")
			}
		}
	}
	st, err := recording.Options{}.Read("page.om", strings.NewReader(b.String()+"# EOF\n"))
	if err != nil {
		t.Fatal(err)
	}
	return catalog(t).Frame(st, signals.Request{At: time.Unix(1795500060, 0), Window: 5 * time.Minute})
}

func of(t *testing.T, f *model.Frame, instance string) model.EntityID {
	t.Helper()
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget && e.Labels.Get("instance") == instance {
			return e.ID
		}
	}
	t.Fatalf("no target %s", instance)
	return model.NoEntity
}

func wantSignals(t *testing.T, f *model.Frame, id model.EntityID, want map[model.SignalID]float64) {
	t.Helper()
	for s, w := range want {
		if v, ok := f.Get(id, s); !ok || v.V < w-1e-9 || v.V > w+1e-9 {
			t.Errorf("%s = %v (there: %v), want %v", s, v.V, ok, w)
		}
	}
}

const twoServers = `
	up{instance="a:8000"} 1 1
	up{instance="b:8000"} 1 1
	vllm:num_requests_running{instance="a:8000",model_name="Qwen"} 4 4
	vllm:num_requests_running{instance="b:8000",model_name="Qwen"} 0 0
`

// The pages are written from the metrics' definitions in the routers' released files: none of these routers was run.
func TestRoutersAreRead(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		want       map[model.SignalID]float64
	}{
		{
			"dynamo", `
			dynamo_frontend_requests_total{instance="r:8000",model="qwen",status="success",error_type=""} 0 900
			dynamo_frontend_requests_total{instance="r:8000",model="qwen",status="error",error_type="internal"} 0 50
			dynamo_frontend_requests_total{instance="r:8000",model="qwen",status="error",error_type="overload"} 0 30
			dynamo_frontend_requests_total{instance="r:8000",model="qwen",status="error",error_type="validation"} 0 20
			dynamo_frontend_inflight_requests{instance="r:8000",model="qwen"} 12 12
			dynamo_frontend_router_queue_pending_requests{instance="r:8000",worker_type="decode"} 3 3
			dynamo_frontend_kv_hit_rate_sum{instance="r:8000"} 0 250
			dynamo_frontend_kv_hit_rate_count{instance="r:8000"} 0 1000
			dynamo_frontend_kv_hit_rate_bucket{instance="r:8000",le="+Inf"} 0 1000`,
			map[model.SignalID]float64{"router_requests": 1000, "router_failed": 80, "router_rejected": 30, "router_failed_ratio": 0.08, "router_inflight": 12, "router_waiting": 3, "router_prefix_match_ratio": 0.25, "router_down": 0},
		},
		{
			"epp", `
			inference_objective_request_total{instance="r:9090",model_name="front",target_model_name="Qwen"} 0 1000
			inference_objective_request_error_total{instance="r:9090",model_name="front",target_model_name="Qwen",error_code="ServiceUnavailable"} 0 40
			inference_objective_request_error_total{instance="r:9090",model_name="front",target_model_name="Qwen",error_code="InferencePoolResourceExhausted"} 0 10
			inference_objective_request_error_total{instance="r:9090",model_name="front",target_model_name="Qwen",error_code="BadRequest"} 0 70
			inference_pool_ready_pods{instance="r:9090",name="pool"} 2 1
			inference_extension_scheduler_e2e_duration_seconds_sum{instance="r:9090"} 0 200
			inference_extension_scheduler_e2e_duration_seconds_count{instance="r:9090"} 0 1000
			inference_extension_scheduler_e2e_duration_seconds_bucket{instance="r:9090",le="+Inf"} 0 1000
			inference_extension_plugin_duration_seconds_count{instance="r:9090",extension_point="Scorer",plugin_type="queue-scorer",plugin_name="q"} 0 1000
			inference_extension_plugin_duration_seconds_count{instance="r:9090",extension_point="Scorer",plugin_type="prefix-cache-scorer",plugin_name="p"} 0 1000
			inference_extension_plugin_duration_seconds_count{instance="r:9090",extension_point="PreRequest",plugin_type="prefix-cache-scorer",plugin_name="p"} 0 1000`,
			map[model.SignalID]float64{"router_requests": 1000, "router_failed": 50, "router_rejected": 10, "router_endpoints": 1, "router_decision_mean_s": 0.2, "router_choices": 2000, "router_prefix_choices": 1000},
		},
		{
			"epp without a prefix scorer", `
			inference_model_request_total{instance="r:9090",model_name="Qwen",target_model_name="Qwen"} 0 1000
			inference_extension_plugin_duration_seconds_count{instance="r:9090",extension_point="Scorer",plugin_type="queue-scorer",plugin_name="q"} 0 1000`,
			map[model.SignalID]float64{"router_requests": 1000, "router_choices": 1000, "router_prefix_choices": 0, "router_failed": 0},
		},
		{
			"smg", `
			smg_router_requests_total{instance="r:29000",model="Qwen",endpoint="chat"} 0 1000
			smg_router_request_errors_total{instance="r:29000",model="Qwen",endpoint="chat",error_type="no_workers"} 0 60
			smg_router_request_errors_total{instance="r:29000",model="Qwen",endpoint="chat",error_type="validation_error"} 0 10
			smg_worker_health{instance="r:29000",worker="http://a:8000"} 1 1
			smg_worker_health{instance="r:29000",worker="http://b:8000"} 1 0
			smg_worker_cb_state{instance="r:29000",worker="http://a:8000"} 0 0
			smg_worker_cb_state{instance="r:29000",worker="http://b:8000"} 0 1
			smg_worker_selection_total{instance="r:29000",model="Qwen",policy="round_robin"} 0 1000`,
			map[model.SignalID]float64{"router_requests": 1000, "router_failed": 60, "router_endpoints": 1, "router_circuits_open": 1, "router_choices": 1000, "router_prefix_choices": 0, "router_retried": 0},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := scene(t, twoServers+tt.page)
			for _, instance := range []string{"a:8000", "b:8000"} {
				wantSignals(t, f, of(t, f, instance), tt.want)
			}
			if got := f.Entities.Len(); got != 3 { // two servers and the service
				t.Errorf("%d entities, want 3: a router is no server", got)
			}
		})
	}
}

func TestARouterSpeaksForTheModelsThatItNames(t *testing.T) {
	f := scene(t, twoServers+`
		up{instance="c:8000"} 1 1
		vllm:num_requests_running{instance="c:8000",model_name="Llama"} 1 1
		smg_router_requests_total{instance="r:29000",model="Qwen"} 0 100
		smg_router_requests_total{instance="r:29000",model="Llama"} 0 7`)
	wantSignals(t, f, of(t, f, "a:8000"), map[model.SignalID]float64{"router_requests": 100})
	wantSignals(t, f, of(t, f, "c:8000"), map[model.SignalID]float64{"router_requests": 7})
}

func TestARouterThatNamesNoModelServesNobodyAmongSeveralServices(t *testing.T) {
	f := scene(t, twoServers+`
		up{instance="c:8000"} 1 1
		vllm:num_requests_running{instance="c:8000",model_name="Llama"} 1 1
		inference_pool_ready_pods{instance="r:9090",name="pool"} 1 1`)
	for _, instance := range []string{"a:8000", "c:8000"} {
		if v, ok := f.Get(of(t, f, instance), "router_endpoints"); ok {
			t.Errorf("%s is given %v endpoints of a router that may be another's", instance, v.V)
		}
	}
}

func TestARouterOfAnotherNamespaceIsAnothers(t *testing.T) {
	f := scene(t, `
		up{instance="a:8000",namespace="one"} 1 1
		vllm:num_requests_running{instance="a:8000",namespace="one",model_name="Qwen"} 4 4
		smg_router_requests_total{instance="r:29000",namespace="two",model="Qwen"} 0 100`)
	if _, ok := f.Get(of(t, f, "a:8000"), "router_requests"); ok {
		t.Error("a server was given what the router of another namespace says")
	}
}

func TestRoutersInFrontOfOneServiceAreTakenTogether(t *testing.T) {
	f := scene(t, twoServers+`
		smg_router_requests_total{instance="r:29000",model="Qwen"} 0 100
		smg_router_requests_total{instance="s:29000",model="Qwen"} 0 50
		smg_worker_health{instance="r:29000",worker="a"} 1 1
		smg_worker_health{instance="r:29000",worker="b"} 1 1
		smg_worker_health{instance="s:29000",worker="a"} 1 1
		smg_worker_health{instance="s:29000",worker="b"} 1 0`)
	wantSignals(t, f, of(t, f, "a:8000"), map[model.SignalID]float64{"router_requests": 150, "router_endpoints": 1, "router_down": 0})
}

func TestARouterThatFallsSilentIsAFindingOfItsServers(t *testing.T) {
	f := scene(t, twoServers+`
		up{instance="r:29000"} 1 0
		smg_router_requests_total{instance="r:29000",model="Qwen"} 5 -`)
	wantSignals(t, f, of(t, f, "b:8000"), map[model.SignalID]float64{"router_down": 1})
	if f.Entities.Len() != 3 {
		t.Errorf("%d entities: the silent router was taken for a server", f.Entities.Len())
	}
}

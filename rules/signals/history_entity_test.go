package signals_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

// stretch adds a series that is scraped every 30 s from one time to another, with the value of its index.
func stretch(st *samples.Store, from, to time.Duration, name string, value func(i int) float64, labels map[string]string) {
	full := map[string]string{"job": "vllm"}
	for k, v := range labels {
		full[k] = v
	}
	for at, i := from, 0; at <= to; at, i = at+step, i+1 {
		st.Series(name, model.LabelsFrom(full)).Add(began.Add(at).UnixMilli(), value(i))
	}
}

func constant(v float64) func(int) float64 { return func(int) float64 { return v } }

const running = "vllm:num_requests_running"

// onTwoDays is a stretch in which a window of ten minutes is covered on both days.
func onTwoDays(st *samples.Store, name string, labels map[string]string, then, now float64) {
	stretch(st, 23*time.Hour, 24*time.Hour, name, constant(then), labels)
	stretch(st, 47*time.Hour, 48*time.Hour, name, constant(now), labels)
}

// values gives a signal of every entity of a scope that has it, by the entity's name.
func values(f *model.Frame, scope model.Scope, name string) map[string]float64 {
	out := map[string]float64{}
	for _, e := range f.Entities.All() {
		if v, ok := f.Get(e.ID, name); ok && e.Scope == scope {
			out[e.Labels.Get("engine")+e.Labels.Get("instance")+e.Labels.Get("UUID")] = v.V
		}
	}
	return out
}

func TestRanksAndGPUsHaveTheirOwnPast(t *testing.T) {
	st := samples.NewStore()
	onTwoDays(st, running, map[string]string{"instance": "a:8000", "engine": "0"}, 4, 8)
	onTwoDays(st, running, map[string]string{"instance": "a:8000", "engine": "1"}, 5, 9)
	onTwoDays(st, "DCGM_FI_DEV_GPU_UTIL", map[string]string{"job": "dcgm", "instance": "a:9400", "UUID": "GPU-1"}, 50, 20)
	st.Finish()
	f := compared(t, st, 10*time.Minute, "running_1d_ago", "gpu_util_ratio_1d_ago")
	if got := values(f, model.ScopeRank, "running_1d_ago"); len(got) != 2 || got["0a:8000"] != 4 || got["1a:8000"] != 5 {
		t.Errorf("ranks: %v", got)
	}
	for _, scope := range []model.Scope{model.ScopeGPU, model.ScopeTarget} {
		if got := values(f, scope, "gpu_util_ratio_1d_ago"); len(got) != 1 || got["GPU-1"]+got["a:8000"] != 0.5 {
			t.Errorf("%s: %v", scope, got)
		}
	}
}

func TestAGPUThatMayHaveBelongedToAnotherServerHasNoPast(t *testing.T) {
	st := samples.NewStore()
	onTwoDays(st, running, map[string]string{"instance": "a:8000"}, 4, 8)
	onTwoDays(st, "DCGM_FI_DEV_GPU_UTIL", map[string]string{"job": "dcgm", "instance": "a:9400", "UUID": "GPU-1"}, 50, 20)
	stretch(st, 24*time.Hour-time.Minute, 24*time.Hour, running, constant(1), map[string]string{"instance": "a:8001"}) // came up then
	st.Finish()
	f := compared(t, st, 10*time.Minute, "running_1d_ago", "gpu_util_ratio_1d_ago")
	if got := values(f, model.ScopeTarget, "gpu_util_ratio_1d_ago"); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	if got := values(f, model.ScopeTarget, "running_1d_ago"); len(got) != 1 || got["a:8000"] != 4 {
		t.Errorf("got %v", got)
	}
}

func TestAPodKeepsItsPastUnderANewAddress(t *testing.T) {
	pod := func(instance, name string) map[string]string {
		return map[string]string{"instance": instance, "namespace": "n", "pod": name, "model_name": "m"}
	}
	for _, tt := range []struct {
		name, then, now string
		moved           time.Duration // for how long the pod has its new address
		want            int
	}{
		{"the same pod", "vllm-0", "vllm-0", time.Hour, 1},
		{"it got the address just now", "vllm-0", "vllm-0", time.Minute, 0},
		{"another pod", "vllm-7f9c", "vllm-8b2d", time.Hour, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := samples.NewStore()
			stretch(st, 23*time.Hour, 24*time.Hour, running, constant(4), pod("10.0.0.1:8000", tt.then))
			stretch(st, 47*time.Hour, 48*time.Hour-tt.moved, running, constant(6), pod("10.0.0.1:8000", tt.now))
			stretch(st, 48*time.Hour-tt.moved, 48*time.Hour, running, constant(8), pod("10.0.0.2:8000", tt.now))
			st.Finish()
			if got := values(compared(t, st, 10*time.Minute, "running_1d_ago"), model.ScopeTarget, "running_1d_ago"); len(got) != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestUsersSignalsHaveAPast(t *testing.T) {
	c, err := own(t, "mine: {name: mine, unit: requests, promql: 'sum by ($by) (max_over_time("+running+"{$match}[$window]))'}")
	if err != nil {
		t.Fatal(err)
	}
	st := samples.NewStore()
	onTwoDays(st, running, map[string]string{"instance": "a:8000"}, 4, 8)
	st.Finish()
	f := c.Frame(st, signals.Request{
		At: end, Window: 10 * time.Minute, Past: c.History([]string{"mine_1d_ago", "mine_2h_ago"}),
		PromQL: promadapter.NewEvaluator(st, promadapter.Options{}).ByInstance,
	})
	if now, day, hours := values(f, model.ScopeTarget, "mine"), values(f, model.ScopeTarget, "mine_1d_ago"), values(f, model.ScopeTarget, "mine_2h_ago"); now["a:8000"] != 8 || day["a:8000"] != 4 || len(hours) > 0 {
		t.Errorf("now %v, a day ago %v, two hours ago %v", now, day, hours)
	}
	if _, err := c.PromQL("vllm", "mine_1d_ago", signals.PromQLOptions{Window: "5m"}); err == nil {
		t.Error("its query was rendered without an offset")
	}
}

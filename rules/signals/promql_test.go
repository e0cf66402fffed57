package signals_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

func catalog(t *testing.T) *signals.Catalog {
	t.Helper()
	c, err := signals.Load(signals.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryRenderedSignalParses(t *testing.T) {
	c := catalog(t)
	options := []signals.PromQLOptions{
		{Window: "5m"},
		{Window: "34001ms", Match: `job="vllm",instance=~"a.*"`, By: []string{"job", "instance"}},
	}
	rendered := 0
	for _, d := range c.Dialects() {
		for _, id := range c.IDs() {
			for _, o := range options {
				text, err := c.PromQL(d, id, o)
				if err != nil {
					continue
				}
				rendered++
				if _, err := promadapter.Parse(text); err != nil {
					t.Errorf("%s of %s: %v\n%s", id, d, err, text)
				}
			}
		}
	}
	if rendered < 200 {
		t.Errorf("%d queries rendered, want more", rendered)
	}
}

// A statistic that can be rendered must be: what fails here is for one of the reasons that are written down.
func TestSignalsWithoutPromQLSayWhy(t *testing.T) {
	c := catalog(t)
	reasons := []string{
		"longest stretch", "last moved", "bitwise", "across its resets", "edges of the highest bucket", "is a fact", "carry other labels", "not read from a series",
		"configuration sets", "does not export", "carries no labels",
	}
	for _, d := range c.Dialects() {
		for _, id := range c.IDs() {
			_, err := c.PromQL(d, id, signals.PromQLOptions{Window: "5m", By: []string{"instance"}})
			if err == nil {
				continue
			}
			if !slices.ContainsFunc(reasons, func(r string) bool { return strings.Contains(err.Error(), r) }) {
				t.Error(err)
			}
		}
	}
}

func TestRenderedText(t *testing.T) {
	o := signals.PromQLOptions{Window: "5m", Match: `job="vllm"`, By: []string{"instance"}}
	for _, tt := range []struct{ name, in, want string }{
		{"a gauge", "gpu_clock_mhz", `min by (instance) (avg_over_time(DCGM_FI_DEV_SM_CLOCK{job="vllm"}[5m]))`},
		{"a scaled gauge", "gpu_util_ratio", `(avg by (instance) (avg_over_time(DCGM_FI_DEV_GPU_UTIL{job="vllm"}[5m]))) * 0.01`},
		{"a matched counter", "host_steal_cores", `sum by (instance) (rate(node_cpu_seconds_total{mode="steal",job="vllm"}[5m]))`},
		{"a renamed metric is read once", "gpu_slowdown_ratio", "render signal gpu_slowdown_ratio of dcgm: it has no PromQL: PromQL has no bitwise operator"},
		{
			"a difference", "host_cpu_busy_ratio", `1 - ((sum by (instance) (rate(node_cpu_seconds_total{mode=~"idle|iowait",job="vllm"}[5m]))) / ` +
				`((sum by (instance) (rate(node_cpu_seconds_total{job="vllm"}[5m]))) != 0))`,
		},
		{
			"a histogram in both spellings", "prefill_mean_s", `sum by (instance) (rate(vllm:request_prefill_time_seconds_sum{job="vllm"}[5m])) / ` +
				`(sum by (instance) (rate(vllm:request_prefill_time_seconds_count{job="vllm"}[5m])) > 0) or ` +
				`sum by (instance) (rate(vllm_request_prefill_time_seconds_sum{job="vllm"}[5m])) / ` +
				`(sum by (instance) (rate(vllm_request_prefill_time_seconds_count{job="vllm"}[5m])) > 0)`,
		},
		{"a fact", "kv_fits_requests", "render signal kv_fits_requests of vllm: it has no PromQL: kv_capacity_tokens is a fact, not a series"},
		{"an objective", "slo_ttft_p99_s", "render signal slo_ttft_p99_s of vllm: it has no PromQL: it is a number that configuration sets, not a measurement"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := catalog(t)
			dialect := "vllm"
			if s := c.Sources(tt.in); len(s) > 0 && !slices.ContainsFunc(s, func(x signals.Source) bool { return x.Dialect == dialect }) {
				dialect = s[0].Dialect
			} else if strings.HasPrefix(tt.in, "host_") {
				dialect = "node"
			}
			got, err := c.PromQL(dialect, tt.in, o)
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSourcesNameMetricsAndStatistic(t *testing.T) {
	got := slices.DeleteFunc(catalog(t).Sources("kv_used_ratio"), func(s signals.Source) bool { return s.Dialect != "vllm" })
	want := []signals.Source{{Dialect: "vllm", Metrics: []string{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"}, Stat: "avg"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

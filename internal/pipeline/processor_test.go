package pipeline

import (
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// healthyOf diagnoses a healthy recording of which only some metrics were read.
func healthyOf(t *testing.T, id string, keep func(string) bool) model.Diagnosis {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	st, err := recording.Open("../../corpus/"+id+"/metrics.om.gz", keep)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	r := New(c, nil, engine.Fit{}).Diagnose(st, Request{At: time.UnixMilli(last), Window: 5 * time.Minute})
	if len(r.Targets) != 1 || r.Targets[0].Status != model.Healthy {
		t.Fatalf("%s: %+v, want one healthy target", id, r.Targets)
	}
	return r.Targets[0]
}

func TestAHealthyVerdictSaysWhatNobodyLookedAt(t *testing.T) {
	ownPage := func(metric string) bool { return strings.HasPrefix(metric, "vllm:") || metric == "up" }
	for _, tc := range []struct {
		name, recording string
		keep            func(string) bool
		want            string
	}{
		{"everything was read", "base-healthy", nil, ""},
		{"the engine's own page alone", "base-healthy", ownPage, "; not looked at: GPU counters, host series"},
		{"a server without a GPU", "a2_healthy", nil, "; not looked at: host series"},
	} {
		got := ""
		if d := healthyOf(t, tc.recording, tc.keep); strings.Contains(d.Summary, ";") {
			got = d.Summary[strings.Index(d.Summary, ";"):]
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestNobodyAsksForTheGPUOfACPU(t *testing.T) {
	gpu := func(d model.Diagnosis) bool {
		for _, m := range d.Missing {
			if strings.Contains(m.Needs, "dcgm-exporter") {
				return true
			}
		}
		return false
	}
	if gpu(healthyOf(t, "a2_healthy", nil)) {
		t.Error("dcgm-exporter is asked for on the CPU backend")
	}
	if !gpu(healthyOf(t, "base-healthy", func(m string) bool { return strings.HasPrefix(m, "vllm:") || m == "up" })) {
		t.Error("dcgm-exporter is not asked for where a GPU was not looked at")
	}
}

func TestWhatTellsAServerOnItsCPU(t *testing.T) {
	p, st, at := open(t, "base-healthy")
	whole := Request{At: at, Window: 5 * time.Minute, Log: map[string]model.Fact{"backend": {Text: "cpu", From: "log"}}}
	if got, _ := fact(t, p, st, whole, "processor"); got != "unknown" {
		t.Errorf("with a GPU's own series: %s, want unknown", got)
	}
	st, err := recording.Open("../../corpus/base-healthy/metrics.om.gz", func(m string) bool { return strings.HasPrefix(m, "vllm:") })
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		r    Request
		want string
	}{
		{"the log", Request{Log: map[string]model.Fact{"backend": {Text: "cpu", From: "log"}}}, "cpu (log)"},
		{"the environment", Request{Args: []string{"VLLM_CPU_KVCACHE_SPACE=4", "--port", "8000"}}, "cpu (args)"},
		{"the old flag", Request{Args: []string{"--device", "cpu"}}, "cpu (args)"},
		{"a log that says otherwise", Request{Args: []string{"--device", "cpu"}, Log: map[string]model.Fact{"backend": {Text: "cuda", From: "log"}}}, "unknown"},
		{"labels of a GPU server", Request{}, "unknown"},
	} {
		tc.r.At, tc.r.Window = at, 5*time.Minute
		if got, _ := fact(t, p, st, tc.r, "processor"); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got, tc.want)
		}
	}
	for _, tc := range []struct {
		name string
		info map[string]string
		want bool
	}{
		{"the label of older versions", map[string]string{"cpu_kvcache_space_bytes": "4294967296"}, true},
		{"that label of a GPU server", map[string]string{"cpu_kvcache_space_bytes": "None"}, false},
		{"a cache in bytes on a GPU", map[string]string{"kv_cache_memory_bytes": "4294967296", "mamba_ssm_cache_dtype": "auto"}, false},
	} {
		if got := cpuLabels(tc.info); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

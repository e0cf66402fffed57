package serverinfo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/source/serverinfo"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// vllm is a server of a version; info is its /server_info, "" where it has none.
func vllm(t *testing.T, version, info string) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"version":%q}`, version) })
	if info != "" {
		mux.HandleFunc("/server_info", func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("config_format") == "json" {
				fmt.Fprint(w, info)
			}
		})
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// said is what each engine among the URLs says, by instance.
func said(t *testing.T, urls ...string) (facts map[string]map[string]string, configured map[string]bool) {
	t.Helper()
	c, err := knobs.Load(knobs.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	facts, configured = map[string]map[string]string{}, map[string]bool{}
	for instance, info := range serverinfo.ByInstance(t.Context(), serverinfo.Options{URLs: urls}, c) {
		facts[instance], configured[instance] = map[string]string{}, info.Configured
		for name, f := range info.Facts {
			facts[instance][name] = f.Text + " from " + f.From
		}
	}
	return facts, configured
}

func instance(url string) string { return strings.TrimPrefix(url, "http://") }

const config = `{"vllm_config":{"scheduler_config":{"max_num_seqs":8,"nothing_known":1},"cache_config":{"gpu_memory_utilization":0.85,"cache_dtype":"fp8"}},
	"vllm_env":{"HF_TOKEN":"secret"}}`

func TestAServerInDevelopmentModeTellsItsSettings(t *testing.T) {
	url := vllm(t, "0.32.0", config)
	got, configured := said(t, url+"/metrics")
	want := map[string]map[string]string{instance(url): {
		"engine_version": "0.32.0 from version endpoint", "max_num_seqs": "8 from server_info",
		"gpu_memory_utilization": "0.85 from server_info", "kv_cache_dtype": "fp8 from server_info",
	}}
	if diff := cmp.Diff(want, got); diff != "" || !configured[instance(url)] {
		t.Error(configured, diff)
	}
}

func TestWithoutDevelopmentModeOnlyTheVersionIsKnown(t *testing.T) {
	url := vllm(t, "0.32.0", "")
	got, configured := said(t, url)
	want := map[string]map[string]string{instance(url): {"engine_version": "0.32.0 from version endpoint"}}
	if diff := cmp.Diff(want, got); diff != "" || configured[instance(url)] {
		t.Error(configured, diff)
	}
}

func TestEachServerSpeaksForItself(t *testing.T) {
	other := `{"vllm_config":{"scheduler_config":{"max_num_seqs":16}}}`
	exporter := httptest.NewServer(http.NotFoundHandler())
	defer exporter.Close()
	a, b := vllm(t, "0.32.0", config), vllm(t, "0.31.0", other)
	got, _ := said(t, a, exporter.URL, b)
	if got[instance(a)]["max_num_seqs"] != "8 from server_info" || got[instance(b)]["max_num_seqs"] != "16 from server_info" || len(got) != 2 {
		t.Error(got)
	}
}

func TestWhatIsNoEngineSaysNothing(t *testing.T) {
	for _, answer := range []string{"<html>", `{"version":"nightly build of something"}`, `{}`, `[]`, ""} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		if got, _ := said(t, s.URL, "127.0.0.1:1", "::"); len(got) > 0 {
			t.Errorf("%s: %v", answer, got)
		}
		s.Close()
	}
}

func TestSGLangTellsItsSettingsUnderBothItsPaths(t *testing.T) {
	const answer = `{"model_path":"m","max_running_requests":null,"chunked_prefill_size":8192,"attention_backend":"fa3","disable_cuda_graph":false,
		"api_key":"secret","max_total_num_tokens":431021,"internal_states":[{"effective_max_running_requests_per_dp":1024},{"effective_max_running_requests_per_dp":1024}],"version":"0.5.9"}`
	for _, path := range []string{"/server_info", "/get_server_info"} {
		mux := http.NewServeMux()
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
		s := httptest.NewServer(mux)
		got, configured := said(t, s.URL+"/metrics")
		want := map[string]map[string]string{instance(s.URL): {
			"engine_version": "0.5.9 from server_info", "chunked_prefill_size": "8192 from server_info", "attention_backend": "fa3 from server_info",
			"disable_cuda_graph": "false from server_info", "kv_capacity_tokens": "431021 from server_info", "max_num_seqs": "2048 from server_info",
		}}
		if diff := cmp.Diff(want, got); diff != "" || !configured[instance(s.URL)] {
			t.Error(path, configured, diff)
		}
		s.Close()
	}
}

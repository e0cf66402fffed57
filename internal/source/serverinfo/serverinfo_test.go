package serverinfo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
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

func agreed(t *testing.T, urls ...string) (map[string]string, bool) {
	t.Helper()
	c, err := knobs.Load(knobs.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	facts, configured := serverinfo.Agreed(t.Context(), serverinfo.Options{URLs: urls}, c)
	out := map[string]string{}
	for name, f := range facts {
		out[name] = f.Text + " from " + f.From
	}
	return out, configured
}

const config = `{"vllm_config":{"scheduler_config":{"max_num_seqs":8,"nothing_known":1},"cache_config":{"gpu_memory_utilization":0.85,"cache_dtype":"fp8"}},
	"vllm_env":{"HF_TOKEN":"secret"}}`

func TestAServerInDevelopmentModeTellsItsSettings(t *testing.T) {
	got, configured := agreed(t, vllm(t, "0.32.0", config)+"/metrics")
	want := map[string]string{
		"engine_version": "0.32.0 from version endpoint", "max_num_seqs": "8 from server_info",
		"gpu_memory_utilization": "0.85 from server_info", "kv_cache_dtype": "fp8 from server_info",
	}
	if diff := cmp.Diff(want, got); diff != "" || !configured {
		t.Error(configured, diff)
	}
}

func TestWithoutDevelopmentModeOnlyTheVersionIsKnown(t *testing.T) {
	got, configured := agreed(t, vllm(t, "0.32.0", ""))
	if diff := cmp.Diff(map[string]string{"engine_version": "0.32.0 from version endpoint"}, got); diff != "" || configured {
		t.Error(configured, diff)
	}
}

func TestOnlyWhatAllServersShareIsAFact(t *testing.T) {
	other := `{"vllm_config":{"scheduler_config":{"max_num_seqs":16},"cache_config":{"gpu_memory_utilization":0.85}}}`
	exporter := httptest.NewServer(http.NotFoundHandler())
	defer exporter.Close()
	got, configured := agreed(t, vllm(t, "0.32.0", config), exporter.URL, vllm(t, "0.31.0", other))
	if diff := cmp.Diff(map[string]string{"gpu_memory_utilization": "0.85 from server_info"}, got); diff != "" || !configured {
		t.Error(configured, diff)
	}
}

func TestWhatIsNoEngineSaysNothing(t *testing.T) {
	for _, answer := range []string{"<html>", `{"version":"nightly build of something"}`, `{}`, `[]`, ""} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		if got, configured := agreed(t, s.URL, "127.0.0.1:1", "::"); len(got) > 0 || configured {
			t.Errorf("%s: %v", answer, got)
		}
		s.Close()
	}
}

package eval

import (
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// release is a vLLM release by minor and patch of its 0.x number.
type release struct{ minor, patch int }

func (r release) before(o release) bool {
	return r.minor < o.minor || r.minor == o.minor && r.patch < o.patch
}

// String writes it as 0.8.5.
func (r release) String() string {
	return "0." + strconv.Itoa(r.minor) + "." + strconv.Itoa(r.patch)
}

// olderReleases are those under whose names every recording is read again: the last with the oldest names of V1,
// the last before the new inter-token histogram, the first V1-only one, and one between the two
// recorded releases.
var olderReleases = []release{{8, 5}, {10, 0}, {11, 0}, {16, 0}}

// history lists what came after the first V1 releases, by the release it came with and, where it
// took the place of something, under which name that was. It is written from vLLM's own releases and
// on purpose not from the catalogue, which is what it tests.
var history = []struct {
	name  string
	since release
	was   string
}{
	{"vllm:kv_cache_usage_perc", release{9, 2}, "vllm:gpu_cache_usage_perc"},
	{"vllm:prefix_cache_queries_total", release{9, 2}, "vllm:gpu_prefix_cache_queries_total"},
	{"vllm:prefix_cache_hits_total", release{9, 2}, "vllm:gpu_prefix_cache_hits_total"},
	{"vllm:inter_token_latency_seconds", release{10, 2}, "vllm:time_per_output_token_seconds"},
	{"vllm:request_time_per_output_token_seconds", release{11, 0}, ""},
	{"vllm:external_prefix_cache_queries_total", release{11, 1}, ""},
	{"vllm:external_prefix_cache_hits_total", release{11, 1}, ""},
	{"vllm:mm_cache_queries_total", release{11, 1}, ""},
	{"vllm:mm_cache_hits_total", release{11, 1}, ""},
	{"vllm:engine_sleep_state", release{11, 1}, ""},
	{"vllm:corrupted_requests_total", release{11, 1}, ""},
	{"vllm:request_prefill_kv_computed_tokens", release{13, 0}, ""},
	{"vllm:prompt_tokens_by_source_total", release{16, 0}, ""},
	{"vllm:prompt_tokens_cached_total", release{16, 0}, ""},
	{"vllm:estimated_flops_per_gpu_total", release{17, 0}, ""},
	{"vllm:estimated_read_bytes_per_gpu_total", release{17, 0}, ""},
	{"vllm:estimated_write_bytes_per_gpu_total", release{17, 0}, ""},
	{"vllm:num_requests_waiting_by_reason", release{20, 0}, ""},
	{"vllm:request_num_preemptions", release{30, 0}, ""},
	{"vllm:admission_rejections_total", release{32, 0}, ""},
	{"vllm:prompt_tokens_cached_by_source_total", release{32, 0}, ""},
}

// pool are the labels of cache_config_info that say how large the KV pool is, since 0.24.
var pool = []string{"kv_cache_size_tokens", "kv_cache_max_concurrency"}

// older gives a recording the names, labels and units of an older release.
func older(st *samples.Store, v release) *samples.Store {
	tokensPerBlock := map[*samples.Instance]float64{}
	for _, in := range st.Instances() {
		tokensPerBlock[in] = blockSize(in)
	}
	return rebuild(st, func(r *row) bool {
		name, ok := nameAt(r.name, v)
		if !ok {
			return false
		}
		r.name = name
		if name == "vllm:cache_config_info" && v.before(release{24, 0}) {
			r.labels = labelsWithout(r.labels, pool...)
		}
		if strings.HasPrefix(name, "vllm:request_success_total") && v.before(release{16, 0}) && r.labels.Get("finished_reason") == "error" {
			return false
		}
		// Before 0.9 these two counted blocks.
		if strings.Contains(name, "prefix_cache_") && v.before(release{9, 0}) && tokensPerBlock[r.in] > 0 {
			r.points = scaled(r.points, 1/tokensPerBlock[r.in])
		}
		return true
	})
}

// nameAt is what a series was called in a release; false when it did not exist.
func nameAt(name string, v release) (string, bool) {
	for _, h := range history {
		suffix, ok := strings.CutPrefix(name, h.name)
		if !ok || !partOf(suffix) || !v.before(h.since) {
			continue
		}
		if h.was == "" {
			return "", false
		}
		return h.was + suffix, true
	}
	return name, true
}

func partOf(suffix string) bool {
	switch suffix {
	case "", "_bucket", "_sum", "_count", "_created":
		return true
	}
	return false
}

func blockSize(in *samples.Instance) float64 {
	for _, s := range in.Named("vllm:cache_config_info") {
		if v, err := strconv.ParseFloat(s.Labels.Get("block_size"), 64); err == nil {
			return v
		}
	}
	return 0
}

func scaled(ps []samples.Point, by float64) []samples.Point {
	out := make([]samples.Point, len(ps))
	for i, p := range ps {
		out[i] = samples.Point{T: p.T, V: p.V * by}
	}
	return out
}

// underscored writes names as gateways do that know no colon.
func underscored(st *samples.Store) *samples.Store {
	return rebuild(st, func(r *row) bool {
		r.name = strings.ReplaceAll(r.name, ":", "_")
		return true
	})
}

// withoutEngineLabel is how servers before 0.8.3 and single-engine gateways look.
func withoutEngineLabel(st *samples.Store) *samples.Store {
	return rebuild(st, func(r *row) bool {
		if r.labels.Get("engine") == "0" {
			r.labels = labelsWithout(r.labels, "engine")
		}
		return true
	})
}

var _ = model.Labels{}

package eval

import (
	"strconv"
	"strings"

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

// olderReleases are those under whose names every recording is read again: one with V1's first names
// and prefix counters in blocks, one with old and new cache names, one with both inter-token
// histograms, and one not far behind the recorded releases.
var olderReleases = []release{{8, 5}, {10, 0}, {11, 0}, {16, 0}}

// history lists what came after the first V1 releases, by the release it came with and, where it
// took the place of something, under which name that was. It is written from vLLM's own releases and
// on purpose not from the catalogue, which is what it tests.
var history = []struct {
	name  string
	since release
	was   string
	gone  release // the first one that shows the old name no more
}{
	{"vllm:kv_cache_usage_perc", release{9, 2}, "vllm:gpu_cache_usage_perc", release{11, 0}},
	{"vllm:prefix_cache_queries_total", release{9, 2}, "vllm:gpu_prefix_cache_queries_total", release{11, 0}},
	{"vllm:prefix_cache_hits_total", release{9, 2}, "vllm:gpu_prefix_cache_hits_total", release{11, 0}},
	{"vllm:inter_token_latency_seconds", release{10, 2}, "vllm:time_per_output_token_seconds", release{12, 0}},
	{"vllm:request_time_per_output_token_seconds", release{11, 0}, "", release{}},
	{"vllm:external_prefix_cache_queries_total", release{11, 1}, "", release{}},
	{"vllm:external_prefix_cache_hits_total", release{11, 1}, "", release{}},
	{"vllm:mm_cache_queries_total", release{11, 1}, "", release{}},
	{"vllm:mm_cache_hits_total", release{11, 1}, "", release{}},
	{"vllm:engine_sleep_state", release{11, 1}, "", release{}},
	{"vllm:corrupted_requests_total", release{11, 1}, "", release{}},
	{"vllm:request_prefill_kv_computed_tokens", release{13, 0}, "", release{}},
	{"vllm:prompt_tokens_by_source_total", release{16, 0}, "", release{}},
	{"vllm:prompt_tokens_cached_total", release{16, 0}, "", release{}},
	{"vllm:estimated_flops_per_gpu_total", release{17, 0}, "", release{}},
	{"vllm:estimated_read_bytes_per_gpu_total", release{17, 0}, "", release{}},
	{"vllm:estimated_write_bytes_per_gpu_total", release{17, 0}, "", release{}},
	{"vllm:num_requests_waiting_by_reason", release{20, 0}, "", release{}},
	{"vllm:request_num_preemptions", release{30, 0}, "", release{}},
	{"vllm:admission_rejections_total", release{32, 0}, "", release{}},
	{"vllm:prompt_tokens_cached_by_source_total", release{32, 0}, "", release{}},
}

// pool are the labels of cache_config_info that say how large the KV pool is, since 0.24.
var pool = []string{"kv_cache_size_tokens", "kv_cache_max_concurrency"}

// older gives a recording the names, labels and units of an older release. While a release shows an
// old name beside the new one, the recording gets both.
func older(st *samples.Store, v release) *samples.Store {
	out := samples.NewStore()
	for _, r := range rows(st) {
		for _, name := range namesAt(r.name, v) {
			x := r
			x.name = name
			if aged(&x, v) {
				add(out, x)
			}
		}
	}
	out.Finish()
	return out
}

// aged changes a series that kept its name but not its labels or unit; false drops it.
func aged(r *row, v release) bool {
	if r.name == "vllm:cache_config_info" && v.before(release{24, 0}) {
		r.labels = labelsWithout(r.labels, pool...)
	}
	if r.name == "vllm:request_success_total" && v.before(release{16, 0}) && r.labels.Get("finished_reason") == "error" {
		return false
	}
	// Before 0.9 these two counted blocks.
	if strings.Contains(r.name, "prefix_cache_") && v.before(release{9, 0}) {
		if tokens := blockSize(r.in); tokens > 0 {
			r.points = scaled(r.points, 1/tokens)
		}
	}
	return true
}

// namesAt is what a series was called in a release; none when it did not exist.
func namesAt(name string, v release) []string {
	for _, h := range history {
		suffix, ok := strings.CutPrefix(name, h.name)
		if !ok || !partOf(suffix) {
			continue
		}
		var out []string
		if !v.before(h.since) {
			out = append(out, name)
		}
		if h.was != "" && v.before(h.gone) {
			out = append(out, h.was+suffix)
		}
		return out
	}
	return []string{name}
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

package serverinfo

import (
	"context"
	"net/url"
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// askSGLang asks for what SGLang tells without development mode: all settings with what it made of them, at /server_info,
// which older releases (0.5.2) have at /get_server_info. It has no /version.
func askSGLang(ctx context.Context, client *httpclient.Client, u *url.URL, c *knobs.Catalog) (Info, error) {
	for _, path := range []string{"/server_info", "/get_server_info"} {
		var answer map[string]any
		if err := get(ctx, client, u, path, "", &answer); err != nil {
			return Info{}, err
		}
		version, _ := answer["version"].(string)
		if _, ok := answer["model_path"]; !ok || !plausible(version) {
			continue
		}
		out := Info{Facts: c.FromValues("sglang", answer, "server_info", false), Configured: true}
		out.Facts["engine_version"] = model.Fact{Text: version, From: "server_info"}
		out.scheduled(answer)
		return out, nil
	}
	return Info{}, nil
}

// scheduled adds what the schedulers worked out by themselves: the pool, and the cap over all ranks.
func (i Info) scheduled(answer map[string]any) {
	if n, ok := answer["max_total_num_tokens"].(float64); ok && n > 0 {
		i.put("kv_capacity_tokens", n)
	}
	ranks, _ := answer["internal_states"].([]any)
	total := 0.0
	for _, r := range ranks {
		state, _ := r.(map[string]any)
		n, ok := state["effective_max_running_requests_per_dp"].(float64)
		if !ok || n <= 0 {
			return
		}
		total += n
	}
	if total > 0 {
		i.put("max_num_seqs", total)
	}
}

func (i Info) put(name string, n float64) {
	i.Facts[name] = model.Fact{Text: strconv.FormatFloat(n, 'f', -1, 64), Num: n, IsNum: true, From: "server_info"}
}

// Package serverinfo asks an engine's own endpoints what it is and how it was configured: GET
// /version, and GET /server_info, which vLLM has in development mode only (VLLM_SERVER_DEV_MODE=1).
package serverinfo

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// Options say whom to ask.
type Options struct {
	httpclient.Options

	// URLs as they were given to be scraped. What is no engine's is asked and does not matter.
	URLs []string
	// Timeout for each server; 0 means 2 s.
	Timeout time.Duration
}

// bodyLimit bounds an answer: a configuration is some 20 kB.
const bodyLimit = 4 << 20

// Info is what one server says of itself.
type Info struct {
	Version string
	// Facts are its settings, resolved: what was set and what the engine made of its defaults. nil
	// where it does not tell them.
	Facts map[string]model.Fact
}

// Agreed asks every URL and returns the facts that all engines among them share; configured says that
// each of them told its settings. An endpoint that is not there is no fault.
func Agreed(ctx context.Context, o Options, c *knobs.Catalog) (facts map[string]model.Fact, configured bool) {
	client, err := httpclient.New(o.Options)
	if err != nil {
		return nil, false
	}
	defer client.Close()
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	ctx, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	infos := make([]*Info, len(o.URLs))
	var all sync.WaitGroup
	for i, raw := range o.URLs {
		all.Go(func() {
			if u, err := scrape.Normalize(raw); err == nil {
				infos[i] = ask(ctx, client, u, c)
			}
		})
	}
	all.Wait()
	return agree(slices.DeleteFunc(infos, func(i *Info) bool { return i == nil }))
}

// agree keeps what is the same for all.
func agree(infos []*Info) (map[string]model.Fact, bool) {
	var out map[string]model.Fact
	configured := len(infos) > 0
	for _, in := range infos {
		facts := maps.Clone(in.Facts)
		if facts == nil {
			facts, configured = map[string]model.Fact{}, false
		}
		facts["engine_version"] = model.Fact{Text: in.Version, From: "version endpoint"}
		if out == nil {
			out = facts
			continue
		}
		maps.DeleteFunc(out, func(k string, f model.Fact) bool { return facts[k] != f })
	}
	return out, configured
}

// ask returns nil for what is no engine.
func ask(ctx context.Context, client *httpclient.Client, u *url.URL, c *knobs.Catalog) *Info {
	var v struct {
		Version string `json:"version"`
	}
	if !get(ctx, client, u, "/version", "", &v) || !plausible(v.Version) {
		return nil
	}
	out := &Info{Version: v.Version}
	var answer struct {
		Config map[string]any `json:"vllm_config"`
	}
	if get(ctx, client, u, "/server_info", "config_format=json", &answer) && len(answer.Config) > 0 {
		out.Facts = c.FromValues("vllm", settings(answer.Config), "server_info", false)
	}
	return out
}

func get(ctx context.Context, client *httpclient.Client, metrics *url.URL, path, query string, into any) bool {
	u := *metrics
	u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/metrics")+path, "", query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return false
	}
	resp, err := client.Read(ctx, req, bodyLimit, nil)
	return err == nil && json.Unmarshal(resp.Body, into) == nil
}

// plausible keeps what some other server calls its version out of the facts.
func plausible(version string) bool {
	return len(version) < 64 && version != "" && version[0] >= '0' && version[0] <= '9'
}

// flat are the parts of vLLM's configuration whose fields are arguments by themselves.
var flat = []string{"model_config", "cache_config", "parallel_config", "scheduler_config", "lora_config", "load_config"}

// renamed are fields that are called otherwise than their argument (vllm/engine/arg_utils.py@0.33).
var renamed = map[string]string{
	"cache_dtype": "kv_cache_dtype", "policy": "scheduling_policy",
}

func settings(config map[string]any) map[string]any {
	out := map[string]any{}
	for name, part := range config {
		fields, ok := part.(map[string]any)
		if !ok || !slices.Contains(flat, name) {
			out[name] = part
			continue
		}
		for field, value := range fields {
			if to, ok := renamed[field]; ok {
				field = to
			}
			out[field] = value
		}
	}
	return out
}

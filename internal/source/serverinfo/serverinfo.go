// Package serverinfo asks an engine's own endpoints what it is and how it was configured: GET
// /version, and GET /server_info, which vLLM has in development mode only (VLLM_SERVER_DEV_MODE=1) and SGLang always.
package serverinfo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// Facts hold engine_version and, where the server tells them, its settings, resolved: what was set
	// and what the engine made of its defaults.
	Facts map[string]model.Fact
	// Configured says that the settings are among the facts.
	Configured bool
}

// ByInstance asks every URL and returns what the engines among them say, by host:port. An endpoint that
// is not there is no fault.
func ByInstance(ctx context.Context, o Options, c *knobs.Catalog) map[string]Info {
	client, err := httpclient.New(o.Options)
	if err != nil {
		return nil
	}
	defer client.Close()
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	ctx, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	var mu sync.Mutex
	var all sync.WaitGroup
	out := map[string]Info{}
	for _, raw := range o.URLs {
		all.Go(func() {
			u, err := scrape.Normalize(raw)
			if err != nil {
				return
			}
			if info, _ := ask(ctx, client, u, c); info.Facts != nil {
				mu.Lock()
				defer mu.Unlock()
				out[u.Host] = info
			}
		})
	}
	all.Wait()
	return out
}

// ask gives nothing for what is no engine; the error is of a server that could not be asked, or not for all.
func ask(ctx context.Context, client *httpclient.Client, u *url.URL, c *knobs.Catalog) (Info, error) {
	var v struct {
		Version string `json:"version"`
	}
	if err := get(ctx, client, u, "/version", "", &v); err != nil {
		return Info{}, err
	}
	if !plausible(v.Version) {
		return askSGLang(ctx, client, u, c)
	}
	version := model.Fact{Text: v.Version, From: "version endpoint"}
	out := Info{Facts: map[string]model.Fact{"engine_version": version}}
	var answer struct {
		Config map[string]any `json:"vllm_config"`
	}
	if err := get(ctx, client, u, "/server_info", "config_format=json", &answer); err != nil {
		return out, err
	}
	if len(answer.Config) > 0 {
		out.Facts, out.Configured = c.FromValues("vllm", settings(answer.Config), "server_info", false), true
		out.Facts["engine_version"] = version
	}
	return out, nil
}

// get reads JSON. That a server has no such page, or has something else there, is no error.
func get(ctx context.Context, client *httpclient.Client, metrics *url.URL, path, query string, into any) error {
	u := *metrics
	u.Path, u.RawPath, u.RawQuery = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/metrics")+path, "", query
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", path, err)
	}
	resp, err := client.Read(ctx, req, bodyLimit, nil)
	var failed *httpclient.Error
	switch {
	case errors.As(err, &failed) && (failed.Kind == httpclient.Status && failed.Code/100 == 4 && failed.Code != http.StatusTooManyRequests || failed.Kind == httpclient.Redirect):
		return nil
	case err != nil:
		return fmt.Errorf("ask %s: %w", path, err)
	}
	_ = json.Unmarshal(resp.Body, into) // what is no JSON leaves it empty
	return nil
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

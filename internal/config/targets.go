package config

import (
	"regexp"
	"time"
)

// Targets say which labels belong together.
type Targets struct {
	// The labels that tell one server from another. Default job and instance.
	Identity []Label `yaml:"identity,flow,omitempty"`
	// The labels that replicas of one service share. Default none: each server stands alone.
	Group []Label `yaml:"group,flow,omitempty"`
	// How the series of GPUs find their server.
	GPU GPU `yaml:"gpu,omitempty"`
	// How the series of hosts find their servers.
	Host Owner `yaml:"host,omitempty"`
}

// Owner finds the servers that series of something else belong to.
type Owner struct {
	// Labels that both have: the first of them that the exporter has names its servers. Default the host of the address.
	Match []Label `yaml:"match,flow,omitempty"`
}

// GPU finds the servers that GPUs belong to.
type GPU struct {
	// Labels that both have: the first of them that the GPU has names its server. Default the pod, or the host where one server lives there.
	Match []Label `yaml:"match,flow,omitempty"`
	// GPUs by their ids, for hosts on which several servers share the GPUs.
	UUIDs []*GPUOwner `yaml:"uuids,omitempty"`
}

// GPUOwner names the GPUs of a server.
type GPUOwner struct {
	// The server, by regular expressions over its labels.
	Match Selector `yaml:"match,omitempty"`
	// Its GPUs.
	UUIDs []string `yaml:"uuids,omitempty"`
}

func (g *GPU) check(c *check, at place) {
	first := map[string]place{}
	for i, o := range g.UUIDs {
		if o == nil {
			continue
		}
		here := at.field("uuids").item(i)
		c.require(here, "match", len(o.Match) > 0)
		c.require(here, "uuids", len(o.UUIDs) > 0)
		for j, id := range o.UUIDs {
			c.once(first, "GPU", id, here.field("uuids").item(j))
		}
	}
}

// Launch is what a server was launched with.
type Launch struct {
	// The servers, by regular expressions over their labels. Default all.
	Match Selector `yaml:"match,omitempty"`
	// The arguments as on the command line.
	Args Args `yaml:"args,omitempty"`
	// A file with them.
	ArgsFile File `yaml:"args_file,omitempty"`
	// A page that answers with them.
	URL URL `yaml:"url,omitempty"`
}

// Args is a command line. Values of keys, tokens and passwords in it are hidden where it is shown.
type Args string

// secretArgs are flags such as --api-key KEY and --hf-token=TOKEN, but not --max-num-batched-tokens 8192.
var secretArgs = regexp.MustCompile(`(?i)(--?[a-z0-9_.-]*(?:key|token|password|secret))(=|\s+)("[^"]*"?|'[^']*'?|[^\s"']+)`)

// String is the command line without its secrets.
func (a Args) String() string { return secretArgs.ReplaceAllString(string(a), "${1}${2}"+hidden) }

// MarshalYAML implements yaml.Marshaler.
func (a Args) MarshalYAML() (any, error) { return a.String(), nil }

func (l *Launch) check(c *check, at place) {
	n := 0
	for _, given := range []bool{l.Args != "", l.ArgsFile != "", l.URL != ""} {
		if given {
			n++
		}
	}
	if n != 1 && !c.mistyped(at) {
		c.fault(at, "", "want one of args, args_file and url")
	}
}

// Canary sends a small request of its own to each server now and then.
type Canary struct {
	// Whether to send them. Default false.
	Enabled bool `yaml:"enabled,omitempty"`
	// How often. Default 1m.
	Interval Duration `yaml:"interval,omitempty"`
	// When an answer is given up; shorter than the interval. Default 30s.
	Timeout Duration `yaml:"timeout,omitempty"`
	// The model to ask for. Default the first that the server lists.
	Model string `yaml:"model,omitempty"`
	// The most tokens of an answer. Default 1.
	MaxTokens int `yaml:"max_tokens,omitempty"`
	// The servers to ask, by regular expressions over their labels. Default all.
	Match Selector `yaml:"match,omitempty"`
	// How to reach them, with their API key.
	HTTP HTTP `yaml:"http_config,omitempty"`
}

func (k *Canary) check(c *check, at place) {
	if k.Timeout > k.Interval {
		c.fault(at.field("timeout"), "", "an answer may take %s, longer than the interval of %s", k.Timeout, k.Interval)
	}
	if k.MaxTokens < 0 || k.MaxTokens > 256 {
		c.fault(at.field("max_tokens"), "a canary is small", "want a number from 1 to 256")
	}
	if k.Interval < Duration(time.Second) {
		c.fault(at.field("interval"), "a canary must not become a load", "want 1s or longer")
	}
}

// SLO is what is promised to the users of some servers.
type SLO struct {
	// The servers, by regular expressions over their labels. Default all.
	Match Selector `yaml:"match,omitempty"`
	// The longest time to the first token, of 99 in 100 requests.
	TTFTP99 Duration `yaml:"ttft_p99,omitempty"`
	// The longest time for each further token, of 99 in 100 requests.
	TPOTP99 Duration `yaml:"tpot_p99,omitempty"`
	// The longest time of a whole request, of 99 in 100.
	E2EP99 Duration `yaml:"e2e_p99,omitempty"`
	// The share of requests that is promised to keep these times; the rest is the error budget. Default 0.99.
	LatencyRatio float64 `yaml:"latency_ratio,omitempty"`
	// The share of requests that is promised to succeed; the rest is the error budget. Default 0.99.
	SuccessRatio float64 `yaml:"success_ratio,omitempty"`
}

// Settings are the objectives that were given, by the names that signals have for them.
func (s *SLO) Settings() map[string]float64 {
	out := map[string]float64{}
	for id, v := range map[string]float64{
		"slo_ttft_p99_s": time.Duration(s.TTFTP99).Seconds(), "slo_tpot_p99_s": time.Duration(s.TPOTP99).Seconds(),
		"slo_e2e_p99_s": time.Duration(s.E2EP99).Seconds(), "slo_latency_ratio": s.LatencyRatio, "slo_success_ratio": s.SuccessRatio,
	} {
		if v > 0 {
			out[id] = v
		}
	}
	return out
}

func (s *SLO) check(c *check, at place) {
	if len(s.Settings()) == 0 && !c.mistyped(at) {
		c.fault(at, "", "want at least one of ttft_p99, tpot_p99, e2e_p99, latency_ratio and success_ratio")
	}
	for _, x := range []struct {
		name string
		v    float64
	}{{"latency_ratio", s.LatencyRatio}, {"success_ratio", s.SuccessRatio}} {
		if x.v != 0 && !(x.v >= 0.5 && x.v < 1) { // a number that is none is refused, too
			c.fault(at.field(x.name), "as 0.99 or 0.999", "want a share from 0.5 to below 1: what is left is the error budget")
		}
	}
}

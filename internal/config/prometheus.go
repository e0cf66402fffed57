package config

import (
	"net/url"
	"time"

	"gopkg.in/yaml.v3"
)

// Prometheus is a server with Prometheus's HTTP API: Prometheus, Thanos, Mimir, VictoriaMetrics.
type Prometheus struct {
	// What it is called in messages. Default the host of its URL.
	Name string `yaml:"name,omitempty"`
	// Its URL, with a path prefix where it has one: https://mimir.example/prometheus. Required.
	URL URL `yaml:"url,omitempty"`
	// Which series to read there, in PromQL's syntax, as: job="vllm". Default all.
	Match Matchers `yaml:"match,omitempty"`
	// How long samples take to become visible there; everything is read that much earlier. Default 0s.
	Offset Delay `yaml:"offset,omitempty"`
	// How long a query may take. Default 30s.
	Timeout Duration `yaml:"timeout,omitempty"`
	// The most queries under way at once. Default 4.
	Concurrency int `yaml:"concurrency,omitempty"`
	// The largest answer to read, unpacked. Default 64MiB.
	BodySizeLimit Size `yaml:"body_size_limit,omitempty"`

	HTTP `yaml:",inline"`
}

// ExpandYAML takes a bare URL.
func (*Prometheus) ExpandYAML(n *yaml.Node) *yaml.Node { return under("url", n) }

// under makes a bare value the value of a key.
func under(key string, n *yaml.Node) *yaml.Node {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		return n
	}
	k := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key, Line: n.Line, Column: n.Column}
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{k, n}, Line: n.Line, Column: n.Column}
}

func (p *Prometheus) check(c *check, at place) {
	c.require(at, "url", p.URL != "")
	if p.Concurrency < 0 || p.Concurrency > 256 {
		c.fault(at.field("concurrency"), "", "want a number from 1 to 256")
	}
	if time.Duration(p.Offset) > 24*time.Hour {
		c.fault(at.field("offset"), "", "longer than a day")
	}
}

func (p *Prometheus) defaults() {
	if p.Name == "" {
		if u, err := url.Parse(string(p.URL)); err == nil {
			p.Name = u.Host
		}
	}
	fill(&p.Timeout, Duration(30*time.Second))
	fill(&p.Concurrency, 4)
}

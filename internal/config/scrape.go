package config

import (
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/internal/source/scrape"
)

// Page is the address of a metrics page: a URL, or host:port.
type Page string

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *Page) UnmarshalYAML(n *yaml.Node) error {
	s, err := text(n, "the address of a metrics page")
	if err != nil {
		return err
	}
	u, err := scrape.Normalize(s)
	if err != nil {
		return fault(n, "want the address of a metrics page", "such as http://10.0.0.1:8000/metrics, or 10.0.0.1:8000")
	}
	*p = Page(s)
	return checkURL(n, u.String())
}

// MarshalYAML implements yaml.Marshaler.
func (p Page) MarshalYAML() (any, error) { return URL(p).String(), nil }

// Scrape is a job of scraping, in Prometheus's form.
type Scrape struct {
	// The name of the job, which becomes the label job. Required, and given once.
	JobName string `yaml:"job_name,omitempty"`
	// How often to scrape. Default global.scrape_interval.
	ScrapeInterval Duration `yaml:"scrape_interval,omitempty"`
	// How long a scrape may take. Default global.scrape_timeout.
	ScrapeTimeout Duration `yaml:"scrape_timeout,omitempty"`
	// http or https. Default http.
	Scheme string `yaml:"scheme,omitempty"`
	// The path of the metrics page. Default /metrics.
	MetricsPath string `yaml:"metrics_path,omitempty"`
	// Parameters that go into the URL.
	Params map[string][]string `yaml:"params,omitempty"`
	// Keep labels of the page where they collide with those of the target. Default false.
	HonorLabels bool `yaml:"honor_labels,omitempty"`
	// Take the timestamps that stand on the page. Default true.
	HonorTimestamps *bool `yaml:"honor_timestamps,omitempty"`
	// The largest page to read, unpacked. Default 64MiB.
	BodySizeLimit Size `yaml:"body_size_limit,omitempty"`
	// The most samples of a page; a page with more is a failed scrape. Default no limit.
	SampleLimit uint `yaml:"sample_limit,omitempty"`

	// Targets written down here.
	StaticConfigs []*StaticConfig `yaml:"static_configs,omitempty"`
	// Targets listed in files.
	FileSDConfigs []*FileSD `yaml:"file_sd_configs,omitempty"`
	// Targets listed by an HTTP server.
	HTTPSDConfigs []*HTTPSD `yaml:"http_sd_configs,omitempty"`
	// Targets listed in DNS.
	DNSSDConfigs []*DNSSD `yaml:"dns_sd_configs,omitempty"`
	// Targets listed by Kubernetes.
	KubernetesSDConfigs []*KubernetesSD `yaml:"kubernetes_sd_configs,omitempty"`

	// Rewrites and picks targets by their labels.
	RelabelConfigs []*Relabel `yaml:"relabel_configs,omitempty"`
	// Rewrites and picks series by their labels.
	MetricRelabelConfigs []*Relabel `yaml:"metric_relabel_configs,omitempty"`

	HTTP   `yaml:",inline"`
	Unused `yaml:",inline"`
}

// Unused are settings of Prometheus's scrape_configs that mean nothing here. They are taken with a
// warning, so that a file written for Prometheus can be used as it is.
type Unused struct {
	TrackStaleness      NoEffect `yaml:"track_timestamps_staleness,omitempty"`
	Protocols           NoEffect `yaml:"scrape_protocols,omitempty"`
	FallbackProtocol    NoEffect `yaml:"fallback_scrape_protocol,omitempty"`
	Compression         NoEffect `yaml:"enable_compression,omitempty"`
	Classic             NoEffect `yaml:"scrape_classic_histograms,omitempty"`
	AlwaysClassic       NoEffect `yaml:"always_scrape_classic_histograms,omitempty"`
	NHCB                NoEffect `yaml:"convert_classic_histograms_to_nhcb,omitempty"`
	Native              NoEffect `yaml:"scrape_native_histograms,omitempty"`
	NativeBucketLimit   NoEffect `yaml:"native_histogram_bucket_limit,omitempty"`
	NativeBucketFactor  NoEffect `yaml:"native_histogram_min_bucket_factor,omitempty"`
	ExtraMetrics        NoEffect `yaml:"extra_scrape_metrics,omitempty"`
	FailureLog          NoEffect `yaml:"scrape_failure_log_file,omitempty"`
	LabelLimit          NoEffect `yaml:"label_limit,omitempty"`
	LabelNameLimit      NoEffect `yaml:"label_name_length_limit,omitempty"`
	LabelValueLimit     NoEffect `yaml:"label_value_length_limit,omitempty"`
	TargetLimit         NoEffect `yaml:"target_limit,omitempty"`
	KeepDropped         NoEffect `yaml:"keep_dropped_targets,omitempty"`
	NameValidation      NoEffect `yaml:"metric_name_validation_scheme,omitempty"`
	NameEscaping        NoEffect `yaml:"metric_name_escaping_scheme,omitempty"`
	TypeAndUnitLabels   NoEffect `yaml:"enable_type_and_unit_labels,omitempty"`
	StartTimestampParse NoEffect `yaml:"parse_start_timestamps,omitempty"`
}

// NoEffect is a setting that is accepted and not used.
type NoEffect bool

// UnmarshalYAML implements yaml.Unmarshaler.
func (e *NoEffect) UnmarshalYAML(*yaml.Node) error {
	*e = true
	return nil
}

// MarshalYAML leaves the setting out, as its value was not kept.
func (NoEffect) MarshalYAML() (any, error) { return nil, nil }

// IsZero lets omitempty leave it out.
func (NoEffect) IsZero() bool { return true }

func (s *Scrape) defaults(g Global) {
	if s.ScrapeInterval == 0 {
		s.ScrapeInterval = g.ScrapeInterval
	}
	if s.ScrapeTimeout == 0 {
		s.ScrapeTimeout = min(g.ScrapeTimeout, s.ScrapeInterval)
	}
	if s.Scheme == "" {
		s.Scheme = "http"
	}
	if s.MetricsPath == "" {
		s.MetricsPath = "/metrics"
	}
	if s.HonorTimestamps == nil {
		yes := true
		s.HonorTimestamps = &yes
	}
}

func (s *Scrape) check(c *check, at place) {
	c.require(at, "job_name", s.JobName != "")
	c.oneOf(at.field("scheme"), s.Scheme, "http", "https")
	if !strings.HasPrefix(s.MetricsPath, "/") {
		c.fault(at.field("metrics_path"), "", "want a path that begins with /")
	}
	if s.ScrapeTimeout > s.ScrapeInterval {
		where := at.field("scrape_timeout")
		if !where.written() {
			where = at.field("scrape_interval")
		}
		c.fault(where, "", "a scrape may take %s, longer than the interval of %s", s.ScrapeTimeout, s.ScrapeInterval)
	}
	n := len(s.StaticConfigs) + len(s.FileSDConfigs) + len(s.HTTPSDConfigs) + len(s.DNSSDConfigs) + len(s.KubernetesSDConfigs)
	if n == 0 && !c.mistyped(at) {
		c.fault(at.field("job_name"), "give static_configs, file_sd_configs, http_sd_configs, dns_sd_configs or kubernetes_sd_configs", "the job has no targets")
	}
}

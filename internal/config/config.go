// Package config reads the configuration file of `inferdx serve`. The file is data from outside: every
// fault in it comes with its line and column, all of them in one run, and none of them shows a secret.
package config

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Config is one checked configuration file, its defaults filled in. It is read-only.
type Config struct {
	// How often to look, and what holds where nothing closer is said.
	Global Global `yaml:"global,omitempty"`
	// Metrics pages to scrape, when there is no more to say about them than their addresses. host:port means http://host:port/metrics.
	URLs Some[Page] `yaml:"urls,omitempty"`
	// What to scrape, in Prometheus's own form.
	ScrapeConfigs []*Scrape `yaml:"scrape_configs,omitempty"`
	// Prometheus-compatible servers to read from instead of scraping, or beside it. A bare URL is enough.
	Prometheus Some[*Prometheus] `yaml:"prometheus,omitempty"`
	// Which labels make a target, a group, a GPU's and a host's owner.
	Targets Targets `yaml:"targets,omitempty"`
	// The arguments that servers were launched with, for settings that they do not export.
	Launch []*Launch `yaml:"launch,omitempty"`
	// Log files of the servers that are followed. A bare path is enough where there is one server.
	LogFiles Some[*LogFile] `yaml:"log_files,omitempty"`
	// Traces of requests that servers send by OTLP. Off unless protocols are named.
	OTLP *OTLP `yaml:"otlp,omitempty"`
	// Where a trace can be looked at, as https://jaeger.example/trace/{trace_id}: makes links of the requests that show a harm.
	TraceLink TraceLink `yaml:"trace_link,omitempty"`
	// The shapes of models and the GPUs under them, which tell how near a server is to what its hardware allows.
	Models []*Model `yaml:"models,omitempty"`
	// Small requests of our own, which show a server that answers /health but nobody else. Off unless enabled.
	Canary Canary `yaml:"canary,omitempty"`
	// What is promised to users. The first entry that matches a target counts.
	SLO []*SLO `yaml:"slo,omitempty"`
	// Files of your own symptom rules, as globs. A rule of a built-in's id replaces it.
	RuleFiles Some[Glob] `yaml:"rule_files,omitempty"`
	// Files of your own playbooks, as globs. A playbook of a built-in's id replaces it.
	PlaybookFiles Some[Glob] `yaml:"playbook_files,omitempty"`
	// Files of your own signals, as globs. Each lies in a folder `meaning` or `dialects`.
	SignalFiles Some[Glob] `yaml:"signal_files,omitempty"`
	// The ids of symptoms and causes to leave out.
	Disable Some[string] `yaml:"disable,omitempty"`
	// Who gets messages, and how. Without receivers, diagnoses are on the page, in the API and in the log only.
	Receivers []*Receiver `yaml:"receivers,omitempty"`
	// Which receiver gets what. With a single receiver it may be left out.
	Route *Route `yaml:"route,omitempty"`
	// Problems that silence others.
	InhibitRules []*InhibitRule `yaml:"inhibit_rules,omitempty"`
	// Named hours, for mute_time_intervals and active_time_intervals of routes.
	TimeIntervals []*TimeInterval `yaml:"time_intervals,omitempty"`
	// Files of message templates, as globs, below the folder of this file.
	Templates Some[Glob] `yaml:"templates,omitempty"`
	// Where what happened is kept.
	Storage Storage `yaml:"storage,omitempty"`
}

// Global holds what holds everywhere.
type Global struct {
	// How often to scrape a target. Default 15s.
	ScrapeInterval Duration `yaml:"scrape_interval,omitempty"`
	// How long a scrape may take; not longer than its interval. Default 10s, or the interval where that is shorter.
	ScrapeTimeout Duration `yaml:"scrape_timeout,omitempty"`
	// How often to diagnose. Default 15s.
	EvaluationInterval Duration `yaml:"evaluation_interval,omitempty"`
	// How far back a diagnosis looks. It has to hold two scrapes at least. Default 5m.
	Window Duration `yaml:"window,omitempty"`
	// When an alert that came from outside without an end counts as resolved. Default 5m.
	ResolveTimeout Duration `yaml:"resolve_timeout,omitempty"`
	// Labels that go on everything that leaves this server.
	ExternalLabels map[Label]string `yaml:"external_labels,omitempty"`
}

// Storage says where what happened is kept.
type Storage struct {
	// The folder, relative to where the program was started. Default data.
	Path string `yaml:"path,omitempty"`
	// How long what happened is kept. Default 15d.
	Retention Duration `yaml:"retention,omitempty"`
}

// YAML writes the configuration as it is used, defaults filled in and secrets hidden.
func (c *Config) YAML() ([]byte, error) {
	out, err := yaml.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write configuration: %w", err)
	}
	return out, nil
}

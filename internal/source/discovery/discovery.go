// Package discovery finds the targets to scrape, by Prometheus's own service discovery and relabelling.
// It alone brings Kubernetes's client along.
package discovery

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	prom "github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"

	"github.com/inferdx/inferdx/internal/config"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// Discovery follows the targets of the jobs that it was given last.
type Discovery struct {
	log     *slog.Logger
	manager *prom.Manager

	turn   sync.Mutex // of tell: who is told hears of the newest targets last
	mu     sync.Mutex
	jobs   map[string]*job
	fixed  []scrape.Target // bare pages, which need no discovery
	plain  *httpclient.Client
	found  map[string][]*targetgroup.Group
	faults map[string]string
	told   func([]scrape.Target)
}

// job is what the targets of a scrape configuration share.
type job struct {
	*config.Scrape

	client *httpclient.Client
}

// New makes a discovery without jobs. Every is how long changes are gathered before they are told; 0
// means 5 s, as in Prometheus. It works until ctx ends.
func New(ctx context.Context, log *slog.Logger, every time.Duration, told func([]scrape.Target)) (*Discovery, error) {
	reg := prometheus.NewRegistry() // its metrics have Prometheus's names and are not ours
	metrics, err := prom.CreateAndRegisterSDMetrics(reg)
	if err != nil {
		return nil, fmt.Errorf("service discovery: %w", err)
	}
	var options []func(*prom.Manager)
	if every > 0 {
		options = append(options, prom.Updatert(every))
	}
	m := prom.NewManager(ctx, log, reg, metrics, options...)
	if m == nil {
		return nil, fmt.Errorf("service discovery cannot be started")
	}
	return &Discovery{log: log, manager: m, jobs: map[string]*job{}, faults: map[string]string{}, told: told}, nil
}

// Apply follows other jobs from now on. What cannot be used leaves all as it was.
func (d *Discovery) Apply(c *config.Config) error {
	jobs := map[string]*job{}
	configs := map[string]prom.Configs{}
	for _, s := range c.ScrapeConfigs {
		client, err := d.client(s)
		if err != nil {
			return fmt.Errorf("job %s: %w", s.JobName, err)
		}
		jobs[s.JobName] = &job{Scrape: s, client: client}
		if configs[s.JobName], err = providers(s); err != nil {
			return fmt.Errorf("job %s: %w", s.JobName, err)
		}
	}
	fixed, err := d.bare(c)
	if err != nil {
		return err
	}
	if err := d.manager.ApplyConfig(configs); err != nil {
		return fmt.Errorf("service discovery: %w", err)
	}
	d.mu.Lock()
	d.jobs, d.fixed = jobs, fixed
	d.mu.Unlock()
	d.tell()
	return nil
}

// client is the one that the job had before, if nothing about it has changed: its targets go on undisturbed.
func (d *Discovery) client(s *config.Scrape) (*httpclient.Client, error) {
	d.mu.Lock()
	old := d.jobs[s.JobName]
	d.mu.Unlock()
	if old != nil && reflect.DeepEqual(old.HTTP, s.HTTP) {
		return old.client, nil
	}
	return httpclient.New(s.Options())
}

// Run tells of changes until ctx ends. Service discovery that fails keeps the targets that it found last.
func (d *Discovery) Run(ctx context.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- d.manager.Run() }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("service discovery ended: %w", err)
		case found := <-d.manager.SyncCh():
			d.mu.Lock()
			d.found = found
			d.mu.Unlock()
			d.tell()
		}
	}
}

// Faults are targets that cannot be scraped as their labels are wrong, by job.
func (d *Discovery) Faults() map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string]string{}
	for job, text := range d.faults {
		out[job] = text
	}
	return out
}

// tell gives all targets of now.
func (d *Discovery) tell() {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	out := slices.Clone(d.fixed)
	d.faults = map[string]string{}
	for name, groups := range d.found {
		j := d.jobs[name]
		if j == nil {
			continue
		}
		for _, g := range groups {
			for _, labels := range g.Targets {
				t, ok, err := j.target(labels, g.Labels)
				switch {
				case err != nil:
					d.faults[name] = err.Error()
				case ok:
					out = append(out, t)
				}
			}
		}
	}
	d.mu.Unlock()
	slices.SortFunc(out, func(a, b scrape.Target) int { return strings.Compare(a.ID(), b.ID()) })
	d.told(slices.CompactFunc(out, func(a, b scrape.Target) bool { return a.ID() == b.ID() }))
}

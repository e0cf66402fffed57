// Package canary asks each server for a token now and then, as a user would: an engine that hangs goes
// on answering /health and /metrics, and only a request shows it. The requests are told from those of
// users by their User-Agent and the header X-Inferdx-Canary, by the field user of their body, and by
// their request id, which engines write to their logs.
package canary

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// Target is a server to ask. What is no inference server can only say that it has no models.
type Target struct {
	Labels model.Labels
	// URL is where its metrics are; its API is taken to be beside them.
	URL string
}

// Options say how targets are asked.
type Options struct {
	// Client reaches them, with their API key.
	Client *httpclient.Client
	// Interval between two requests to a target; 0 means a minute. Targets are spread over it.
	Interval time.Duration
	// Timeout of a request; 0 means half the interval, and it is never longer than the interval.
	Timeout time.Duration
	// Model to ask for; empty takes the first that the server lists.
	Model string
	// MaxTokens of an answer; 0 means 1.
	MaxTokens int
	// Match picks the targets by their labels; nil takes all.
	Match func(map[string]string) bool
	// Report is told each result. Calls for different targets may overlap.
	Report func(Result)
}

// Prober sends the requests. It is safe for concurrent use.
type Prober struct {
	o    Options
	wake chan struct{}

	mu     sync.Mutex
	wanted map[string]Target
}

// New makes a prober of no targets.
func New(o Options) (*Prober, error) {
	if o.Client == nil || o.Report == nil {
		return nil, errors.New("canary: needs a client and somebody to report to")
	}
	if o.Interval <= 0 {
		o.Interval = time.Minute
	}
	if o.Timeout <= 0 {
		o.Timeout = o.Interval / 2
	}
	o.Timeout = min(o.Timeout, o.Interval)
	o.MaxTokens = max(o.MaxTokens, 1)
	return &Prober{o: o, wake: make(chan struct{}, 1)}, nil
}

// Sync says which targets there are. A request to one that is gone is given up and not reported.
func (p *Prober) Sync(targets []Target) {
	wanted := make(map[string]Target, len(targets))
	for _, t := range targets {
		u, err := scrape.Normalize(t.URL)
		if err != nil || p.o.Match != nil && !p.o.Match(t.Labels.Map()) {
			continue
		}
		t.URL = u.String()
		wanted[t.Labels.Key()] = t
	}
	p.mu.Lock()
	p.wanted = wanted
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// running is a target that is being asked.
type running struct {
	url  string
	stop context.CancelFunc
}

// Run asks until ctx ends, and returns when no request is under way any more.
func (p *Prober) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	now := map[string]running{}
	for {
		p.mu.Lock()
		wanted := maps.Clone(p.wanted)
		p.mu.Unlock()
		for key, r := range now {
			if t, ok := wanted[key]; !ok || t.URL != r.url {
				r.stop()
				delete(now, key)
			}
		}
		for key, t := range wanted {
			if _, ok := now[key]; !ok {
				own, stop := context.WithCancel(ctx)
				now[key] = running{t.URL, stop}
				all.Go(func() { p.loop(own, t, key) })
			}
		}
		select {
		case <-ctx.Done():
			for _, r := range now {
				r.stop()
			}
			return
		case <-p.wake:
		}
	}
}

// loop asks one target at its own moment of each interval, one request after the other: a moment that
// comes while a request is under way is missed.
func (p *Prober) loop(ctx context.Context, t Target, key string) {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	moment := time.Duration(h.Sum64() % uint64(p.o.Interval)) //nolint:gosec // less than the interval
	asked := &asker{o: p.o, target: t}
	for {
		now := time.Now()
		next := now.Truncate(p.o.Interval).Add(moment)
		for !next.After(now) {
			next = next.Add(p.o.Interval)
		}
		timer := time.NewTimer(next.Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		r := asked.ask(ctx)
		if ctx.Err() != nil {
			return
		}
		p.o.Report(r)
	}
}

// Package promapi reads raw samples from a Prometheus-compatible server. It asks instant queries of
// range selectors, so that what is evaluated afterwards is the same as for a recording.
package promapi

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// Options say how to reach the server.
type Options struct {
	httpclient.Options

	// URL of the server, with its path prefix where it has one: https://mimir.example/prometheus.
	URL string
	// Timeout of one query; 0 means 30 s. Waiting after a 429 does not count.
	Timeout time.Duration
	// Concurrency bounds the queries under way; 0 means 4.
	Concurrency int
	// Offset is how long samples take to become visible. Everything is read that much earlier.
	Offset time.Duration
	// BodyLimit bounds one answer, unpacked; 0 means 64 MiB.
	BodyLimit int64
}

// Selection says which samples are read.
type Selection struct {
	// At and Window: samples in (At-Window, At], both shifted by the options' Offset.
	At     time.Time
	Window time.Duration
	// Names are metric names as exposed. `up` of the jobs found needs no mention.
	Names []string
	// Matchers are PromQL label matchers that hold for all of them, such as job="vllm".
	Matchers []string
	// Identity are the label names that tell instances apart; none means job and instance.
	Identity []string
	// Jobs are those whose `up` is wanted even where none of their series is there: all their servers
	// may be down.
	Jobs []string
	// Sparse asks for sixty samples of each series, spread over the window: enough to know what counters
	// gained in it.
	Sparse bool
}

const (
	namesPerQuery = 30
	// chunk is the longest range of one query: an hour at a 15 s interval is 240 samples a series.
	chunk = time.Hour
)

// server is a client for one Prometheus-compatible server.
type server struct {
	Options

	http *httpclient.Client
	api  v1.API
	time *clock
	name string // for faults
}

func connect(o Options) (*server, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Concurrency == 0 {
		o.Concurrency = 4
	}
	if o.Timeout < 0 || o.Concurrency < 0 || o.Offset < 0 {
		return nil, errors.New("prometheus: timeout, concurrency and offset must not be negative")
	}
	u, err := address(o.URL)
	if err != nil {
		return nil, err
	}
	plain, err := api.NewClient(api.Config{Address: u.String()})
	if err != nil {
		return nil, fmt.Errorf("prometheus %s: cannot make a client", httpclient.Display(u))
	}
	client, err := httpclient.New(o.Options)
	if err != nil {
		return nil, fmt.Errorf("prometheus %s: %w", httpclient.Display(u), err)
	}
	t := &transport{Client: plain, http: client, limit: o.BodyLimit, timeout: o.Timeout}
	return &server{Options: o, http: client, api: v1.NewAPI(t), time: &t.clock, name: "prometheus " + httpclient.Display(u)}, nil
}

// address completes a URL as people write or paste it.
func address(raw string) (*url.URL, error) {
	s := strings.TrimSpace(raw)
	if s == "" {
		return nil, errors.New("prometheus: no URL given")
	}
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" { // the cause would quote the URL, which may hold a password
		return nil, errors.New("prometheus: the URL cannot be parsed; it should look like http://host:9090")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("prometheus %s: only http and https are understood", httpclient.Display(u))
	}
	for _, tail := range []string{"/", "/query", "/api/v1"} {
		u.Path = strings.TrimSuffix(u.Path, tail)
	}
	u.Path = strings.TrimSuffix(u.Path, "/")
	u.Fragment = ""
	return u, nil
}

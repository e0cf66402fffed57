// Package scrape reads metrics pages at an interval for a while, as Prometheus would.
package scrape

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// Options say what is scraped and how.
type Options struct {
	httpclient.Options

	// URLs to scrape. host:port means http://host:port/metrics, and so does a URL without a path.
	URLs []string
	// Interval between scrapes; 0 means 2 s. Duration is how long; 0 means a single scrape.
	Interval, Duration time.Duration
	// Timeout of one scrape; 0 means 10 s. A page slower than Interval is scraped less often.
	Timeout time.Duration
	// BodyLimit bounds one page, unpacked; 0 means 64 MiB.
	BodyLimit int64
	// Keep says which metrics are wanted, by the name as exposed; nil keeps all.
	Keep func(metric string) bool
	// Name gives the job and instance labels of a URL. Where it is nil or gives "", the job is
	// guessed from the page and the instance is host:port.
	Name func(url string) (job, instance string)
	// Identity are the label names that tell instances apart; none means job and instance.
	Identity []string
	// HonorTimestamps takes timestamps that stand on the page instead of the time of the scrape.
	HonorTimestamps bool
	// Type is told the type of every metric family. It may be nil. Calls do not overlap.
	Type func(family, kind string)
	// Progress is told after each scrape how many of all are done. It may be nil. Calls do not overlap.
	Progress func(done, total int)
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case len(o.URLs) == 0:
		return o, errors.New("scrape: no URL given")
	case o.Interval < 0 || o.Duration < 0 || o.Timeout < 0:
		return o, errors.New("scrape: interval, duration and timeout must not be negative")
	}
	if o.Interval == 0 {
		o.Interval = 2 * time.Second
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return o, nil
}

// scrapes is how many there are for each URL: one at the start, one at the end of each interval.
func (o Options) scrapes() int { return int(o.Duration/o.Interval) + 1 }

// targets makes one target for each different URL.
func (o Options) targets() ([]*target, error) {
	var out []*target
	seen := map[string]bool{}
	named := map[[2]string]bool{}
	for _, raw := range o.URLs {
		u, err := Normalize(raw)
		if err != nil {
			return nil, err
		}
		if seen[u.String()] {
			continue
		}
		seen[u.String()] = true
		t := &target{url: u, o: o, known: map[string]*series{}}
		if o.Name != nil {
			t.job, t.instance = o.Name(raw)
		}
		if t.instance == "" {
			t.instance = net.JoinHostPort(u.Hostname(), httpclient.Port(u))
		}
		if name := [2]string{t.job, t.instance}; named[name] { // two pages of one server
			t.instance += u.Path
		}
		named[[2]string{t.job, t.instance}] = true
		out = append(out, t)
	}
	return out, nil
}

// Normalize completes a URL as people write it on a command line: host:port is enough.
func Normalize(raw string) (*url.URL, error) {
	s := strings.TrimSpace(raw)
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil { // the cause would quote the URL, which may hold a password
		return nil, errors.New("scrape: one of the URLs cannot be parsed; it should look like http://host:8000/metrics")
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("scrape: %s: only http and https are understood", httpclient.Display(u))
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("scrape: no host in %q", httpclient.Display(u))
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/metrics"
	}
	u.Fragment = ""
	return u, nil
}

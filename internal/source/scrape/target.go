package scrape

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// page is one answer: its text and what the server calls it.
type page struct {
	body        []byte
	contentType string
}

// target is one URL and what it gave. Its samples go into the store at the end, when its job is
// known. One goroutine at a time uses it.
type target struct {
	url           *url.URL
	o             Options
	job, instance string
	read          func(context.Context) (page, error)

	known    map[string]*series // by text on the page
	order    []*series
	staged   []staged
	types    map[string]string
	guess    string
	up       []samples.Point
	answered int
	failed   int
	lastErr  error
}

// series is one line of the page over time. name is "" when the metric is not wanted.
type series struct {
	name   string
	labels model.Labels
	points []samples.Point
}

type staged struct {
	series *series
	point  samples.Point
}

// accept asks for OpenMetrics, then the older text format. vLLM ignores it and sends the latter.
const accept = "application/openmetrics-text;version=1.0.0;q=0.9,text/plain;version=0.0.4;q=0.8,*/*;q=0.1"

// pages makes a reader of one URL. It reuses its buffer: a page is valid until the next one.
func pages(client *httpclient.Client, u *url.URL, limit int64) func(context.Context) (page, error) {
	var buf []byte
	return func(ctx context.Context) (page, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return page{}, errors.New("cannot make a request of this URL")
		}
		req.Header.Set("Accept", accept)
		resp, err := client.Read(ctx, req, limit, buf)
		if err != nil {
			return page{}, err
		}
		buf = resp.Body
		return page{resp.Body, resp.Header.Get("Content-Type")}, nil
	}
}

// scrape reads the page once. It is false when ctx ended: that says nothing about the target.
func (t *target) scrape(ctx context.Context, at time.Time) bool {
	limited, stop := context.WithTimeout(ctx, t.o.Timeout)
	defer stop()
	p, err := t.read(limited)
	if err == nil {
		err = t.parse(p, at.UnixMilli())
	}
	if err != nil && ctx.Err() != nil {
		return false
	}
	if err != nil {
		t.failed++
		t.lastErr = err
		t.up = append(t.up, samples.Point{T: at.UnixMilli(), V: 0})
		return true
	}
	for _, s := range t.staged {
		s.series.points = append(s.series.points, s.point)
	}
	t.answered++
	t.up = append(t.up, samples.Point{T: at.UnixMilli(), V: 1})
	return true
}

// writeTo puts everything into the store under the target's labels.
func (t *target) writeTo(store *samples.Store) {
	job := t.job
	if job == "" {
		job = t.guess
	}
	if job == "" {
		job = "target"
	}
	own := model.Labels{{Name: "instance", Value: t.instance}, {Name: "job", Value: job}}
	for _, s := range t.order {
		if len(s.points) > 0 {
			into := store.Series(s.name, join(own, s.labels))
			into.Points = append(into.Points, s.points...)
		}
	}
	if len(t.up) == 0 {
		return
	}
	up := store.Series("up", own)
	up.Points = append(up.Points, t.up...)
}

// join adds a target's labels to those of a series. A label of the page that has the same name is
// kept as exported_job, as Prometheus does it.
func join(own, of model.Labels) model.Labels {
	out := append(make(model.Labels, 0, len(own)+len(of)), own...)
	for _, l := range of {
		name := l.Name
		for own.Get(name) != "" || name != l.Name && of.Get(name) != "" {
			name = "exported_" + name
		}
		l.Name = name
		out = append(out, l)
	}
	out.Sort()
	return out
}

// jobs tell what a page is from, by how its metrics begin.
var jobs = []struct{ prefix, job string }{{"vllm:", "vllm"}, {"vllm_", "vllm"}, {"DCGM_", "dcgm"}, {"node_", "node"}}

// look learns the job from a metric's name. An engine's page may carry node_ metrics, too; what
// stands first in the list of jobs decides.
func (t *target) look(name string) {
	for _, j := range jobs {
		if j.job == t.guess {
			return
		}
		if strings.HasPrefix(name, j.prefix) {
			t.guess = j.job
			return
		}
	}
}

package main

import (
	"context"
	"time"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/serverinfo"
	"github.com/inferdx/inferdx/rules/signals"
)

// wanted tells the metrics that the catalogue reads from all others.
func wanted(c *content.Content) func(string) bool {
	names := map[string]bool{}
	for _, n := range c.Signals.Metrics() {
		names[n] = true
	}
	return func(metric string) bool { return names[metric] }
}

func (o *diagnosis) fromRecording(c *content.Content) (*reading, error) {
	path := metricsOf(o.recording)
	st, err := recording.Open(path, wanted(c))
	if err != nil {
		return nil, misfile("recording", path, err)
	}
	return o.in(st)
}

// in looks at a recording at the wanted time.
func (o *diagnosis) in(st *samples.Store) (*reading, error) {
	first, last, ok := st.Bounds()
	if !ok {
		return nil, noEngine(st)
	}
	at, err := parseTime(o.at, time.UnixMilli(last))
	if err != nil {
		return nil, err
	}
	if from := at.Add(-o.window); at.UnixMilli() < first || from.UnixMilli() >= last {
		return nil, unreadable("it holds samples from "+stamp(first)+" to "+stamp(last),
			"the recording has nothing in the %s before %s", o.window, at.UTC().Format(time.RFC3339))
	}
	return &reading{store: st, at: at, window: o.window, noTarget: func() error { return noEngine(st) }}, nil
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func (a *app) fromPages(ctx context.Context, o *diagnosis, c *content.Content) (*reading, error) {
	got, err := a.scrape(ctx, &o.live, &o.http, wanted(c))
	if err != nil {
		return nil, err
	}
	r := &reading{store: got.store, faults: got.faults, window: o.window, at: time.Now()}
	r.noTarget = func() error { return noEngine(got.store) }
	if first, last, ok := got.store.Bounds(); ok {
		r.at = time.UnixMilli(last)
		if seen := time.Duration(last-first)*time.Millisecond + time.Second; !o.windowSet {
			r.window = max(r.window, seen)
		}
	}
	if got.cut {
		r.faults = append(r.faults, model.Fault{Source: "scraping", Err: "it was ended early by an interrupt"})
		return r, nil
	}
	r.info = serverinfo.ByInstance(ctx, serverinfo.Options{Options: got.client, URLs: o.live.urls}, c.Knobs)
	return r, nil
}

// prometheus are the flags of reading a Prometheus-compatible API.
type prometheus struct {
	url    string
	match  []string
	offset time.Duration
}

func (p *prometheus) flags(f *pflag.FlagSet) {
	f.StringVar(&p.url, "prometheus", "", "a Prometheus-compatible server (Prometheus, Thanos, Mimir, VictoriaMetrics); it is asked for every known engine")
	f.StringArrayVar(&p.match, "match", nil, `label matcher that all series must meet, as 'namespace="prod"' (repeatable)`)
	f.DurationVar(&p.offset, "query-offset", 0, "how late samples become visible there; everything is read that much earlier")
}

func (o *diagnosis) fromPrometheus(ctx context.Context, c *content.Content) (*reading, error) {
	now := time.Now()
	at, err := parseTime(o.at, now)
	switch {
	case err != nil:
		return nil, err
	case at.After(now.Add(time.Minute)):
		return nil, usage("as -10m", "--at lies in the future")
	case o.prometheus.offset < 0:
		return nil, usage("as 30s", "--query-offset must not be negative")
	}
	client, limit, err := o.http.options()
	if err != nil {
		return nil, err
	}
	server := promapi.Options{Options: client, URL: o.prometheus.url, Timeout: o.http.timeout, BodyLimit: limit, Offset: o.prometheus.offset}
	sel := promapi.Selection{At: at, Window: o.window, Names: c.Signals.Metrics(), Matchers: o.prometheus.match}
	st, faults, err := promapi.Fetch(ctx, server, sel)
	if err != nil {
		return nil, unreadable("the URL is that of the server, as http://host:9090, without /api/v1", "%w", err)
	}
	r := &reading{
		store: st, faults: faults, at: at.Add(-o.prometheus.offset), window: o.window,
		noTarget: func() error { return o.prometheus.nobody(ctx, server, st, c.Signals.Markers(), at, o.window) },
	}
	if len(st.Instances()) > 0 {
		r.readEarlier(ctx, server, sel, c.History())
	}
	return r, nil
}

// readEarlier reads the windows that the content compares the present with.
func (r *reading) readEarlier(ctx context.Context, server promapi.Options, sel promapi.Selection, h *signals.History) {
	var backs []promapi.Back
	for _, w := range h.Windows() {
		if w.Length != sel.Window { // the present is that
			backs = append(backs, promapi.Back{By: w.Back, Length: w.Length, Names: w.Metrics})
		}
	}
	stores, faults := promapi.FetchEarlier(ctx, server, sel, backs)
	r.faults = append(r.faults, faults...)
	for i, st := range stores {
		r.earlier = append(r.earlier, signals.Earlier{Back: backs[i].By, Length: backs[i].Length, Store: st})
	}
}

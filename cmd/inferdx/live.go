package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/pflag"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// live are the flags of scraping.
type live struct {
	urls               []string
	duration, interval time.Duration
}

func (l *live) flags(f *pflag.FlagSet) {
	f.StringArrayVar(&l.urls, "url", nil, "metrics page of the engine, of dcgm-exporter, of node_exporter, …; host:port is enough (repeatable)")
	f.DurationVar(&l.duration, "duration", 30*time.Second, "how long --url is scraped")
	f.DurationVar(&l.interval, "interval", 2*time.Second, "time between scrapes of --url")
}

func (l *live) check() error {
	switch {
	case l.interval < 100*time.Millisecond:
		return usage("as 2s", "--interval must be 100ms or more")
	case l.duration < 0:
		return usage("as 30s", "--duration must not be negative")
	case l.duration/l.interval > 100_000:
		return usage("a longer --interval, or a Prometheus server and --prometheus", "--duration and --interval ask for too many scrapes")
	}
	for _, u := range l.urls {
		if _, err := scrape.Normalize(u); err != nil {
			return usage("as http://host:8000/metrics or host:8000", "--url: %w", err)
		}
	}
	return nil
}

// scraped is what came of scraping.
type scraped struct {
	store  *samples.Store
	faults []model.Fault
	types  map[string]string
	cut    bool // ctrl-C ended it early
	client httpclient.Options
}

// scrape reads the pages until the time is up or ctrl-C. Fewer than two scrapes then are nothing.
func (a *app) scrape(ctx context.Context, l *live, h *httpFlags, keep func(string) bool) (*scraped, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	client, limit, err := h.options()
	if err != nil {
		return nil, err
	}
	out := &scraped{types: map[string]string{}, client: client}
	bar := newBar(a.err, l.duration, len(l.urls))
	out.store, out.faults, err = scrape.Run(ctx, scrape.Options{
		Options: client, URLs: l.urls, Interval: l.interval, Duration: l.duration, Timeout: h.timeout, BodyLimit: limit, Keep: keep,
		Type: func(family, kind string) { out.types[family] = kind }, Progress: bar.progress,
	})
	bar.clear()
	var nothing *scrape.NothingRead
	switch {
	case errors.As(err, &nothing):
		return nil, unreadable("is the server up, and is this its metrics page? vLLM's is http://host:8000/metrics", "%w", err)
	case ctx.Err() != nil && mostScrapes(out.store) < 2:
		return nil, unreadable("two scrapes are the least to tell anything about rates", "interrupted before two scrapes were read")
	case ctx.Err() != nil:
		out.cut = true
		return out, nil
	case err != nil:
		return nil, unreadable("", "%w", err)
	}
	return out, nil
}

func mostScrapes(st *samples.Store) int {
	most := 0
	if st != nil {
		for _, in := range st.Instances() {
			most = max(most, len(in.Scrapes))
		}
	}
	return most
}

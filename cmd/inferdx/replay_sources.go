package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/promapi"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// past is what is replayed.
type past struct {
	source   replay.Source
	from, to time.Time
	interval time.Duration // of a recording; 0 elsewhere
	hint     string        // where nothing can be read
	noTarget func(*replay.Result) error
	close    func()
}

// past is the only step in which the sources differ.
func (o *backtest) past(ctx context.Context, c *content.Content) (*past, error) {
	switch {
	case o.recording != "":
		return o.fromRecording(c)
	case o.history != "":
		return o.fromHistory()
	default:
		return o.fromPrometheus(ctx, c)
	}
}

// stretch reads --from and --to; without --from it begins where the samples do.
func (o *backtest) stretch(first, last time.Time) (from, to time.Time, err error) {
	if to, err = parseTime(o.to, last); err != nil {
		return from, to, usage("as 2026-11-03T03:12:44Z, 1793675564 or -10m", "--to %q is no time", o.to)
	}
	if from = first; o.from != "" {
		if from, err = parseTime(o.from, last); err != nil {
			return from, to, usage("as 2026-11-03T03:12:44Z, 1793675564 or -30d", "--from %q is no time", o.from)
		}
	}
	if !to.After(from) {
		return from, to, usage("--from lies before --to", "there is nothing from %s to %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return from, to, nil
}

// outside refuses a range in which a source has nothing.
func outside(from, to, first, last time.Time) error {
	if from.After(last) || to.Before(first) {
		return unreadable("it holds samples from "+stamp(first.UnixMilli())+" to "+stamp(last.UnixMilli()),
			"it has nothing from %s to %s", from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339))
	}
	return nil
}

func (o *backtest) fromRecording(c *content.Content) (*past, error) {
	path := metricsOf(o.recording)
	st, err := recording.Open(path, wanted(c))
	if err != nil {
		return nil, misfile("recording", path, err)
	}
	first, last, ok := st.Bounds()
	if !ok || first == last {
		return nil, noEngine(st)
	}
	p := &past{source: replay.Held{Store: st}, close: func() {}, noTarget: func(*replay.Result) error { return noEngine(st) }}
	p.interval, _ = replay.Interval(st)
	if p.from, p.to, err = o.stretch(time.UnixMilli(first), time.UnixMilli(last)); err != nil {
		return nil, err
	}
	return p, outside(p.from, p.to, time.UnixMilli(first), time.UnixMilli(last))
}

func (o *backtest) fromHistory() (*past, error) {
	dir := o.history
	if inner := filepath.Join(dir, tsdb.Folder); exists(inner) {
		dir = inner
	}
	db, err := tsdb.OpenPast(dir)
	if err != nil {
		return nil, unreadable("the folder is the service's --storage.path, or a Prometheus's data folder", "%w", err)
	}
	first, last, ok := db.Bounds()
	if !ok {
		return nil, unreadable("has the service scraped anything yet?", "%s holds no samples", dir)
	}
	p := &past{source: history{db}, close: func() { _ = db.Close() }}
	p.noTarget = func(r *replay.Result) error {
		return unreadable("it holds samples from "+stamp(first.UnixMilli())+" to "+stamp(last.UnixMilli()),
			"%s has no series of a known engine from %s to %s", dir, stamp(r.From.UnixMilli()), stamp(r.To.UnixMilli()))
	}
	if p.from, p.to, err = o.stretch(first, last); err == nil {
		err = outside(p.from, p.to, first, last)
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// history reads the folder of a service.
type history struct{ *tsdb.Past }

func (h history) Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	return h.Select(ctx, tsdb.Selection{At: at, Window: window, Names: names})
}

func (o *backtest) fromPrometheus(ctx context.Context, c *content.Content) (*past, error) {
	now := time.Now().Add(-o.prometheus.offset) // what is newer is not visible yet
	client, limit, err := o.http.options()
	if err != nil {
		return nil, err
	}
	p := &past{close: func() {}, hint: "the URL is that of the server, as http://host:9090, without /api/v1"}
	to, err := parseTime(o.to, now)
	if err != nil {
		to = now // stretch says so
	}
	if p.from, p.to, err = o.stretch(to.Add(-24*time.Hour), now); err != nil {
		return nil, err
	}
	if p.to.After(now.Add(time.Minute)) {
		return nil, usage("as -1h", "--to lies in the future")
	}
	server := promapi.Options{Options: client, URL: o.prometheus.url, Timeout: o.http.timeout, BodyLimit: limit}
	remote := &remote{server: server, match: o.prometheus.match}
	p.source = remote
	p.noTarget = func(r *replay.Result) error {
		return o.prometheus.nobody(ctx, server, samples.NewStore(), c.Signals.Markers(), r.To, min(r.To.Sub(r.From), o.window))
	}
	return p, nil
}

// remote reads a Prometheus-compatible server. It remembers the jobs it has seen, as a job all of whose
// servers are down has nothing but `up`.
type remote struct {
	server promapi.Options
	match  []string
	jobs   []string
}

func (r *remote) Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	st, faults, err := promapi.Fetch(ctx, r.server, promapi.Selection{At: at, Window: window, Names: names, Matchers: r.match, Jobs: r.jobs})
	if err != nil {
		return nil, nil, errors.Join(err, ctx.Err())
	}
	r.jobs = jobsOf(r.jobs, st)
	return st, faults, nil
}

// jobsOf adds the jobs of a store to some.
func jobsOf(known []string, st *samples.Store) []string {
	for _, in := range st.Instances() {
		if j := in.Labels.Get("job"); j != "" && !slices.Contains(known, j) {
			known = append(known, j)
		}
	}
	return known
}

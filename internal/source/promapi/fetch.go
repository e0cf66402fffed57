package promapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	common "github.com/prometheus/common/model"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// Fetch reads the selected samples. A query that fails, or that the server answers with a warning
// or in part, is a fault; only when every query failed is it an error. A server that has none of
// the series gives an empty store and no error.
func Fetch(ctx context.Context, o Options, sel Selection) (*samples.Store, []model.Fault, error) {
	s, err := connect(o)
	if err != nil {
		return nil, nil, err
	}
	defer s.http.Close()
	sel.Window = sel.Window.Truncate(time.Millisecond)
	if sel.Window <= 0 || len(sel.Names) == 0 {
		return nil, nil, fmt.Errorf("%s: nothing to read: no window or no metric names", s.name)
	}
	f := &fetch{server: s, sel: sel, store: samples.NewStore(sel.Identity...), jobs: map[string]bool{}}
	f.at = sel.At.Add(-o.Offset).Truncate(time.Millisecond)
	for _, j := range sel.Jobs {
		f.jobs[j] = true
	}
	f.all(ctx, f.named())
	f.all(ctx, f.ups())
	switch {
	case ctx.Err() != nil:
		return nil, f.faults, fmt.Errorf("%s: %w", s.name, ctx.Err())
	case f.answered == 0:
		return nil, f.faults, fmt.Errorf("%s: nothing could be read: %w", s.name, f.first)
	}
	if fault, ok := s.time.fault(s.name, sel.At); ok {
		f.faults = append(f.faults, fault)
	}
	f.store.Finish()
	return f.store, f.faults, nil
}

// fetch is one Fetch under way.
type fetch struct {
	*server

	sel Selection
	at  time.Time // the window's end

	mu       sync.Mutex
	store    *samples.Store
	jobs     map[string]bool
	answered int
	first    error // of the queries that failed
	faults   []model.Fault
}

// query is one range selector. Its series count only where accept, if given, says so.
type query struct {
	names    []string
	matchers []string
	span     span
	accept   func(common.Metric) bool
	depth    int // how often it was halved
}

// named are the queries for the selected metrics.
func (f *fetch) named() []query {
	names := slices.Clone(f.sel.Names)
	slices.Sort(names)
	names = slices.Compact(names)
	var out []query
	for _, sp := range f.sel.spans(f.at) {
		for batch := range slices.Chunk(names, namesPerQuery) {
			out = append(out, query{names: batch, matchers: f.sel.Matchers, span: sp})
		}
	}
	return out
}

// all runs queries with bounded concurrency and waits for them.
func (f *fetch) all(ctx context.Context, queries []query) {
	slots := make(chan struct{}, f.Concurrency)
	var wait sync.WaitGroup
	for _, q := range queries {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			f.one(ctx, q)
		})
	}
	wait.Wait()
}

// one runs a query. An answer beyond the limit is asked for again in halves, a few times.
func (f *fetch) one(ctx context.Context, q query) {
	if ctx.Err() != nil {
		return
	}
	v, warnings, err := f.ask(ctx, selector(q.names, q.matchers)+q.span.text(), q.span.end)
	if err != nil && tooBig(err) && q.depth < 4 {
		if a, b, ok := q.halves(); ok {
			f.one(ctx, a)
			f.one(ctx, b)
			return
		}
	}
	matrix, ok := v.(common.Matrix)
	if err == nil && !ok {
		err = fmt.Errorf("asked for a matrix, got %s", resultType(v))
	}
	if err == nil {
		err = checkTwins(matrix)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range warnings {
		f.blame(q, "partial data: "+short(w))
	}
	if err != nil {
		if f.first == nil {
			f.first = err
		}
		f.blame(q, err.Error())
		return
	}
	f.answered++
	for _, stream := range matrix {
		f.take(q, stream)
	}
}

// halves splits a query by its names, else by its time.
func (q query) halves() (a, b query, ok bool) {
	a, b = q, q
	a.depth, b.depth = q.depth+1, q.depth+1
	if n := len(q.names) / 2; n > 0 {
		a.names, b.names = q.names[:n], q.names[n:]
		return a, b, true
	}
	half := (q.span.length / 2).Truncate(time.Second)
	if half < time.Minute {
		return a, b, false
	}
	a.span = span{q.span.end.Add(-half), q.span.length - half, q.span.step}
	b.span = span{q.span.end, half, q.span.step}
	return a, b, true
}

func resultType(v common.Value) string {
	if v == nil {
		return "nothing"
	}
	return "a " + v.Type().String()
}

// checkTwins refuses an answer with one label set twice: which of them is true cannot be known.
func checkTwins(m common.Matrix) error {
	seen := make(map[common.Fingerprint]common.Metric, len(m))
	for _, s := range m {
		fp := s.Metric.Fingerprint()
		if other, twice := seen[fp]; twice && other.Equal(s.Metric) {
			return fmt.Errorf("the answer holds a series twice: %s", short(s.Metric.String()))
		}
		seen[fp] = s.Metric
	}
	return nil
}

// take adds the points of a series that lie in the query's stretch: older servers include its left
// edge, which the stretch before has, too.
func (f *fetch) take(q query, stream *common.SampleStream) {
	if q.accept != nil && !q.accept(stream.Metric) {
		return
	}
	if job := string(stream.Metric["job"]); job != "" {
		f.jobs[job] = true
	}
	from, to := q.span.end.Add(-q.span.length).UnixMilli(), q.span.end.UnixMilli()
	var into *samples.Series
	for _, p := range stream.Values {
		t := int64(p.Timestamp)
		if t <= from || t > to {
			continue
		}
		if into == nil {
			into = f.store.Series(string(stream.Metric[common.MetricNameLabel]), toLabels(stream.Metric))
			into.Points = slices.Grow(into.Points, len(stream.Values))
		}
		into.Add(t, float64(p.Value))
	}
}

// blame records a fault once, however many queries had it.
func (f *fetch) blame(q query, text string) {
	what := q.names[0]
	if n := len(q.names); n > 1 {
		what = fmt.Sprintf("%s and %d more", what, n-1)
	}
	if len(f.sel.spans(f.at)) > 1 {
		what += " until " + q.span.end.UTC().Format(time.RFC3339)
	}
	fault := model.Fault{Source: f.name + " (" + what + ")", Err: text}
	if strings.HasPrefix(text, "partial data") {
		fault.Source = f.name
	}
	if !slices.Contains(f.faults, fault) {
		f.faults = append(f.faults, fault)
	}
}

func toLabels(m common.Metric) model.Labels {
	out := make(model.Labels, 0, len(m))
	for k, v := range m {
		if k != common.MetricNameLabel && v != "" {
			out = append(out, model.Label{Name: string(k), Value: string(v)})
		}
	}
	out.Sort()
	return out
}

// ErrNoMarkers is a Discover without any metric to look for.
var ErrNoMarkers = errors.New("no metrics given to find targets by")

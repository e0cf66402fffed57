// Package replay goes through a stretch of the past step by step, by the path that everything takes, and
// tells what would have fired when, for how long, for which cause, and with which `for`.
package replay

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/samples"
)

// Source reads the past: the samples in (at-window, at] of the metrics named, finished. What it cannot
// give of them is a fault.
type Source interface {
	Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error)
}

// Options say what is gone through, and how. Pipeline, Source, From and To must be set.
type Options struct {
	Pipeline *pipeline.Pipeline
	Source   Source
	From, To time.Time
	// Step is the time from one look to the next, a minute by default; Window what each looks at, five
	// minutes by default.
	Step, Window time.Duration
	// Request holds what is known beside the metrics; its time, window and binding are not used.
	Request pipeline.Request
	// Identity are the label names that tell instances apart, as in the source's stores.
	Identity []string
	// Symptoms are the ids to tell about; none means all. What is judged and diagnosed stays the same.
	Symptoms []string
	// Workers look at several steps at once; 0 takes a processor each. The result does not depend on it.
	Workers int
	// PromQL makes what answers users' own queries over a store, see pipeline.Request. It is needed only
	// where the catalogue's Own lists any.
	PromQL func(*samples.Store) func(query string, at time.Time) (map[string]float64, error)
	// Messages is told of every look in order, and answers with the messages that would have gone out;
	// nil plans none.
	Messages func(at time.Time, ds []model.Diagnosis) []plan.Message
	// Progress is told how much is done. It may be nil.
	Progress func(done, total time.Duration)
}

func (o Options) withDefaults() (Options, error) {
	if o.Step == 0 {
		o.Step = time.Minute
	}
	if o.Window == 0 {
		o.Window = 5 * time.Minute
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(_, _ time.Duration) {}
	}
	if o.Step < time.Millisecond || o.Window < time.Millisecond || !o.To.After(o.From) {
		return o, errors.New("replay: step and window must be above 0, and the range must not be empty")
	}
	return o, nil
}

// Run goes through the range. A part of it that cannot be read is a gap and a fault; the error is about
// a range of which nothing could be read, or says that ctx ended.
func Run(ctx context.Context, o Options) (*Result, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c := newCollector(o)
	g := newGang(o)
	chunks := o.readAhead(ctx)
	defer func() { // the source may be closed once this has returned
		cancel()
		for range chunks { // until the reader has ended
		}
	}()
	for ch := range chunks {
		c.read(ch)
		for _, l := range g.look(ctx, ch) {
			c.add(l)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		o.Progress(ch.last().Sub(o.From), o.To.Sub(o.From))
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	return c.result(g.ledger)
}

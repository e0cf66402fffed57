package scrape

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
)

// NothingRead says that no URL gave a single readable page.
type NothingRead struct{ Faults []model.Fault }

// Error names each URL and why it could not be read.
func (e *NothingRead) Error() string {
	if len(e.Faults) == 1 {
		return "nothing could be scraped: " + e.Faults[0].Source + ": " + e.Faults[0].Err
	}
	var b strings.Builder
	b.WriteString("nothing could be scraped:")
	for _, f := range e.Faults {
		b.WriteString("\n  " + f.Source + ": " + f.Err)
	}
	return b.String()
}

// Run scrapes every URL in step until the duration is over. A scrape that fails is a sample 0 of
// `up`, and a URL with failed scrapes is one fault; only when nothing at all was readable is it an
// error (*NothingRead, beside the store of
// failures). When ctx ends early, Run returns what it has together with ctx's error.
func Run(ctx context.Context, o Options) (*samples.Store, []model.Fault, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, nil, err
	}
	client, err := httpclient.New(o.Options)
	if err != nil {
		return nil, nil, fmt.Errorf("scrape: %w", err)
	}
	defer client.Close()
	targets, err := o.targets()
	if err != nil {
		return nil, nil, err
	}
	for _, t := range targets {
		t.read = pages(client, t.url, o.BodyLimit)
	}
	return run(ctx, o, targets)
}

// run is Run without the network: the targets know how to read their page.
func run(ctx context.Context, o Options, targets []*target) (*samples.Store, []model.Fault, error) {
	n := o.scrapes()
	report := reporter(o.Progress, n*len(targets))
	begin := time.Now()
	var all sync.WaitGroup
	for _, t := range targets {
		all.Go(func() { t.loop(ctx, begin, n, report) })
	}
	all.Wait()

	store := samples.NewStore(o.Identity...)
	var faults []model.Fault
	read := false
	for _, t := range targets {
		t.writeTo(store)
		if o.Type != nil {
			for family, kind := range t.types {
				o.Type(family, kind)
			}
		}
		read = read || t.answered > 0
		if f, failed := t.fault(); failed {
			faults = append(faults, f)
		}
	}
	store.Finish()
	switch err := ctx.Err(); {
	case err != nil && !read:
		return store, faults, fmt.Errorf("scrape ended before a page was read: %w", err)
	case err != nil:
		return store, faults, fmt.Errorf("scrape ended early: %w", err)
	case !read:
		return store, faults, &NothingRead{faults}
	}
	return store, faults, nil
}

func reporter(progress func(done, total int), total int) func(n int) {
	var mu sync.Mutex
	done := 0
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
}

// loop scrapes one target at begin + k * interval. A page that takes longer than an interval skips
// the scrapes it misses; other targets do not wait for it.
func (t *target) loop(ctx context.Context, begin time.Time, n int, report func(int)) {
	for k := 0; k < n; {
		due := begin.Add(time.Duration(k) * t.o.Interval)
		if !sleep(ctx, time.Until(due)) {
			return
		}
		at := due
		if time.Since(due) > 100*time.Millisecond { // the process was held up
			at = time.Now()
		}
		if !t.scrape(ctx, at) {
			return
		}
		missed := int((time.Since(begin) + t.o.Interval - 1) / t.o.Interval)
		next := min(max(k+1, missed), n)
		report(next - k)
		k = next
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// fault sums up the failed scrapes of a target.
func (t *target) fault() (model.Fault, bool) {
	if t.failed == 0 {
		return model.Fault{}, false
	}
	text := t.lastErr.Error()
	if total := t.failed + t.answered; t.answered > 0 {
		text = fmt.Sprintf("%d of %d scrapes failed, the last with: %s", t.failed, total, text)
	}
	return model.Fault{Source: httpclient.Display(t.url), Err: text}, true
}

package scrape

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// fake is a target whose page takes a while, and fails when its body is empty.
func fake(o Options, host string, takes time.Duration, body func(n int) string) *target {
	n := 0
	return &target{url: &url.URL{Scheme: "http", Host: host, Path: "/metrics"}, o: o, instance: host, known: map[string]*series{}, read: func(ctx context.Context) (page, error) {
		n++
		text := body(n)
		if !sleep(ctx, takes) {
			return page{}, ctx.Err()
		}
		if text == "" {
			return page{}, errors.New("connection refused")
		}
		return page{body: []byte(text)}, nil
	}}
}

func always(text string) func(int) string { return func(int) string { return text } }

// offsets are the times of answered and failed scrapes of an instance since start.
func offsets(st *samples.Store, instance string, start time.Time) (answered, failed string) {
	for _, in := range st.Instances() {
		if in.Labels.Get("instance") != instance {
			continue
		}
		for _, t := range in.Scrapes {
			answered += fmt.Sprint(time.UnixMilli(t).Sub(start.Truncate(time.Millisecond)), " ")
		}
		for _, t := range in.Failed {
			failed += fmt.Sprint(time.UnixMilli(t).Sub(start.Truncate(time.Millisecond)), " ")
		}
	}
	return answered, failed
}

func TestScrapesAreInStepAndSlowPagesSkipTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Interval: 2 * time.Second, Duration: 8 * time.Second, Timeout: 10 * time.Second}
		last := 0
		o.Progress = func(done, total int) {
			if done < last || total != 15 {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}
		start := time.Now()
		st, faults, err := run(t.Context(), o, []*target{
			fake(o, "fast", time.Millisecond, always("a 1\n")),
			fake(o, "even", 2*time.Second, always("a 1\n")),
			fake(o, "slow", 3*time.Second, always("a 1\n")),
		})
		if err != nil || len(faults) > 0 || last != 15 {
			t.Fatalf("%v, %v, progress %d", err, faults, last)
		}
		for instance, want := range map[string]string{"fast": "0s 2s 4s 6s 8s ", "even": "0s 2s 4s 6s 8s ", "slow": "0s 4s 8s "} {
			if got, _ := offsets(st, instance, start); got != want {
				t.Errorf("%s: got %s, want %s", instance, got, want)
			}
		}
	})
}

func TestAPageThatNeverComesTimesOutAsAFailedScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Interval: 2 * time.Second, Duration: 4 * time.Second, Timeout: time.Second}
		start := time.Now()
		st, faults, err := run(t.Context(), o, []*target{
			fake(o, "ok", 0, always("a 1\n")), fake(o, "hung", time.Hour, always("a 1\n")),
		})
		if _, failed := offsets(st, "hung", start); err != nil || failed != "0s 2s 4s " {
			t.Errorf("failed at %q, %v", failed, err)
		}
		if len(faults) != 1 || faults[0].Source != "http://hung/metrics" {
			t.Errorf("got %v", faults)
		}
	})
}

func TestAFirstFailureDoesNotEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Interval: 2 * time.Second, Duration: 6 * time.Second, Timeout: time.Second}
		start := time.Now()
		st, faults, err := run(t.Context(), o, []*target{fake(o, "late", 0, func(n int) string {
			if n < 3 {
				return ""
			}
			return "vllm:a 1\n"
		})})
		if err != nil {
			t.Fatal(err)
		}
		answered, failed := offsets(st, "late", start)
		if answered != "4s 6s " || failed != "0s 2s " {
			t.Errorf("answered %q, failed %q", answered, failed)
		}
		want := []model.Fault{{Source: "http://late/metrics", Err: "2 of 4 scrapes failed, the last with: connection refused"}}
		if d := cmp.Diff(want, faults); d != "" {
			t.Error(d)
		}
		if job := st.Instances()[0].Labels.Get("job"); job != "vllm" {
			t.Errorf("failed scrapes have another job: %s", job)
		}
	})
}

func TestCancellingKeepsWhatWasReadAndBlamesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Interval: 2 * time.Second, Duration: time.Hour, Timeout: time.Minute}
		ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		start := time.Now()
		st, faults, err := run(ctx, o, []*target{fake(o, "a", 1500*time.Millisecond, always("a 1\n"))})
		answered, failed := offsets(st, "a", start)
		if !errors.Is(err, context.DeadlineExceeded) || answered != "0s 2s " || failed != "" || len(faults) > 0 {
			t.Errorf("answered %q, failed %q, %v, %v", answered, failed, faults, err)
		}
	})
}

func TestWithoutADurationThereIsOneScrape(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := Options{URLs: []string{"x"}}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		st, _, err := run(t.Context(), o, []*target{fake(o, "a", 0, always("a 1\n"))})
		if got, _ := offsets(st, "a", start); err != nil || got != "0s " {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

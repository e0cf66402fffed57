package scrape_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	common "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/relabel"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/httpclient"
	"github.com/inferdx/inferdx/internal/source/scrape"
)

// kept is a store that a pool fills.
type kept struct {
	sync.Mutex
	st         *samples.Store
	generation int
}

func (k *kept) Do(f func(*samples.Store, int)) {
	k.Lock()
	defer k.Unlock()
	f(k.st, k.generation)
}

func (k *kept) points(name string) (n int, last float64) {
	k.Do(func(st *samples.Store, _ int) {
		for _, in := range st.Instances() {
			for _, s := range in.Named(name) {
				if n += len(s.Points); len(s.Points) > 0 {
					last = s.Points[len(s.Points)-1].V
				}
			}
		}
	})
	return n, last
}

// pages serves a metrics page that counts how often it was read.
func pages(t *testing.T, text func(n int64) string) *url.URL {
	t.Helper()
	var n atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if s := text(n.Add(1)); s != "" {
			_, _ = w.Write([]byte(s))
			return
		}
		http.Error(w, "no", http.StatusInternalServerError)
	}))
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func target(t *testing.T, u *url.URL) scrape.Target {
	t.Helper()
	c, err := httpclient.New(httpclient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return scrape.Target{
		Job: "vllm", URL: u, Labels: model.LabelsFrom(map[string]string{"job": "vllm", "instance": u.Host, "zone": "a"}),
		Interval: 20 * time.Millisecond, Timeout: time.Second, Client: c,
	}
}

// pool scrapes into a store and tells scrapes through a channel.
func pool(t *testing.T) (*scrape.Pool, *kept, chan scrape.Scrape) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	k, told := &kept{st: samples.NewStore()}, make(chan scrape.Scrape, 1000)
	p := scrape.NewPool(ctx, scrape.PoolOptions{
		Store: k, Keep: func(m string) bool { return strings.HasPrefix(m, "vllm:") }, Now: time.Now, Told: func(s scrape.Scrape) { told <- s },
	})
	t.Cleanup(func() { stop(); p.Wait() })
	return p, k, told
}

func counter(n int64) string {
	return fmt.Sprintf("vllm:x_total{zone=\"b\",up=\"1\"} %d\nother 1\n", n)
}

func TestAPoolScrapesWhatTheCatalogueWantsUnderTheTargetsLabels(t *testing.T) {
	p, k, told := pool(t)
	p.Sync([]scrape.Target{target(t, pages(t, counter))})
	for range 3 {
		if s := <-told; s.Err != nil || s.Samples != 1 {
			t.Fatalf("got %+v", s)
		}
	}
	k.Do(func(st *samples.Store, _ int) {
		in := st.Instances()[0]
		if len(in.Scrapes) < 3 || len(in.Named("other")) > 0 || len(in.Named("up")[0].Points) < 3 {
			t.Errorf("scrapes %d, names %v", len(in.Scrapes), in.Names())
		}
		if got := in.Named("vllm:x_total")[0].Labels; got.Get("zone") != "a" || got.Get("exported_zone") != "b" {
			t.Errorf("labels %v", got)
		}
	})
}

func TestAFailedScrapeIsADownTargetAndNoSample(t *testing.T) {
	p, k, told := pool(t)
	p.Sync([]scrape.Target{target(t, pages(t, func(n int64) string {
		if n%2 == 0 {
			return ""
		}
		return counter(n)
	}))})
	for range 4 {
		<-told
	}
	k.Do(func(st *samples.Store, _ int) {
		in := st.Instances()[0]
		if len(in.Failed) < 2 || len(in.Named("vllm:x_total")[0].Points) != len(in.Scrapes) {
			t.Errorf("%d answered, %d failed, %d points", len(in.Scrapes), len(in.Failed), len(in.Named("vllm:x_total")[0].Points))
		}
	})
}

func TestATargetThatLeftIsGoneAndOneThatStaysGoesOn(t *testing.T) {
	p, _, told := pool(t)
	a, b := target(t, pages(t, counter)), target(t, pages(t, counter))
	p.Sync([]scrape.Target{a, b})
	<-told
	gone := p.Sync([]scrape.Target{b})
	if len(gone) != 1 || gone[0].ID() != a.ID() {
		t.Fatalf("gone: %v", gone)
	}
	for len(told) > 0 {
		<-told
	}
	for range 3 {
		if s := <-told; s.Target.ID() != b.ID() {
			t.Errorf("%s is still scraped", s.Target.URL)
		}
	}
}

func TestAStoreThatForgetsIsFollowed(t *testing.T) {
	p, k, told := pool(t)
	p.Sync([]scrape.Target{target(t, pages(t, counter))})
	<-told
	k.Do(func(st *samples.Store, _ int) { st.Forget(time.Now().Add(time.Hour).UnixMilli()) })
	<-told
	<-told
	if n, _ := k.points("vllm:x_total"); n == 0 {
		t.Error("after all was forgotten, samples went nowhere")
	}
	k.Lock()
	k.st, k.generation = samples.NewStore(), 1
	k.Unlock()
	<-told
	<-told
	if n, _ := k.points("vllm:x_total"); n == 0 {
		t.Error("a new store gets nothing")
	}
}

func TestFault25ASeriesThatStandsTwiceOnAPageIsTakenOnce(t *testing.T) {
	p, k, told := pool(t)
	p.Sync([]scrape.Target{target(t, pages(t, func(n int64) string { return counter(n) + counter(n+100) }))})
	if s := <-told; s.Late != 1 || s.Samples != 1 {
		t.Errorf("got %+v", s)
	}
	if n, _ := k.points("vllm:x_total"); n == 0 {
		t.Error("nothing was taken")
	}
}

func TestASampleLimitFailsTheScrape(t *testing.T) {
	p, k, told := pool(t)
	x := target(t, pages(t, func(n int64) string { return counter(n) + "vllm:y 1\n" }))
	x.SampleLimit = 1
	p.Sync([]scrape.Target{x})
	if s := <-told; s.Err == nil || !strings.Contains(s.Err.Error(), "sample_limit") {
		t.Errorf("got %v", s.Err)
	}
	if n, _ := k.points("vllm:x_total"); n != 0 {
		t.Error("half a page was taken")
	}
}

func TestMetricRelabellingRenamesAndDrops(t *testing.T) {
	p, k, told := pool(t)
	x := target(t, pages(t, func(int64) string { return "custom_running 3\nvllm:secret 1\n" }))
	x.Relabel = []*relabel.Config{
		{SourceLabels: common.LabelNames{"__name__"}, Regex: relabel.MustNewRegexp("custom_running"), Separator: ";", TargetLabel: "__name__", Replacement: "vllm:running", Action: relabel.Replace, NameValidationScheme: common.UTF8Validation},
		{SourceLabels: common.LabelNames{"__name__"}, Regex: relabel.MustNewRegexp("vllm:secret"), Separator: ";", Action: relabel.Drop, NameValidationScheme: common.UTF8Validation},
	}
	p.Sync([]scrape.Target{x})
	<-told
	if n, _ := k.points("vllm:running"); n == 0 {
		t.Error("nothing was renamed")
	}
	if n, _ := k.points("vllm:secret"); n != 0 {
		t.Error("nothing was dropped")
	}
}

func TestFault44ScrapesOfManyTargetsAreSpreadOverTheInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var mu sync.Mutex
		at := map[time.Duration]int{}
		begin := time.Now()
		c, _ := httpclient.New(httpclient.Options{Proxy: refuse})
		p := scrape.NewPool(ctx, scrape.PoolOptions{Store: &kept{st: samples.NewStore()}, Now: time.Now, Told: func(scrape.Scrape) {
			mu.Lock()
			defer mu.Unlock()
			at[time.Since(begin).Truncate(time.Second)]++
		}})
		var ts []scrape.Target
		for i := range 600 {
			u := &url.URL{Scheme: "http", Host: fmt.Sprintf("host-%d:8000", i), Path: "/metrics"}
			ts = append(ts, scrape.Target{Job: "vllm", URL: u, Labels: model.LabelsFrom(map[string]string{"instance": u.Host}), Interval: 15 * time.Second, Timeout: time.Second, Client: c})
		}
		p.Sync(ts)
		time.Sleep(15 * time.Second)
		stop()
		p.Wait()
		for s := range 15 {
			if n := at[time.Duration(s)*time.Second]; n < 15 || n > 75 {
				t.Errorf("second %d has %d of 600 scrapes", s, n)
			}
		}
	})
}

func refuse(*http.Request) (*url.URL, error) { return nil, fmt.Errorf("no network in this test") }

// slow is an archive that takes its time, and a note of the writes that are under way.
type slow struct{ under, done atomic.Int64 }

func (s *slow) Target(model.Labels) scrape.ArchiveTarget { return s }

func (*slow) Series(string, model.Labels) any { return nil }

func (s *slow) Append(int64, bool, []any, []samples.Point) {
	s.under.Add(1)
	time.Sleep(50 * time.Millisecond)
	s.under.Add(-1)
	s.done.Add(1)
}

func TestWhoWaitsForAPoolWaitsForTargetsThatCameLaterToo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	archive := &slow{}
	p := scrape.NewPool(ctx, scrape.PoolOptions{Store: &kept{st: samples.NewStore()}, Archive: archive, Now: time.Now})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.Wait()
	}()
	time.Sleep(20 * time.Millisecond) // discovery takes its time
	p.Sync([]scrape.Target{target(t, pages(t, counter))})
	for archive.under.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	stop()
	<-ended
	if archive.under.Load() != 0 {
		t.Error("a scrape was still being written")
	}
	was := archive.done.Load()
	time.Sleep(100 * time.Millisecond)
	if archive.done.Load() != was {
		t.Error("scrapes went on")
	}
}

func TestTargetsThatAreChangedByTwoAtOnceAreScrapedByOne(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	archive := &slow{}
	p := scrape.NewPool(ctx, scrape.PoolOptions{Store: &kept{st: samples.NewStore()}, Archive: archive, Now: time.Now})
	t.Cleanup(func() { stop(); p.Wait() })
	x := target(t, pages(t, counter))
	for i := range 10 {
		var all sync.WaitGroup
		for k := range 2 {
			y := x
			y.SampleLimit = 10 + 2*i + k // so that it is started anew
			all.Go(func() { p.Sync([]scrape.Target{y}) })
		}
		all.Wait()
		time.Sleep(30 * time.Millisecond)
	}
	p.Sync(nil)
	was := archive.done.Load()
	time.Sleep(200 * time.Millisecond)
	if got := archive.done.Load(); got != was {
		t.Errorf("%d scrapes of a target that was taken away", got-was)
	}
}

func TestFault37AScrapeThatACorrectionOfTheClockInterruptsDoesNotHideThoseThatFollow(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	k := &kept{st: samples.NewStore()}
	var back atomic.Int64
	told := make(chan scrape.Scrape, 1000)
	p := scrape.NewPool(ctx, scrape.PoolOptions{
		Store: k, Now: func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }, Told: func(s scrape.Scrape) { told <- s },
	})
	t.Cleanup(func() { stop(); p.Wait() })
	p.Sync([]scrape.Target{target(t, pages(t, func(n int64) string {
		if n == 1 { // the look that follows the correction begins with an empty store, as this one is
			back.Store(int64(time.Hour))
		}
		return counter(n)
	}))})
	late := 0
	for range 5 { // on a busy machine two may fall into one millisecond, of which the second is late
		if s := <-told; s.Late > 0 {
			late++
		}
	}
	if late > 2 {
		t.Fatalf("%d of 5 scrapes of now are late", late)
	}
}

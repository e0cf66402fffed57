package replay_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// BenchmarkThirtyDays replays 30 days of 10 vLLM servers at a step of a minute from a folder as the service
// keeps it: 9 are healthy, one has its sequences capped for an hour each day. CPU seconds are of the
// whole process by getrusage, collector and reading included.
func BenchmarkThirtyDays(b *testing.B) {
	for _, interval := range []time.Duration{time.Minute, 15 * time.Second} {
		b.Run("scraped-every-"+interval.String(), func(b *testing.B) {
			p := builtin(b)
			const days = 30
			from := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
			to := from.Add(days * 24 * time.Hour)
			dir := generated(b, p, from, to, interval)
			past, err := tsdb.OpenPast(dir)
			if err != nil {
				b.Fatal(err)
			}
			defer past.Close()
			for b.Loop() {
				before := cpu()
				r := run(b, replay.Options{Pipeline: p, Source: history{past}, From: from, To: to})
				b.ReportMetric((cpu() - before).Seconds(), "cpu-s")
				b.ReportMetric(float64(r.Looks), "looks")
				fired, servers := 0, 0
				for _, x := range r.Targets {
					if x.Scope == model.ScopeTarget {
						servers++
					}
				}
				for _, e := range r.Episodes {
					if e.Fired && e.Symptom == "requests-queueing" {
						fired++
					}
				}
				if fired < days-1 || servers != 10 || len(r.Faults) > 0 {
					b.Fatalf("%d firings, %d servers, faults %v", fired, servers, r.Faults)
				}
			}
		})
	}
}

// history reads the service's own folder.
type history struct{ *tsdb.Past }

func (h history) Read(ctx context.Context, at time.Time, window time.Duration, names []string) (*samples.Store, []model.Fault, error) {
	return h.Select(ctx, tsdb.Selection{At: at, Window: window, Names: names})
}

// generated loops recordings on ten servers, their counters going on, into a folder. Where
// INFERDX_BENCH_DATA names a folder, it is kept there for the next run.
func generated(b *testing.B, p *pipeline.Pipeline, from, to time.Time, interval time.Duration) string {
	b.Helper()
	dir := b.TempDir()
	if keep := os.Getenv("INFERDX_BENCH_DATA"); keep != "" {
		dir = fmt.Sprintf("%s/%s-%s", keep, interval, to.Sub(from))
		if _, err := os.Stat(dir); err == nil {
			return dir
		}
	}
	db, err := tsdb.Open(dir, tsdb.Options{Retention: 365 * 24 * time.Hour})
	if err != nil {
		b.Fatal(err)
	}
	var servers []*server
	for i := range 10 {
		servers = append(servers, newServer(db, fmt.Sprintf("10.0.0.%d:8000", i), load(b, p, "base-c64"), load(b, p, "seqs8-c64")))
	}
	n := 0
	for at := from; !at.After(to); at = at.Add(interval) {
		for i, s := range servers {
			if err := s.scrape(at, i == 0 && at.Hour() == 2); err != nil {
				b.Fatal(err)
			}
		}
		if n++; n%int(2*time.Hour/interval) == 0 {
			if err := db.Compact(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	return dir
}

// server repeats one of two recordings.
type server struct {
	target *tsdb.Target
	series []*looped
	batch  []tsdb.Sample
	n      int
}

type looped struct {
	to              *tsdb.Series
	healthy, capped []samples.Point
	counter         bool
	sum             float64
}

func newServer(db *tsdb.DB, instance string, healthy, capped *samples.Store) *server {
	s := &server{target: db.Target(model.LabelsFrom(map[string]string{"job": "vllm", "instance": instance}))}
	ill := map[string][]samples.Point{}
	each(capped, func(x *samples.Series) { ill[x.Name+x.Labels.Key()] = x.Points })
	each(healthy, func(x *samples.Series) {
		l := &looped{to: s.target.Series(x.Name, x.Labels), healthy: x.Points, capped: ill[x.Name+x.Labels.Key()]}
		for _, suffix := range []string{"_total", "_bucket", "_sum", "_count"} {
			l.counter = l.counter || strings.HasSuffix(x.Name, suffix)
		}
		if len(l.capped) == 0 {
			l.capped = l.healthy
		}
		s.series = append(s.series, l)
	})
	return s
}

func each(st *samples.Store, fn func(*samples.Series)) {
	for _, in := range st.Instances() {
		if in.Labels.Get("job") != "vllm" {
			continue
		}
		for _, name := range in.Names() {
			for _, x := range in.Named(name) {
				if name != "up" {
					fn(x)
				}
			}
		}
	}
}

func (s *server) scrape(at time.Time, ill bool) error {
	s.n++
	s.batch = s.batch[:0]
	for _, l := range s.series {
		ps := l.healthy
		if ill {
			ps = l.capped
		}
		k := len(ps)/4 + s.n%(len(ps)-len(ps)/4) // the start of the load is left out
		v := ps[k].V
		if l.counter {
			l.sum += max(v-ps[max(k-1, 0)].V, 0)
			v = l.sum
		}
		s.batch = append(s.batch, tsdb.Sample{Series: l.to, Point: samples.Point{T: at.UnixMilli(), V: v}})
	}
	return s.target.Append(at.UnixMilli(), true, s.batch)
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package tsdb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// TestASparseReadingGivesWhatCountersGained reads recordings, one of a server that is restarted, as a whole and
// as only counters need them.
func TestASparseReadingGivesWhatCountersGained(t *testing.T) {
	for _, id := range []string{"base-c64", "restart"} {
		t.Run(id, func(t *testing.T) {
			st := load(t, id)
			first, last, _ := st.Bounds()
			db := open(t, t.TempDir(), tsdb.Options{})
			replayInto(t, db, st)
			sel := tsdb.Selection{At: time.UnixMilli(last), Window: time.Duration(last-first) * time.Millisecond, Names: counters(t)}
			whole, faults, err := db.Select(t.Context(), sel)
			if err != nil || len(faults) > 0 {
				t.Fatal(err, faults)
			}
			sel.Sparse = true
			few, faults, err := db.Select(t.Context(), sel)
			if err != nil || len(faults) > 0 {
				t.Fatal(err, faults)
			}
			all, kept := 0, 0
			if d := cmp.Diff(gains(whole, &all), gains(few, &kept)); d != "" {
				t.Error(d)
			}
			if all == 0 || 3*kept > all {
				t.Errorf("%d samples of %d were kept", kept, all)
			}
		})
	}
}

// counters are the metrics of the error budgets.
func counters(t testing.TB) []string {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.History().Windows() {
		if w.Length == 6*time.Hour {
			return w.Metrics
		}
	}
	t.Fatal("no content reads six hours")
	return nil
}

// gains are the gain, the beginning and the end of every histogram's and counter's series.
func gains(st *samples.Store, n *int) map[string]string {
	out := map[string]string{}
	for _, in := range st.Instances() {
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				if name == "up" || len(s.Points) == 0 {
					continue
				}
				*n += len(s.Points)
				inc, seconds, ok := samples.Increase(s.Points)
				out[fmt.Sprint(in.Labels, name, s.Labels)] = fmt.Sprint(inc, seconds, ok)
				if gauge := s.Labels.Get("le") == "" && name != "vllm:request_success_total"; gauge {
					out[fmt.Sprint(in.Labels, name, s.Labels)] = fmt.Sprint(s.Points[0], s.Points[len(s.Points)-1])
				}
			}
		}
	}
	return out
}

// BenchmarkReadingWindows is what it costs to read the windows of the error budgets, of 100 targets that were
// scraped every 15 s for six hours, and what is held of them.
func BenchmarkReadingWindows(b *testing.B) {
	const targets, scrapes = 100, 1440
	shape := catalogueSeries(b)
	db := open(b, b.TempDir(), tsdb.Options{})
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var batch []tsdb.Sample
	var err error
	var fleet []*server
	for i := range targets {
		fleet = append(fleet, newServer(db, fmt.Sprintf("10.0.%d.%d:8000", i/250, i%250), shape))
	}
	for k := range scrapes {
		for _, s := range fleet {
			if batch, err = s.scrape(batch[:0], begin.Add(time.Duration(k)*15*time.Second).UnixMilli(), k); err != nil {
				b.Fatal(err)
			}
		}
	}
	if s := db.Stats(); s.Late+s.Failed > 0 {
		b.Fatalf("%+v", s)
	}
	names := counters(b)
	for _, window := range []time.Duration{30 * time.Minute, time.Hour, 6 * time.Hour} {
		b.Run(window.String(), func(b *testing.B) {
			n := 0
			for b.Loop() {
				st, _, err := db.Select(b.Context(), tsdb.Selection{At: begin.Add(6 * time.Hour), Window: window, Names: names, Sparse: true})
				if err != nil {
					b.Fatal(err)
				}
				n = 0
				for _, in := range st.Instances() {
					for _, name := range in.Names() {
						for _, s := range in.Named(name) {
							n += len(s.Points)
						}
					}
				}
			}
			b.ReportMetric(float64(n)/targets, "samples/target")
		})
	}
}

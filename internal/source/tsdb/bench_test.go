package tsdb_test

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/internal/source/tsdb"
)

// BenchmarkHoursOfAThousandTargets appends what 1,000 targets shaped like a real vLLM give every 15 s
// of the catalogue's series, for three hours and a half, so that
// a block is written on the way. Cores are
// the CPU time of the whole process by getrusage over the time simulated; MB are of resident memory.
func BenchmarkHoursOfAThousandTargets(b *testing.B) {
	const targets, scrapes = 1000, 840
	shape := catalogueSeries(b)
	runtime.GC()
	debug.FreeOSMemory()
	empty := resident(b)
	for b.Loop() {
		db := open(b, b.TempDir(), tsdb.Options{})
		fleet := make([]*server, targets)
		for i := range fleet {
			fleet[i] = newServer(db, fmt.Sprintf("10.0.%d.%d:8000", i/250, i%250), shape)
		}
		used, most := cpu(), 0.0
		var batch []tsdb.Sample
		var err error
		for k := range scrapes {
			at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(k) * 15 * time.Second).UnixMilli()
			for _, s := range fleet {
				if batch, err = s.scrape(batch[:0], at, k); err != nil {
					b.Fatal(err)
				}
			}
			if k%4 == 3 {
				db.Minute()
			}
			most = max(most, resident(b))
			if k%60 == 59 {
				if err := db.Compact(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.Logf("after %s: %.0f MB resident", time.Duration(k+1)*15*time.Second, resident(b))
				most = max(most, resident(b))
			}
		}
		b.ReportMetric((cpu()-used).Seconds()/(scrapes*15), "cores")
		b.ReportMetric(float64(len(shape)), "series/target")
		b.ReportMetric(float64(db.Stats().Series), "series")
		b.ReportMetric(empty, "MB-empty")
		b.ReportMetric(most, "MB-most")
		if s := db.Stats(); s.Late+s.Failed > 0 {
			b.Fatalf("%+v", s)
		}
	}
}

// server is a target that repeats a recording, its counters going on.
type server struct {
	target *tsdb.Target
	shape  []looped
	series []*tsdb.Series
}

// looped is a series of a recording.
type looped struct {
	name    string
	labels  model.Labels
	values  []float64
	counter bool
}

func newServer(db *tsdb.DB, instance string, shape []looped) *server {
	s := &server{target: db.Target(labelsOf(instance)), shape: shape}
	for _, x := range shape {
		s.series = append(s.series, s.target.Series(x.name, x.labels))
	}
	return s
}

func (s *server) scrape(batch []tsdb.Sample, at int64, k int) ([]tsdb.Sample, error) {
	for i, x := range s.shape {
		v := x.values[k%len(x.values)]
		if x.counter {
			v += x.values[len(x.values)-1] * float64(k/len(x.values))
		}
		batch = append(batch, tsdb.Sample{Series: s.series[i], Point: samples.Point{T: at, V: v}})
	}
	return batch, s.target.Append(at, true, batch)
}

// catalogueSeries are those of a recorded vLLM that the catalogue reads.
func catalogueSeries(b *testing.B) []looped {
	b.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		b.Fatal(err)
	}
	wanted := map[string]bool{}
	for _, n := range c.Signals.Metrics() {
		wanted[n] = true
	}
	st, err := recording.Open(corpus+"base-c64/metrics.om.gz", func(n string) bool { return wanted[n] && n != "up" })
	if err != nil {
		b.Fatal(err)
	}
	var out []looped
	for _, in := range st.Instances() {
		if in.Labels.Get("job") != "vllm" {
			continue
		}
		for _, name := range in.Names() {
			for _, s := range in.Named(name) {
				if name == "up" {
					continue
				}
				x := looped{name: name, labels: s.Labels, counter: strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket") || strings.HasSuffix(name, "_sum") || strings.HasSuffix(name, "_count")}
				for _, p := range s.Points {
					x.values = append(x.values, p.V)
				}
				out = append(out, x)
			}
		}
	}
	return out
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is the memory of this process in MB, files that are only mapped left out.
func resident(b *testing.B) float64 {
	b.Helper()
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	defer f.Close()
	kb := 0.0
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "RssAnon:"); ok {
			_, _ = fmt.Sscan(v, &kb)
		}
	}
	return kb / 1000
}

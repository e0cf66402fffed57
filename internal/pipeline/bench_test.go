package pipeline

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// BenchmarkCycle runs catalogue, rules and playbooks over many targets whose series are shaped like a
// real vLLM's: the catalogue's series of a recording, 20 scrapes of 15 s, one target in ten with a
// fault. Run by `make bench`; CPU seconds are of the whole process by getrusage.
func BenchmarkCycle(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("targets=%d", n), func(b *testing.B) {
			if n > 1000 && testing.Short() {
				b.Skip("10,000 targets take some seconds to build")
			}
			c, err := content.Load(content.Options{})
			if err != nil {
				b.Fatal(err)
			}
			p := New(c, nil, engine.Fit{})
			st, at := fleet(b, c, n)
			binding := signals.NewBinding()
			cycle := func() {
				f, _ := p.Frame(st, Request{At: at, Window: 5 * time.Minute, Binding: binding})
				_, ss := p.Engine.Judge(nil, f)
				if ds := p.Engine.Diagnose(f, ss); len(ds) < n {
					b.Fatalf("%d diagnoses, want at least %d", len(ds), n)
				}
			}
			before := cpu()
			cycle() // binds the series: a service does this once for a target, not in each cycle
			first := cpu() - before
			b.ResetTimer()
			before = cpu()
			for b.Loop() {
				cycle()
			}
			b.ReportMetric(first.Seconds(), "cpu-s/first")
			b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/cycle")
			b.ReportMetric((cpu()-before).Seconds()*1e6/float64(b.N)/float64(n), "cpu-µs/target")
		})
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fleet clones the engine series of two recordings, a healthy and a degraded one, onto n instances.
func fleet(b *testing.B, c *content.Content, n int) (*samples.Store, time.Time) {
	b.Helper()
	shapes := []*samples.Instance{seriesOf(b, c, "base-c64"), seriesOf(b, c, "seqs8-c64")}
	at := time.Date(2026, 11, 1, 0, 5, 0, 0, time.UTC)
	st := samples.NewStore()
	for i := range n {
		from := shapes[0]
		if i%10 == 0 {
			from = shapes[1]
		}
		in, _ := st.Instance(model.LabelsFrom(map[string]string{"job": "vllm", "instance": fmt.Sprintf("10.0.%d.%d:8000", i/250, i%250)}))
		for _, name := range from.Names() {
			for _, s := range from.Named(name) {
				cp := in.Ensure(name, s.Labels)
				cp.Points = make([]samples.Point, 0, 20)
				for k := range 20 {
					p := s.Points[min(k, len(s.Points)-1)]
					cp.Points = append(cp.Points, samples.Point{T: at.UnixMilli() - int64(19-k)*15_000, V: p.V})
				}
			}
		}
	}
	st.Finish()
	return st, at
}

func seriesOf(b *testing.B, c *content.Content, id string) *samples.Instance {
	b.Helper()
	names := c.Signals.Metrics()
	f, err := os.Open("../../corpus/" + id + "/metrics.om.gz")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	st, err := recording.Read(id, f, func(n string) bool { return slices.Contains(names, n) })
	if err != nil {
		b.Fatal(err)
	}
	for _, in := range st.Instances() {
		if in.Labels.Get("job") == "vllm" {
			return in
		}
	}
	b.Fatal("no vllm instance")
	return nil
}

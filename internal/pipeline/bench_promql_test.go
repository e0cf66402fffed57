package pipeline

import (
	"fmt"
	"testing"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/samples/promadapter"
	"github.com/inferdx/inferdx/rules/signals"
)

// BenchmarkPromQL answers for the same targets as BenchmarkCycle with Prometheus's own engine: every
// vLLM signal that the catalogue renders, one instant query each over all targets. It has neither
// rules nor playbooks to pay for.
func BenchmarkPromQL(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(fmt.Sprintf("targets=%d", n), func(b *testing.B) {
			if n > 100 && testing.Short() {
				b.Skip("a thousand targets take half a minute")
			}
			c, err := content.Load(content.Options{})
			if err != nil {
				b.Fatal(err)
			}
			st, at := fleet(b, c, n)
			var queries []string
			for _, id := range c.Signals.IDs() {
				q, err := c.Signals.PromQL("vllm", id, signals.PromQLOptions{By: []string{"job", "instance"}, Window: "5m"})
				if err == nil {
					queries = append(queries, q)
				}
			}
			eval := promadapter.NewEvaluator(st, promadapter.Options{})
			before, answers := cpu(), 0
			for b.Loop() {
				for _, q := range queries {
					v, err := eval.Vector(b.Context(), q, at)
					if err != nil {
						b.Fatalf("%s: %v", q, err)
					}
					answers += len(v)
				}
			}
			if answers == 0 {
				b.Fatal("no query was answered")
			}
			b.ReportMetric((cpu()-before).Seconds()/float64(b.N), "cpu-s/cycle")
			b.ReportMetric((cpu()-before).Seconds()*1e6/float64(b.N)/float64(n), "cpu-µs/target")
			b.ReportMetric(float64(len(queries)), "queries")
		})
	}
}

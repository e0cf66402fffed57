package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

func BenchmarkNext(b *testing.B) {
	for _, c := range []struct {
		name     string
		severity model.Severity
		by       []string
	}{
		{"10000 healthy", "", nil},
		{"10000 healthy beside one that fires", "", []string{"one"}},
		{"10000 firing in one row", model.Warning, nil},
		{"10000 firing in 10000 rows", model.Warning, []string{plan.AllLabels}},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := policy()
			p.Route.GroupBy = c.by
			in := plan.Input{At: begin}
			for i := range 10000 {
				in.Diagnoses = append(in.Diagnoses, target(fmt.Sprintf("10.0.%d.%d:8000", i/250, i%250), c.severity, "cap"))
			}
			if c.by != nil && c.severity == "" {
				in.Diagnoses = append(in.Diagnoses, target("other", model.Warning, "cap"))
			}
			sent := plan.Sent{}
			for b.Loop() {
				sent = plan.Next(sent, p, in).Sent
				in.At = in.At.Add(15 * time.Second)
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
		})
	}
}

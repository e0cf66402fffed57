package signals_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/rules/signals"
)

func TestACounterThatAppearsCountsFromZero(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []float64 // the last samples of status="5xx"; the server is scraped five times
		want float64
	}{
		{"seen once, at the last scrape", []float64{4}, 4},
		{"seen twice", []float64{3, 5}, 5},
		{"there from the first scrape on", []float64{3, 3, 3, 5, 5}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := samples.NewStore()
			at := func(i int) int64 { return began.Add(time.Duration(i) * 15 * time.Second).UnixMilli() }
			labels := map[string]string{"job": "j", "instance": "a", "handler": "/v1/completions", "status": "5xx"}
			for i := range 5 {
				st.Series("vllm:num_requests_running", model.LabelsFrom(map[string]string{"job": "j", "instance": "a"})).Add(at(i), 1)
			}
			for i, v := range tt.in {
				st.Series("http_requests_total", model.LabelsFrom(labels)).Add(at(5-len(tt.in)+i), v)
			}
			st.Finish()
			f := catalog(t).Frame(st, signals.Request{At: time.UnixMilli(at(4)), Window: 5 * time.Minute})
			for _, e := range f.Entities.All() {
				if v, ok := f.Get(e.ID, "http_server_errors"); ok && v.V == tt.want {
					return
				}
			}
			t.Errorf("want %g errors", tt.want)
		})
	}
}

package pipeline

import (
	"maps"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// benchmarked adds what benchmarks tell of the window to what else was measured, and how many servers share what they tell: the
// figures of a client are of all servers behind its address.
func (p *Pipeline) benchmarked(st *samples.Store, r Request) (map[string]model.Fact, []string) {
	first, last, ok := st.Bounds()
	if r.Benchmark == nil || !ok {
		return r.Measured, nil
	}
	from, to := r.At.Add(-r.Window), r.At
	if begun := time.UnixMilli(first); begun.After(from) {
		from = begun
	}
	if ended := time.UnixMilli(last); ended.Before(to) {
		to = ended
	}
	facts, notes := r.Benchmark(from, to)
	if len(facts) == 0 {
		return r.Measured, notes
	}
	servers := 0
	for _, in := range st.Instances() {
		if _, ok := p.Content.Signals.Engine(in); ok {
			servers++
		}
	}
	out := maps.Clone(r.Measured)
	if out == nil {
		out = map[string]model.Fact{}
	}
	maps.Copy(out, facts)
	out["bench_servers"] = number(float64(servers), "benchmark")
	return out, notes
}

package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestFiguresBeyondAllMeasureAreNoFigures(t *testing.T) {
	huge := strings.TrimSuffix(strings.Repeat("1e308,", 30), ",")
	f, err := Read(strings.NewReader(fmt.Sprintf(`{"backend":"vllm","model_id":"m","completed":30,"duration":1e-300,"request_throughput":1e308,"total_input_tokens":1e308,"total_output_tokens":1e308,
		"mean_ttft_ms":1e308,"mean_tpot_ms":1e308,"mean_itl_ms":1e308,"p99_ttft_ms":1,"output_throughput":1e308,"total_token_throughput":1e308,"request_rate":1e308,"max_concurrency":1e308,
		"ttfts":[%s],"itls":[[%s]],"latencies":[%s],"output_lens":[%s],"start_times":[%s]}`, huge, huge, huge, huge, huge)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(f); err != nil {
		t.Error(err)
	}
	for _, r := range f.Runs {
		for name, x := range r.Facts() {
			if math.IsInf(x.Num, 0) || math.IsNaN(x.Num) {
				t.Errorf("fact %s is %g", name, x.Num)
			}
		}
		for name, v := range r.Figures() {
			if math.IsInf(v, 0) || math.IsNaN(v) {
				t.Errorf("figure %s is %g", name, v)
			}
		}
		_ = r.Summary()
	}
}

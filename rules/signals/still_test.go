package signals_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// A counter scraped every 10 s.
func TestSinceTheLastTokenAndBeforeTheFirst(t *testing.T) {
	for _, tt := range []struct {
		name   string
		total  string
		still  float64
		unborn float64
	}{
		{"tokens flow", "0 0 10 20 30", 0, 10},
		{"tokens flow again after a stall", "100 100 100 100 110", 0, 0},
		{"none for 20 s", "0 10 20 20 20", 20, 0},
		{"a restart moves the counter, too", "90 90 90 5 5", 10, 0},
		{"not one ever", "0 0 0 0 0", 40, 40},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			at := 1795500000
			for i, v := range strings.Fields(tt.total) {
				fmt.Fprintf(&b, "vllm:num_requests_running{instance=\"a:8000\"} 1 %[1]d\nvllm:generation_tokens_total{instance=\"a:8000\"} %[2]s %[1]d\n", at+10*i, v)
			}
			st, err := recording.Options{}.Read("page.om", strings.NewReader(b.String()+"# EOF\n"))
			if err != nil {
				t.Fatal(err)
			}
			f := catalog(t).Frame(st, signals.Request{At: time.Unix(int64(at+40), 0), Window: 5 * time.Minute})
			wantSignals(t, f, of(t, f, "a:8000"), map[string]float64{"gen_tokens_still_s": tt.still, "before_first_token_s": tt.unborn})
		})
	}
}

package render

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

func TestWhatChangedIsSaidInWordsAndUnits(t *testing.T) {
	at := time.Date(2026, 11, 23, 18, 42, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		in   model.Change
		want string
	}{
		{"more arrive", model.Change{What: "requests_arrived_per_s", From: 0.17, To: 2.5}, "arrivals 0.17 requests/s -> 2.5 requests/s"},
		{"longer prompts", model.Change{What: "prompt_mean", From: 250.0, To: 3900.0}, "mean prompt 250 -> 3,900 tokens"},
		{"a latency", model.Change{What: "ttft_p99_s", From: 0.2, To: 8.4}, "ttft_p99_s 0.20 s -> 8.4 s"},
		{"another version", model.Change{What: "engine_version", From: "0.25.0", To: "0.25.1"}, "engine_version 0.25.0 -> 0.25.1"},
		{"a restart", model.Change{What: "restart", To: 1.0}, "the server was restarted"},
	} {
		if got := changedOf(model.Diagnosis{Changed: []model.Change{tt.in}}, at); got != "changed at onset: "+tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAChangeIsSaidInTheUnitOfItsSignal(t *testing.T) {
	for signal, want := range map[string]string{
		"requests_arrived_per_s": "2.5 requests/s", "gen_tokens_per_s": "2.5 tokens/s", "preemptions_per_s": "2.5 preemptions/s",
		"waiting_growth_per_s": "2.5 requests/s", "ttft_p99_s": "2.5 s", "kv_used_ratio": "250 %",
	} {
		if got := endOf(signal, 2.5); got != want {
			t.Errorf("%s: %s, not %s", signal, got, want)
		}
	}
}

package render

import "testing"

func TestAChangeIsSaidInTheUnitOfItsSignal(t *testing.T) {
	for signal, want := range map[string]string{
		"requests_arrived_per_s": "2.5 requests/s", "gen_tokens_per_s": "2.5 tokens/s", "preemptions_per_s": "2.5 preemptions/s",
		"waiting_growth_per_s": "2.5 requests/s", "ttft_p99_s": "2.5 s", "kv_used_ratio": "250 %", "prompt_mean": "2.5",
	} {
		if got := endOf(signal, 2.5); got != want {
			t.Errorf("%s: %s, not %s", signal, got, want)
		}
	}
}

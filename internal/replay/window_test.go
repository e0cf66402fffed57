package replay_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
)

// late is a server of which three first tokens in ten come late from the seventh hour on, for three hours. It is
// started anew in the fifth.
func late() *samples.Store {
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	st := samples.NewStore()
	fast, all := 0.0, 0.0
	for at := time.Duration(0); at <= 10*time.Hour; at += 30 * time.Second {
		if at == 5*time.Hour {
			fast, all = 0, 0
		}
		all += 10
		if fast += 10; at > 7*time.Hour {
			fast -= 3
		}
		add := func(name string, v float64, le string) {
			labels := map[string]string{"job": "vllm", "instance": "a:8000", "model_name": "m", "le": le}
			if name == "up" {
				delete(labels, "model_name")
			}
			st.Series(name, model.LabelsFrom(labels)).Add(begin.Add(at).UnixMilli(), v)
		}
		add("up", 1, "")
		add("vllm:num_requests_running", 16, "")
		add("vllm:num_requests_waiting", 0, "")
		const ttft = "vllm:time_to_first_token_seconds"
		add(ttft+"_bucket", fast, "2.0")
		add(ttft+"_bucket", all, "+Inf")
		add(ttft+"_sum", all, "")
		add(ttft+"_count", all, "")
	}
	st.Finish()
	return st
}

// TestABudgetBurnsOverTwoWindowsInReplay expects each alert when the share of its long window passes: at 30 % late,
// 14.4 % of an hour after 29 minutes and 6 % of six hours after 72.
func TestABudgetBurnsOverTwoWindowsInReplay(t *testing.T) {
	p := builtin(t)
	for symptom, after := range map[string]time.Duration{"ttft-budget-burning": 29 * time.Minute, "ttft-budget-burning-slowly": 72 * time.Minute} {
		o := over(p, late())
		o.Step, o.Symptoms = time.Minute, []string{symptom}
		r := run(t, o)
		if len(r.Episodes) != 1 || !r.Episodes[0].Fired {
			t.Fatalf("%s: got %+v", symptom, r.Episodes)
		}
		// The long window ends up to a thirtieth of its length before the look.
		began := r.Episodes[0].Seen.Sub(o.From) - 7*time.Hour
		if began < after-time.Minute || began > after+15*time.Minute {
			t.Errorf("%s: seen %s after first tokens came late, want %s", symptom, began, after)
		}
		o.From = o.From.Add(9*time.Hour + 55*time.Minute)
		if r := run(t, o); len(r.Episodes) != 1 { // what lies before the stretch is read
			t.Errorf("%s: the last five minutes show %+v", symptom, r.Episodes)
		}
	}
}

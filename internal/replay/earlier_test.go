package replay_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
)

// slower is a server that decodes three times slower in the last hour of two days, within every objective.
func slower() *samples.Store {
	begin := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	st := samples.NewStore()
	fast, all := 0.0, 0.0
	for at := time.Duration(0); at <= 48*time.Hour; at += 30 * time.Second {
		all += 900
		if at < 47*time.Hour {
			fast += 900
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
		add("vllm:num_preemptions_total", 0, "")
		add("vllm:generation_tokens_total", all, "")
		const itl = "vllm:inter_token_latency_seconds"
		add(itl+"_bucket", fast, "0.025")
		add(itl+"_bucket", all, "0.1")
		add(itl+"_bucket", all, "+Inf")
		add(itl+"_sum", 0.02*fast+0.06*(all-fast), "")
		add(itl+"_count", all, "")
	}
	st.Finish()
	return st
}

func TestEachLookIsComparedWithItsOwnPast(t *testing.T) {
	p := builtin(t)
	o := over(p, slower())
	o.From, o.Step, o.Symptoms = o.To.Add(-3*time.Hour), time.Minute, []string{"decode-slower-than-its-past"}
	r := run(t, o)
	if len(r.Episodes) != 1 || !r.Episodes[0].Fired {
		t.Fatalf("got %+v", r.Episodes)
	}
	if e := r.Episodes[0]; e.Seen.Sub(r.From) < 2*time.Hour || e.Seen.Sub(r.From) > 2*time.Hour+6*time.Minute || e.Ended != replay.Running {
		t.Errorf("seen %s after the beginning, %s", e.Seen.Sub(r.From), e.Ended)
	}
	o.From = o.To.Add(-47 * time.Hour) // a day before that there is nothing
	o.To = o.From.Add(2 * time.Hour)
	if r := run(t, o); len(r.Episodes) > 0 {
		t.Errorf("without a past: %+v", r.Episodes)
	}
}

package signals_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/rules/signals"
)

func TestAFrameIsOfTheProcessThatRuns(t *testing.T) {
	st := samples.NewStore()
	at := func(i int) int64 { return began.Add(time.Duration(i) * 15 * time.Second).UnixMilli() }
	of := model.LabelsFrom(map[string]string{"job": "j", "instance": "a"})
	for i := range 20 {
		running, waiting, started := 8.0, 50.0, 1000.0
		if i >= 15 { // started anew with another limit
			running, waiting, started = 30, 0, 2000
		}
		st.Series("vllm:num_requests_running", of).Add(at(i), running)
		st.Series("vllm:num_requests_waiting", of).Add(at(i), waiting)
		st.Series("vllm:generation_tokens_total", of).Add(at(i), float64(100*(i%15)))
		st.Series("process_start_time_seconds", of).Add(at(i), started)
	}
	st.Finish()
	f := catalog(t).Frame(st, signals.Request{At: time.UnixMilli(at(19)), Window: 5 * time.Minute})
	for signal, want := range map[model.SignalID]float64{
		"running": 30, "waiting_max": 0, "gen_tokens": 400, // of the new process alone
		"start_time_changes": 1, "counter_resets": 1, // of the whole window
	} {
		if v, ok := f.Get(f.Entities.All()[0].ID, signal); !ok || v.V != want {
			t.Errorf("%s is %v, %v, want %v", signal, v.V, ok, want)
		}
	}
}

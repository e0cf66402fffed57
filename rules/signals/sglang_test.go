package signals_test

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
	"github.com/inferdx/inferdx/rules/signals"
)

// sglang is the last look at a recording of SGLang's own metric classes.
func sglang(t *testing.T, name string) (*model.Frame, model.EntityID) {
	t.Helper()
	st, err := recording.Open(filepath.Join("..", "..", "corpus", name, "metrics.om.gz"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	f := catalog(t).Frame(st, signals.Request{At: time.UnixMilli(last), Window: 5 * time.Minute})
	return f, server(t, f)
}

// server is the one target of a frame.
func server(t *testing.T, f *model.Frame) model.EntityID {
	t.Helper()
	for _, e := range f.Entities.All() {
		if e.Scope == model.ScopeTarget {
			return e.ID
		}
	}
	t.Fatal("no target")
	return 0
}

func TestSGLangsMetricsAreReadInTheOldAndTheNewForm(t *testing.T) {
	for _, tt := range []struct {
		recording, version string
		want               map[model.SignalID]float64
		absent             []model.SignalID
	}{
		{"sim-sglang-old-cap8", "0.4.4", map[model.SignalID]float64{"running_max": 8, "waiting_last": 56}, []model.SignalID{"preemptions", "queue_mean_s", "stalled_running_s", "prompt_mean"}},
		{"sim-sglang-cap8", "0.5.22", map[model.SignalID]float64{"running_max": 8, "waiting_last": 56, "preemptions": 0, "stalled_running_s": 0, "decode_eager_ratio": 0, "requests_aborted": 0}, nil},
		{"sim-sglang-chunk64", "0.5.22", map[model.SignalID]float64{"prefix_hit_ratio": 0}, nil},
	} {
		t.Run(tt.recording, func(t *testing.T) {
			f, id := sglang(t, tt.recording)
			if e := f.Entities.Get(id).Engine; e.Name != "sglang" || e.Version != tt.version || !e.AtLeastOnly {
				t.Errorf("the engine is %+v", e)
			}
			for s, want := range tt.want {
				if v, ok := f.Get(id, s); !ok || math.Abs(v.V-want) > 1e-9 {
					t.Errorf("%s is %v, %v, want %v", s, v.V, ok, want)
				}
			}
			for _, s := range tt.absent {
				if v, ok := f.Get(id, s); ok {
					t.Errorf("%s is %v although that version does not tell", s, v.V)
				}
			}
		})
	}
}

func TestWorkersThatReportTheSameQueueAreCountedOnce(t *testing.T) {
	st := samples.NewStore()
	for i := range 4 {
		for _, tp := range []string{"0", "1", "10"} {
			for _, dp := range []string{"0", "1"} {
				of := model.LabelsFrom(map[string]string{"job": "j", "instance": "a", "tp_rank": tp, "dp_rank": dp, "model_name": "m"})
				st.Series("sglang:num_running_reqs", of).Add(began.Add(time.Duration(i)*15*time.Second).UnixMilli(), 5)
			}
		}
	}
	st.Finish()
	f := catalog(t).Frame(st, signals.Request{At: began.Add(time.Minute), Window: 5 * time.Minute})
	if v, ok := f.Get(server(t, f), "running"); !ok || v.V != 10 {
		t.Errorf("%v requests run, want 5 of each of two engines", v.V)
	}
}

// Package notifiertest holds what every notifier's test needs: a message as the engine would make it, and
// the contract that each of them keeps when a delivery fails.
package notifiertest

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// At is when the sample was decided.
var At = time.Date(2026, 11, 3, 3, 12, 44, 0, time.UTC)

// Diagnosis is a server whose sequence cap is too low.
func Diagnosis(instance string) model.Diagnosis {
	onset := At.Add(-30 * time.Second)
	return model.Diagnosis{
		Name: instance, Target: map[string]string{"job": "vllm", "instance": instance, "model_name": "Qwen/Qwen3-8B"},
		Scope: model.ScopeTarget, Engine: model.EngineInfo{Name: "vllm", Version: "0.25.1"}, Status: model.Degraded,
		Summary: "53 requests wait because at most 8 may run", UnknownScore: 0.01, Fingerprint: "9f2c", Onset: &onset,
		Symptoms: []model.Symptom{{
			ID: "queue-growing", Title: "Requests queue", Severity: model.Warning, State: model.Firing, Since: onset,
			HeldSeconds: 30, Scope: model.ScopeTarget, Evidence: []model.Evidence{{Text: "53 requests wait", Signal: "waiting", Value: ptr(53.0), Bound: "exact", Unit: "requests"}},
		}},
		Causes: []model.Cause{{
			ID: "max-num-seqs-too-low", Title: "sequence cap too low", Layer: "system", Score: 0.97, Primary: true,
			Explains: []string{"queue-growing"}, RecordingsBehind: 5,
			For:    []model.Evidence{{Text: "running stays at 7 to 8 while 53 wait", Weight: 4}, {Text: "KV cache 1 % used", Weight: 2}},
			Unseen: []model.Evidence{{Text: "max_num_seqs is not exported by vllm 0.25"}},
			Changes: []model.Action{{
				Kind: "knob", When: "rollout", Knob: "max_num_seqs", Flag: "--max-num-seqs", From: ptr("8"), FromSource: "args", To: ptr("64"),
				Text: "raise the sequence cap", Why: "the KV cache has room for them", Cost: "about 0.6 GiB more KV in use", Rollback: "set 8 again",
				Restart: true, Verify: &model.Verify{Signal: "waiting", Expect: "down"},
			}},
		}},
		Missing: []model.Missing{{Signal: "sm_active_ratio", Needs: "dcgm-exporter with profiling metrics"}},
	}
}

// Message is the first about a problem of one server.
func Message() plan.Message {
	return plan.Message{
		ID: "oncall-2f6a-1", Receiver: "oncall", Key: "llm/Qwen3-8B", Number: 1, Reason: plan.First, Severity: model.Warning,
		At: At, Onset: At.Add(-30 * time.Second), GroupLabels: map[string]string{"model_name": "Qwen/Qwen3-8B"},
		Diagnoses: []model.Diagnosis{Diagnosis("h200-0:8000")}, Deadline: At.Add(time.Hour),
	}
}

// Resolved is the last message about it.
func Resolved() plan.Message {
	m := Message()
	m.ID, m.Number, m.Reason, m.At = "oncall-2f6a-2", 2, plan.Resolved, At.Add(10*time.Minute)
	m.Recovered = []string{"h200-0:8000"}
	return m
}

// Many is a message about n servers.
func Many(n int) plan.Message {
	m := Message()
	m.Diagnoses = nil
	for i := range n {
		m.Diagnoses = append(m.Diagnoses, Diagnosis("h200-"+string(rune('a'+i%26))+string(rune('a'+i/26%26))+":8000"))
	}
	return m
}

func ptr[T any](v T) *T { return &v }

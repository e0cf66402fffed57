package template

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// inventedMessages have everything that a template may ask for, to try it with.
func inventedMessages() []plan.Message {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	onset, from, to, hurt := at.Add(-time.Minute), "8", "64", 3.0
	d := model.Diagnosis{
		Target: map[string]string{"instance": "a:8000"}, Scope: model.ScopeTarget, Engine: model.EngineInfo{Name: "vllm", Version: "0.25.1"},
		Status: model.Degraded, UnknownScore: 0.1, Onset: &onset, Changed: []model.Change{{What: "version", From: "1", To: "2", At: onset}},
		Impact:   model.Impact{RequestsPerSecondHurt: &hurt},
		Symptoms: []model.Symptom{{ID: "s", Title: "s", Severity: model.Critical, State: model.Firing, Since: onset, Evidence: []model.Evidence{{Text: "e"}}}},
		Causes: []model.Cause{{
			ID: "c", Title: "c", Score: 0.9, Primary: true, For: []model.Evidence{{Text: "f"}}, Against: []model.Evidence{{Text: "a"}}, Unseen: []model.Evidence{{Text: "u"}},
			Changes: []model.Action{{
				Kind: model.KindKnob, When: "rollout", Flag: "--x", From: &from, To: &to, Why: "w", Cost: "c", Rollback: "r", Restart: true,
				Verify: &model.Verify{Signal: "waiting", Expect: "down"},
			}},
		}},
		Missing: []model.Missing{{Signal: "m", Needs: "n"}}, Notes: []string{"n"},
		Examples: []model.Example{{TraceID: "0af7651916cd43dd8448eb211c80319c", Link: "https://traces.example/0", Shows: model.SlowFirstToken, TTFT: &hurt}},
	}
	unnamed := d
	unnamed.Causes = []model.Cause{{ID: "c", Title: "c", Score: 0.4, For: d.Causes[0].For}, {ID: "d", Title: "d", Score: 0.3}}
	var out []plan.Message
	for _, r := range []plan.Reason{plan.First, plan.Worse, plan.CauseChanged, plan.Reminder, plan.Resolved, plan.Verified, plan.Test} {
		m := plan.Message{
			ID: "i", Receiver: "r", Key: "k", Number: 1, Reason: r, Severity: model.Critical, At: at, Onset: onset,
			Diagnoses: []model.Diagnosis{d, unnamed, d}, Recovered: []string{"b:8000"}, Acknowledged: &plan.Acknowledgement{By: "p", At: at},
			Outcome: &plan.Outcome{Target: d.Target, Cause: "c", Change: "--x 8 -> 64", Verdict: "improved", Why: "w", Lines: []string{"l"}},
		}
		out = append(out, m)
		m.Diagnoses, m.Acknowledged, m.Gone = []model.Diagnosis{unnamed}, nil, true
		out = append(out, m)
	}
	return append(out, plan.Message{Reason: plan.Test, At: at})
}

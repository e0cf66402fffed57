package plan_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

func TestAStoredMessageReadsTheSame(t *testing.T) {
	at := time.Date(2026, 11, 2, 3, 12, 44, 0, time.UTC)
	in := plan.Message{
		ID: "m1", Receiver: "oncall", Key: "{group=chat}", Number: 1, Reason: plan.First, Severity: model.Critical, At: at, Onset: at,
		GroupLabels: map[string]string{"group": "chat"}, Deadline: at.Add(time.Hour), Acknowledged: &plan.Acknowledgement{By: "ana", At: at},
		Diagnoses: []model.Diagnosis{{
			Target: map[string]string{"instance": "a:8000"}, Status: model.Degraded, Onset: &at,
			Name: "a:8000", Span: model.Span{First: at, Last: at.Add(34 * time.Second), Scrapes: 17, Failed: 1},
		}},
	}
	b, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out plan.Message
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, out); diff != "" {
		t.Error(diff)
	}
}

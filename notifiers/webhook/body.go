package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/render"
)

// version is the contract's. Fields may be added to it, none taken away.
const version = "1"

// envelope is the body but for its diagnoses, whose type is a parameter so that they are encoded once
// and measured.
type envelope[D any] struct {
	Version            string            `json:"version"`
	ID                 string            `json:"id"`
	Reason             plan.Reason       `json:"reason"`
	Status             string            `json:"status"`
	Receiver           string            `json:"receiver"`
	Key                string            `json:"key"`
	Number             int               `json:"number"`
	Severity           model.Severity    `json:"severity"`
	At                 time.Time         `json:"at"`
	Onset              time.Time         `json:"onset"`
	GroupLabels        map[string]string `json:"group_labels"`
	Summary            string            `json:"summary"`
	Diagnoses          []D               `json:"diagnoses"`
	Recovered          []string          `json:"recovered"`
	Outcome            *plan.Outcome     `json:"outcome"`
	Gone               bool              `json:"gone"`
	TruncatedDiagnoses int               `json:"truncated_diagnoses"`
}

// encode writes the body in at most limit bytes: diagnoses are left out from the end, where the least
// bad ones are, and counted.
func encode(m plan.Message, summary string, limit int) ([]byte, error) {
	e := envelope[json.RawMessage]{
		Version: version, ID: m.ID, Reason: m.Reason, Status: "firing", Receiver: m.Receiver, Key: m.Key, Number: m.Number,
		Severity: m.Severity, At: utc(m.At), Onset: utc(m.Onset), GroupLabels: m.GroupLabels, Summary: summary,
		Diagnoses: []json.RawMessage{}, Recovered: m.Recovered, Outcome: m.Outcome, Gone: m.Gone,
		TruncatedDiagnoses: len(m.Diagnoses),
	}
	if !m.Firing() {
		e.Status = "resolved"
	}
	if e.GroupLabels == nil {
		e.GroupLabels = map[string]string{}
	}
	if e.Recovered == nil {
		e.Recovered = []string{}
	}
	if e.Outcome != nil && e.Outcome.Target == nil {
		o := *e.Outcome
		o.Target = map[string]string{}
		e.Outcome = &o
	}
	bare, err := marshal(e)
	if err != nil {
		return nil, err
	}
	size := len(bare)
	for _, d := range render.Contract(&model.Report{Targets: m.Diagnoses}).Targets {
		one, err := marshal(d)
		if err != nil {
			return nil, err
		}
		if size += len(one) + 1; size > limit { // and a comma
			break
		}
		e.Diagnoses = append(e.Diagnoses, one)
		e.TruncatedDiagnoses--
	}
	body, err := marshal(e)
	if err != nil {
		return nil, err
	}
	if len(body) > limit {
		return nil, fmt.Errorf("message %s has %d bytes without any diagnosis, more than the %d allowed", m.ID, len(body), limit)
	}
	return body, nil
}

// marshal leaves <, > and & as they are: the body is read by programs, not inlined in a page.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write message as JSON: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

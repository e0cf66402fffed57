package webhook

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/render"
)

// schemaID names the contract. It is a name, nothing is served there.
const schemaID = "https://github.com/inferdx/inferdx/schema/webhook/v1"

// Schema is the JSON schema of a body, draft 2020-12, ending in a newline. A diagnosis in it is the
// report's.
func Schema() ([]byte, error) {
	text, err := render.Schema()
	if err != nil {
		return nil, err
	}
	var report jsonschema.Schema
	if err := json.Unmarshal(text, &report); err != nil {
		return nil, fmt.Errorf("read schema of the report: %w", err)
	}
	r := jsonschema.Reflector{ExpandedStruct: true, LookupComment: comment}
	s := r.Reflect(&envelope[model.Diagnosis]{})
	s.ID, s.Title, s.Description = schemaID, "inferdx webhook", "What a webhook receiver is sent."
	maps.Copy(s.Definitions, report.Definitions)
	s.AdditionalProperties = nil // receivers must bear fields that a later release adds
	outcome := s.Definitions["Outcome"]
	outcome.AdditionalProperties = nil
	for name, values := range map[string][]any{
		"version":  {version},
		"reason":   {plan.First, plan.Worse, plan.CauseChanged, plan.Reminder, plan.Resolved, plan.Verified, plan.Test},
		"status":   {"firing", "resolved"},
		"severity": {model.Info, model.Warning, model.Critical, ""},
	} {
		s.Properties.Value(name).Enum = values
	}
	outcome.Properties.Value("verdict").Enum = []any{"improved", "unchanged", "worse", "cannot-tell"}
	s.Properties.Value("number").Minimum, s.Properties.Value("truncated_diagnoses").Minimum = "0", "0"
	s.Properties.Set("outcome", &jsonschema.Schema{
		OneOf:       []*jsonschema.Schema{{Ref: "#/$defs/Outcome"}, {Type: "null"}},
		Description: comment(reflect.TypeFor[envelope[model.Diagnosis]](), "Outcome"),
	})
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema of the webhook: %w", err)
	}
	return append(b, '\n'), nil
}

func comment(t reflect.Type, field string) string {
	switch t {
	case reflect.TypeFor[envelope[model.Diagnosis]]():
		return map[string]string{
			"Version":            "Version of this contract. Fields may be added to it.",
			"ID":                 "Names the message, the same over retries: also the header webhook-id.",
			"Reason":             "Why the message is sent.",
			"Status":             "Whether the group still has a problem.",
			"Receiver":           "The receiver's name in the configuration.",
			"Key":                "Names the group. Messages of one receiver and key come in the order of number.",
			"Number":             "Counts the messages of this receiver and key since the onset, from 1.",
			"Severity":           "The worst severity; on resolved the worst that there was.",
			"At":                 "When the message was decided, in UTC.",
			"Onset":              "When the group's oldest problem began, in UTC.",
			"GroupLabels":        "The labels that the route groups by.",
			"Summary":            "The message in a line.",
			"Diagnoses":          "The group's diagnoses, worst first, each as diagnose --format json writes it; on resolved the last that showed harm.",
			"Recovered":          "The targets that recovered since the message before.",
			"Outcome":            "What came of a change; null but for the reason verified.",
			"Gone":               "True when the group ended because its targets left service discovery, not because they recovered.",
			"TruncatedDiagnoses": "How many diagnoses were left out from the end for want of room.",
		}[field]
	case reflect.TypeFor[plan.Outcome]():
		return map[string]string{
			"":        "What came of a change on a target.",
			"Target":  "The labels that identify the target.",
			"Cause":   "The cause that the change was for.",
			"Change":  "The change.",
			"Verdict": "Whether it helped.",
			"Why":     "The reason for the verdict.",
			"Lines":   "The figures, best first.",
		}[field]
	}
	return ""
}

package render

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/replay"
)

const replaySchemaID = "https://github.com/inferdx/inferdx/schema/replay/v1"

// ReplaySchema is the JSON schema of a replay, draft 2020-12, ending in a newline.
func ReplaySchema() ([]byte, error) {
	words := replayWords()
	r := jsonschema.Reflector{
		ExpandedStruct: true,
		LookupComment: func(t reflect.Type, field string) string {
			if field == "" {
				return words[t.Name()]
			}
			return words[t.Name()+"."+field]
		},
	}
	s := r.Reflect(&replay.Result{})
	s.ID, s.Title = replaySchemaID, "inferdx replay"
	episode, segment := s.Definitions["Episode"], s.Definitions["Segment"]
	if episode == nil || segment == nil {
		return nil, fmt.Errorf("schema of a replay: a definition is missing")
	}
	for _, field := range []string{"fired_at", "end"} {
		if p, ok := episode.Properties.Get(field); ok {
			is := p.Description
			p.Description = ""
			episode.Properties.Set(field, &jsonschema.Schema{Description: is, OneOf: []*jsonschema.Schema{p, {Type: "null"}}})
		}
	}
	enum := func(of *jsonschema.Schema, field string, values ...any) {
		if p, ok := of.Properties.Get(field); ok {
			p.Enum = values
		}
	}
	enum(s, "version", "1")
	enum(episode, "ended", replay.Resolved, replay.Gone, replay.Running)
	enum(episode, "severity", string(model.Info), string(model.Warning), string(model.Critical))
	enum(segment, "state", string(replay.Down), string(replay.Firing), string(replay.Pending), string(replay.Degraded),
		string(replay.Gap), string(replay.Unknown), string(replay.Healthy), string(replay.Idle))
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema of a replay: %w", err)
	}
	return append(b, '\n'), nil
}

// replayWords is keyed by Go type, or by type and field.
func replayWords() map[string]string {
	return map[string]string{
		"Result":               "What would have happened over a stretch of the past.",
		"Result.Version":       "Version of this contract.",
		"Result.From":          "Where it began, in UTC.",
		"Result.To":            "Where it ended, in UTC.",
		"Result.StepSeconds":   "The time from look to look.",
		"Result.WindowSeconds": "How much each look looks back.",
		"Result.Looks":         "How many times it was looked.",
		"Result.Blind":         "At how many looks nothing had been scraped of any target; those were not judged.",
		"Result.Targets":       "Each server, and each group that had symptoms of its own, with how it was.",
		"Result.Episodes":      "Each symptom of each entity from onset to end, in order of onset; pending ones as well.",
		"Result.Symptoms":      "How often each symptom fired, and would have with another for.",
		"Result.Messages":      "The messages that would have gone out, where a configuration was given.",
		"Result.Faults":        "What could not be read.",
		"Result.Notes":         "What else is worth knowing.",

		"Segment":       "A stretch of one state with one primary cause; from is exclusive, to inclusive.",
		"Segment.State": "gap: nothing was scraped, which is not health. degraded: slight harm. pending: harm, but not yet for as long as its rule asks.",
		"Segment.Cause": "The primary cause; absent where none was named.",

		"Episode.Fired":    "False of a symptom that was over before its rule's for.",
		"Episode.Onset":    "When the harm began, as far as the samples show it.",
		"Episode.Traced":   "Whether the beginning was seen; else onset is the first look that showed it, or the beginning of what was looked at.",
		"Episode.Seen":     "The first look that showed it.",
		"Episode.FiredAt":  "The first look at which it fired; null when it never did.",
		"Episode.LastTrue": "The last look at which it was so; what keeps firing for a while ends later.",
		"Episode.End":      "The look that ended it, or the last that saw the entity; null when it had not ended.",
		"Episode.Ended":    "resolved, gone (the entity was seen no more) or running.",
		"Episode.Seconds":  "From onset to end, or to the last look that showed it.",
		"Episode.Causes":   "The primary causes of its time, the one that was longest first.",
		"Cause.Share":      "The part of the episode's looks that named it.",
		"Cause.Score":      "Its highest score.",

		"Symptom.ForSeconds":    "The rule's own for.",
		"Symptom.Firings":       "How often it fired with that.",
		"Symptom.FiringSeconds": "For how long.",
		"Symptom.PendingOnly":   "How many episodes were over before.",
		"Symptom.Choices":       "What would have come of another for, by the same looks.",
	}
}

package render

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/inferdx/inferdx/internal/compare"
)

const compareSchemaID = "https://github.com/inferdx/inferdx/schema/compare/v1"

// CompareSchema is the JSON schema of a comparison, draft 2020-12, ending in a newline.
func CompareSchema() ([]byte, error) {
	words := compareWords()
	r := jsonschema.Reflector{
		ExpandedStruct: true,
		LookupComment: func(t reflect.Type, field string) string {
			if field == "" {
				return words[t.Name()]
			}
			return words[t.Name()+"."+field]
		},
	}
	s := r.Reflect(&compare.Result{})
	s.ID, s.Title = compareSchemaID, "inferdx comparison"
	narrow := func(of *jsonschema.Schema, field string, f func(p *jsonschema.Schema) *jsonschema.Schema) {
		if p, ok := of.Properties.Get(field); ok {
			of.Properties.Set(field, f(p))
		}
	}
	enum := func(of *jsonschema.Schema, field string, values ...any) {
		narrow(of, field, func(p *jsonschema.Schema) *jsonschema.Schema { p.Enum = values; return p })
	}
	orNull := func(p *jsonschema.Schema) *jsonschema.Schema {
		is := p.Description
		p.Description = ""
		return &jsonschema.Schema{Description: is, OneOf: []*jsonschema.Schema{p, {Type: "null"}}}
	}
	enum(s, "version", "1")
	enum(s, "verdict", string(compare.Improved), string(compare.Unchanged), string(compare.Worse), string(compare.CannotTell))
	metric, seen := s.Definitions["Metric"], s.Definitions["Seen"]
	if metric == nil || seen == nil {
		return nil, fmt.Errorf("schema of a comparison: a definition is missing")
	}
	enum(metric, "outcome", string(compare.Better), string(compare.Poorer), string(compare.Same), string(compare.Unclear))
	for _, f := range []string{"before_bound", "after_bound", "ratio_bound"} {
		enum(metric, f, "at_most", "at_least")
		narrow(metric, f, func(p *jsonschema.Schema) *jsonschema.Schema { p.Type = "string"; return p })
	}
	narrow(metric, "interval", func(p *jsonschema.Schema) *jsonschema.Schema {
		p.Items = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number", Minimum: "0"}, {Type: "null"}}}
		return p
	})
	for _, f := range []string{"before", "after", "ratio", "interval"} {
		narrow(metric, f, orNull)
	}
	narrow(seen, "from", orNull)
	narrow(seen, "to", orNull)
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write schema of a comparison: %w", err)
	}
	return append(b, '\n'), nil
}

// compareWords is keyed by Go type, or by type and field.
func compareWords() map[string]string {
	return map[string]string{
		"Result":         "Whether a change helped.",
		"Result.Version": "Version of this contract.",
		"Result.Verdict": "The answer in a word. cannot-tell means that the figures do not decide; it is never a quiet unchanged.",
		"Result.Why":     "The answer in a sentence.",
		"Result.Metrics": "Every figure that at least one side has.",
		"Result.Load":    "Whether both sides had the same work to do.",
		"Result.Before":  "What was looked at before.",
		"Result.After":   "What was looked at after.",
		"Result.Lines":   "The figures that decided, the most telling first, ready to read.",
		"Result.Notes":   "What was left out of the comparison, and why.",

		"Metric":             "One figure before and after.",
		"Metric.Signal":      "The signal of the catalogue.",
		"Metric.Name":        "What people call it.",
		"Metric.Unit":        "Its unit.",
		"Metric.Before":      "Its value before; null when unknown.",
		"Metric.BeforeBound": "There when the truth is only known to be at most or at least the value.",
		"Metric.After":       "Its value after; null when unknown.",
		"Metric.AfterBound":  "There when the truth is only known to be at most or at least the value.",
		"Metric.Ratio":       "After by before; null where it is unknown or there is nothing to divide by.",
		"Metric.RatioBound":  "There when the ratio is only known to be at most or at least that.",
		"Metric.Interval":    "The 95 % interval of the ratio; an end that nothing bounds is null.",
		"Metric.Outcome":     "Where the figure went by itself, whatever the load did. same: it moved by less than a quarter; unclear: nobody knows.",
		"Metric.Decides":     "False where the figure is shown and takes no part in the verdict.",

		"Load":         "Whether both sides had the same work to do.",
		"Load.Matched": "True when latencies and rates of both sides may be compared.",
		"Load.Note":    "What the load was judged by.",

		"Seen":             "What was looked at on one side, after what was left out.",
		"Seen.Target":      "The labels of the server.",
		"Seen.Engine":      "Its metric dialect.",
		"Seen.From":        "The first scrape that counts, or the start of the benchmark, in UTC; null when there is none.",
		"Seen.To":          "The last scrape that counts, or the end of the benchmark, in UTC; null when there is none.",
		"Seen.Scrapes":     "How many scrapes count.",
		"Seen.FirstTokens": "How many requests got their first token.",
		"Seen.Benchmark":   "The run of a benchmark, in words, where results of benchmarks are compared; then nothing was scraped.",
	}
}

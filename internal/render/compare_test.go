package render_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
)

// comparisons are one with everything a figure can be, and one in which nothing was seen.
func comparisons() map[string]compare.Result {
	p := func(v float64) *float64 { return &v }
	from, to := at, at.Add(30*time.Second)
	seen := compare.Seen{Target: map[string]string{"instance": "a:8000", "job": "vllm"}, Engine: "vllm", From: &from, To: &to, Scrapes: 16, FirstTokens: 187}
	return map[string]compare.Result{
		"improved": {
			Version: "1", Verdict: compare.Improved, Why: "TTFT P99 14 s -> 0.19 s (objective 2.0 s)",
			Metrics: []compare.Metric{
				{Signal: "ttft_p99_s", Name: "TTFT P99", Unit: "s", Before: p(14), After: p(0.19), Ratio: p(0.19 / 14), Interval: &[2]*float64{p(0.003), p(0.03)}, Outcome: compare.Better, Decides: true},
				{Signal: "tpot_p99_s", Name: "TPOT P99", Unit: "s", Before: p(0.01), BeforeBound: model.AtMost, After: p(0.025), Ratio: p(2.5), RatioBound: model.AtLeast, Interval: &[2]*float64{p(2.4), nil}, Outcome: compare.Poorer, Decides: true},
				{Signal: "preemptions_per_s", Name: "preemptions", Unit: "requests/s", Before: p(0), Outcome: compare.Unclear},
			},
			Load:   compare.Load{Matched: true, Note: "the same load: requests in the server 64 -> 63"},
			Before: seen, After: seen, Lines: []string{"TTFT P99 14 s -> 0.19 s"}, Notes: []string{"after: the first 4 s were left out"},
		},
		"benchmarks": {
			Version: "1", Verdict: compare.CannotTell, Why: "no figure moved by half or more, and without single requests there is no telling less",
			Metrics: []compare.Metric{{Signal: "ttft_p99_s", Name: "TTFT P99", Unit: "s", Before: p(1.2), After: p(1), Ratio: p(1 / 1.2), Outcome: compare.Unclear, Decides: true}},
			Load:    compare.Load{Matched: true, Note: "the same load: workload ShareGPT -> ShareGPT"},
			Before:  compare.Seen{Target: map[string]string{"instance": "before.json"}, Engine: "vllm bench serve", Benchmark: "the client of vllm bench serve with ShareGPT"},
			After:   compare.Seen{Target: map[string]string{"instance": "after.json"}, Engine: "vllm bench serve", From: &from, To: &to, FirstTokens: 200, Benchmark: "the client of vllm bench serve with ShareGPT"},
		},
		"nothing": {Version: "1", Verdict: compare.CannotTell, Why: "before saw no request", Before: compare.Seen{Target: map[string]string{}}, After: compare.Seen{Target: map[string]string{}}},
	}
}

func compareSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := render.CompareSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("compare.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("compare.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func compareDoc(t *testing.T, r compare.Result) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := render.CompareJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func TestComparisonsLookAsTheyDid(t *testing.T) {
	for name, r := range comparisons() {
		var text, sheet bytes.Buffer
		if err := render.CompareText(&text, r, render.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := render.CompareMarkdown(&sheet, r); err != nil {
			t.Fatal(err)
		}
		golden(t, "compare_"+name+".txt", text.Bytes())
		golden(t, "compare_"+name+".md", sheet.Bytes())
	}
	s, err := render.CompareSchema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "compare_schema.json", s)
}

func TestComparisonsFulfilTheirSchema(t *testing.T) {
	s := compareSchema(t)
	for name, r := range comparisons() {
		if err := s.Validate(any(compareDoc(t, r))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCompareSchemaRefusesWhatBreaksTheContract(t *testing.T) {
	s := compareSchema(t)
	metric := func(d map[string]any) map[string]any { return d["metrics"].([]any)[0].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"another version":           func(d map[string]any) { d["version"] = "2" },
		"a verdict nobody knows":    func(d map[string]any) { d["verdict"] = "fine" },
		"no load":                   func(d map[string]any) { delete(d, "load") },
		"null for a list":           func(d map[string]any) { d["metrics"] = nil },
		"an interval of one end":    func(d map[string]any) { metric(d)["interval"] = []any{json.Number("1")} },
		"an outcome nobody knows":   func(d map[string]any) { metric(d)["outcome"] = "meh" },
		"a bound that is none":      func(d map[string]any) { metric(d)["before_bound"] = "exact" },
		"a field nobody promised":   func(d map[string]any) { metric(d)["vibe"] = "good" },
		"a time that is none":       func(d map[string]any) { d["before"].(map[string]any)["from"] = "noon" },
		"a ratio in words":          func(d map[string]any) { metric(d)["ratio"] = "small" },
		"no word on what was there": func(d map[string]any) { delete(metric(d), "before") },
	} {
		doc := compareDoc(t, comparisons()["improved"])
		spoil(doc)
		if err := s.Validate(any(doc)); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestCompareSchemaDescribesEveryField(t *testing.T) {
	b, err := render.CompareSchema()
	if err != nil {
		t.Fatal(err)
	}
	type node struct {
		Description string          `json:"description"`
		Properties  map[string]node `json:"properties"`
	}
	var root struct {
		node
		Defs map[string]node `json:"$defs"`
	}
	if err := json.Unmarshal(b, &root); err != nil {
		t.Fatal(err)
	}
	root.Defs["Result"] = root.node
	for typ, n := range root.Defs {
		for field, f := range n.Properties {
			if f.Description == "" {
				t.Errorf("%s.%s has no description", typ, field)
			}
		}
	}
}

func TestAServersNameIsNoMarkupInAComparison(t *testing.T) {
	r := comparisons()["improved"]
	r.Before.Target = map[string]string{"instance": "x`[a](http://evil)\x1b[31m"}
	r.After.Target = r.Before.Target
	var b bytes.Buffer
	if err := render.CompareText(&b, r, render.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("an escape sequence reaches the terminal")
	}
}

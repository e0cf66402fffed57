package render_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
)

// near is the step of seqs8-c64: 8 requests of 600 tokens on an H200.
func near() *model.Ceiling {
	return &model.Ceiling{
		Phase: "decode", StepSeconds: 0.00538, FloorSeconds: 0.00309, Ratio: 0.5744, Limit: "bandwidth",
		MemorySeconds: ptr(0.00309), ComputeSeconds: ptr(0.00034), ExchangeSeconds: ptr(0.0), DecodeMost: ptr(2339.2),
		PoolBatch: ptr(1351.7), PoolMost: ptr(51499.0), PrefillMost: ptr(70216.8), Says: "the work itself takes the step",
	}
}

func withCeiling(c *model.Ceiling) *model.Report {
	d := degraded()
	d.Ceiling = c
	return report(d)
}

func TestTheCeilingIsSaidInALine(t *testing.T) {
	far := near()
	far.StepSeconds, far.Ratio, far.ComputeSeconds, far.Far, far.Says = 0.0226, 0.137, ptr(0.0028), true, "settings can help"
	compute := near()
	compute.Phase, compute.Limit, compute.FloorSeconds, compute.ComputeSeconds, compute.Ratio, compute.PoolMost = "prefill", "compute", 0.122, ptr(0.122), 0.57, nil
	compute.StepSeconds = 0.216
	odd := near()
	odd.Ratio = math.NaN()
	for _, tc := range []struct {
		name string
		in   *model.Ceiling
		want []string
		not  string
	}{
		{"near, with room", near(), []string{
			"ceiling   decode 5.4 ms a step, the memory would allow 3.1 ms (57 % of it): the work itself takes the step",
			"at best 2,340 tokens/s with this batch, 51,500 tokens/s with the 1,352 requests that the KV cache holds",
		}, "arithmetic"},
		{"far, with arithmetic beside", far, []string{"(14 % of it), arithmetic at best 2.8 ms: settings can help"}, "at best 2,3"},
		{"prefill", compute, []string{"prefill 0.22 s a step, the arithmetic would allow 0.12 s (57 % of it)"}, "requests that the KV"},
		{"unknown", nil, nil, "ceiling"},
		{"no number", odd, nil, "NaN"},
	} {
		var b bytes.Buffer
		if err := render.Text(&b, withCeiling(tc.in), render.TextOptions{Width: 120}); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(strings.Fields(b.String()), " ")
		for _, w := range tc.want {
			if !strings.Contains(got, strings.Join(strings.Fields(w), " ")) {
				t.Errorf("%s: no %q in\n%s", tc.name, w, b.String())
			}
		}
		if tc.not != "" && strings.Contains(got, tc.not) {
			t.Errorf("%s: %q in\n%s", tc.name, tc.not, b.String())
		}
	}
}

func TestTheCeilingIsInMarkdownAndFitsTheSchema(t *testing.T) {
	var b bytes.Buffer
	if err := render.Markdown(&b, withCeiling(near())); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "- **Ceiling**: decode 5.4 ms a step") {
		t.Errorf("no ceiling in\n%s", b.String())
	}
	c := near()
	c.PoolBatch, c.ExchangeSeconds = ptr(math.Inf(1)), nil
	text := jsonOf(t, withCeiling(c))
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema(t).Validate(doc); err != nil {
		t.Error(err)
	}
	for _, w := range []string{`"ratio": 0.574`, `"pool_batch": null`, `"exchange_s": null`, `"memory_s": 0.00309`} {
		if !bytes.Contains(text, []byte(w)) {
			t.Errorf("no %s in\n%s", w, text)
		}
	}
	if !math.IsInf(*c.PoolBatch, 1) {
		t.Error("the report itself was changed")
	}
	if bytes.Contains(jsonOf(t, withCeiling(nil)), []byte("ceiling")) {
		t.Error("an unknown ceiling is written")
	}
}

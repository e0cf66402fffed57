package render_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
	"github.com/inferdx/inferdx/internal/replay"
)

// replays are one in which everything happened, and one in which nothing did.
func replays() map[string]*replay.Result {
	hour := func(h float64) time.Time { return at.Add(time.Duration(h * float64(time.Hour))) }
	ptr := func(t time.Time) *time.Time { return &t }
	evil := "a\x1b[31m|`@everyone`:8000"
	return map[string]*replay.Result{
		"everything": {
			Version: "1", From: at, To: hour(10), StepSeconds: 60, WindowSeconds: 300, Looks: 600, Blind: 60,
			Targets: []replay.Target{
				{Name: "a:8000", Scope: model.ScopeTarget, Labels: map[string]string{"instance": "a:8000"}, Segments: []replay.Segment{
					{State: replay.Healthy, From: at, To: hour(4)},
					{State: replay.Pending, From: hour(4), To: hour(4.5)},
					{State: replay.Firing, Cause: "x", From: hour(4.5), To: hour(5)},
					{State: replay.Gap, From: hour(5), To: hour(7)},
					{State: replay.Idle, From: hour(7), To: hour(10)},
				}},
				{Name: evil, Scope: model.ScopeTarget, Labels: map[string]string{}, Segments: []replay.Segment{{State: replay.Healthy, From: at, To: hour(9.99)}, {State: replay.Down, From: hour(9.99), To: hour(10)}}},
			},
			Episodes: []replay.Episode{
				{
					Symptom: "ttft-high", Title: "slow", Severity: model.Warning, Scope: model.ScopeTarget, Entity: "a:8000", Name: "a:8000", Target: map[string]string{}, Fired: true,
					Onset: hour(4), Traced: true, Seen: hour(4), FiredAt: ptr(hour(4.5)), LastTrue: hour(5), End: ptr(hour(5)), Ended: replay.Gone, Seconds: 3600,
					Causes: []replay.Cause{{ID: "x", Title: "sequence cap too low", Share: 0.5, Score: 0.91}, {ID: "y", Title: "over capacity", Share: 0.1, Score: 0.6}},
				},
				{
					Symptom: "target-down", Severity: model.Critical, Scope: model.ScopeTarget, Entity: evil, Name: evil, Target: map[string]string{},
					Onset: hour(9.99), Seen: hour(9.99), LastTrue: hour(10), Ended: replay.Running, Seconds: 36, Causes: []replay.Cause{},
				},
			},
			Symptoms: []replay.Symptom{{
				ID: "ttft-high", Title: "slow", Severity: model.Warning, ForSeconds: 60, Firings: 1, FiringSeconds: 1800,
				Choices: []replay.Choice{{ForSeconds: 0, Firings: 2, FiringSeconds: 5400}, {ForSeconds: 1800}},
			}},
			Faults: []string{"prometheus: refused"}, Notes: []string{"the launch arguments are not this server's"},
		},
		"nothing": {
			Version: "1", From: at, To: hour(1), StepSeconds: 60, WindowSeconds: 300, Looks: 60,
			Targets: []replay.Target{}, Episodes: []replay.Episode{}, Symptoms: []replay.Symptom{}, Faults: []string{}, Notes: []string{},
		},
	}
}

func TestAReplayFollowsItsSchema(t *testing.T) {
	b, err := render.ReplaySchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("replay.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("replay.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range replays() {
		var out bytes.Buffer
		if err := render.ReplayJSON(&out, r); err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		v.(map[string]any)["extra"] = 1 //nolint:forcetypeassert // it is an object
		if schema.Validate(v) == nil {
			t.Errorf("%s: the schema takes anything", name)
		}
	}
}

func TestAReplayIsReadAtAGlance(t *testing.T) {
	var out strings.Builder
	if err := render.ReplayText(&out, replays()["everything"], render.TextOptions{Width: 60}); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		"|··············▒███       ----------|", // a gap is blank, and nothing is too short for a cell
		"not read: prometheus: refused", "at 60 of 600 looks nothing had been scraped",
		"ttft-high  1m: 1x 30m   2x 90m  -",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Error("a label steers the terminal")
	}
	for line := range strings.Lines(got) {
		if n := len([]rune(line)); n > 61 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	out.Reset()
	if err := render.ReplayText(&out, replays()["everything"], render.TextOptions{Width: 120}); err != nil {
		t.Fatal(err)
	}

	if !strings.Contains(out.String(), "  ttft-high    sequence cap too low 0.91,") {
		t.Errorf("the causes are not told:\n%s", out.String())
	}
}

// A rule that fired holds while nobody can tell; that is not shown as harm that goes on.
func TestASymptomThatNobodySawEndIsUnknown(t *testing.T) {
	r := replays()["everything"]
	e := &r.Episodes[0]
	e.End, e.Ended, e.LastTrue, e.Seconds = nil, replay.Running, e.Onset.Add(time.Hour), 6*3600
	var out strings.Builder
	if err := render.ReplayText(&out, r, render.TextOptions{Width: 120}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "unknown from 08:12:44") {
		t.Error(out.String())
	}
}

func TestAReplayInMarkdownEscapesWhatServersSay(t *testing.T) {
	var out strings.Builder
	if err := render.ReplayMarkdown(&out, replays()["everything"]); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, "target-down") && strings.Count(line, " | ") != 6 {
			t.Errorf("a label breaks the table: %s", line)
		}
	}
	if strings.Contains(out.String(), "\x1b") {
		t.Error("a control character went through")
	}
}

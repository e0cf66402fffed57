package render_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/render"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func textOf(t *testing.T, r *model.Report, o render.TextOptions) string {
	t.Helper()
	var b strings.Builder
	if err := render.Text(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func jsonOf(t *testing.T, r *model.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := render.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	b, err := render.Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTextLooksAsItDid(t *testing.T) {
	for name, r := range samples() {
		golden(t, name+".txt", []byte(textOf(t, r, render.TextOptions{})))
	}
	for _, w := range []int{60, 80, 120, 200} {
		golden(t, fmt.Sprintf("degraded_%d.txt", w), []byte(textOf(t, report(degraded()), render.TextOptions{Width: w})))
	}
	golden(t, "several_colour.txt", []byte(textOf(t, samples()["several"], render.TextOptions{Colour: true})))
}

func TestMarkdownLooksAsItDid(t *testing.T) {
	for name, r := range samples() {
		var b bytes.Buffer
		if err := render.Markdown(&b, r); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".md", b.Bytes())
	}
}

func TestJSONLooksAsItDid(t *testing.T) {
	for _, name := range []string{"degraded", "abstained", "several"} {
		golden(t, name+".json", jsonOf(t, samples()[name]))
	}
	s, err := render.Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "schema.json", s)
}

func TestNoLineIsWiderThanAsked(t *testing.T) {
	for name, r := range samples() {
		for _, w := range []int{40, 60, 80, 120, 200} {
			for _, l := range strings.Split(textOf(t, r, render.TextOptions{Width: w, Colour: true}), "\n") {
				if got := lipgloss.Width(l); got > w {
					t.Errorf("%s at %d columns: a line has %d:\n%s", name, w, got, l)
				}
			}
		}
	}
}

func TestColourOnlyAddsColour(t *testing.T) {
	for name, r := range samples() {
		plain := textOf(t, r, render.TextOptions{})
		if strings.Contains(plain, "\x1b") {
			t.Errorf("%s: escape codes without colour", name)
		}
		coloured := textOf(t, r, render.TextOptions{Colour: true})
		if len(r.Targets) > 0 && !strings.Contains(coloured, "\x1b[") {
			t.Errorf("%s: no colour", name)
		}
		if diff := cmp.Diff(plain, stripColour(coloured)); diff != "" {
			t.Errorf("%s: colour changes the text:\n%s", name, diff)
		}
	}
}

func stripColour(s string) string {
	var b strings.Builder
	for {
		head, rest, ok := strings.Cut(s, "\x1b[")
		b.WriteString(head)
		if !ok {
			return b.String()
		}
		_, s, _ = strings.Cut(rest, "m")
	}
}

func TestHostileLabelsStayText(t *testing.T) {
	r := report(hostile())
	var markdown strings.Builder
	if err := render.Markdown(&markdown, r); err != nil {
		t.Fatal(err)
	}
	for form, s := range map[string]string{"text": textOf(t, r, render.TextOptions{}), "markdown": markdown.String()} {
		if !utf8.ValidString(s) {
			t.Errorf("%s is not UTF-8", form)
		}
		for _, bad := range []string{"\x1b", "\x07", "\r", "\u202e", "\x00", "\nHEALTHY"} {
			if strings.Contains(s, bad) {
				t.Errorf("%s lets %q through", form, bad)
			}
		}
	}
	outside := stripCode(markdown.String())
	for _, bad := range []string{"<", "](http", " | ", "@everyone", "#1", "http://", "www.evil", "*b*", "__c__", "\n- item", "\n---", "**: - ", "**: # "} {
		if i := strings.Index(outside, bad); i >= 0 && (i == 0 || outside[i-1] != '\\') {
			t.Errorf("markdown lets %q through:\n%s", bad, outside[max(0, i-40):min(len(outside), i+40)])
		}
	}
}

// stripCode drops code spans, in which nothing is markup.
func stripCode(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			b.WriteString(s[i : i+2])
			i++
			continue
		}
		if s[i] != '`' {
			b.WriteByte(s[i])
			continue
		}
		n := len(s[i:]) - len(strings.TrimLeft(s[i:], "`"))
		end := strings.Index(s[i+n:], s[i:i+n])
		if end < 0 {
			return b.String() + s[i:]
		}
		i += n + end + n - 1
	}
	return b.String()
}

func TestRenderedReportsFulfilTheSchema(t *testing.T) {
	s := schema(t)
	for name, r := range samples() {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonOf(t, r)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaRefusesWhatBreaksTheContract(t *testing.T) {
	s := schema(t)
	target := func(d map[string]any) map[string]any { return d["targets"].([]any)[0].(map[string]any) }
	cause := func(d map[string]any) map[string]any { return target(d)["causes"].([]any)[0].(map[string]any) }
	change := func(d map[string]any, i int) map[string]any { return cause(d)["changes"].([]any)[i].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"another version":              func(d map[string]any) { d["version"] = "2" },
		"a status nobody knows":        func(d map[string]any) { target(d)["status"] = "fine" },
		"no status":                    func(d map[string]any) { delete(target(d), "status") },
		"null for a list":              func(d map[string]any) { target(d)["symptoms"] = nil },
		"a score above one":            func(d map[string]any) { cause(d)["score"] = json.Number("1.2") },
		"a score in words":             func(d map[string]any) { cause(d)["score"] = "high" },
		"a field nobody promised":      func(d map[string]any) { cause(d)["vibe"] = "good" },
		"a knob without from":          func(d map[string]any) { delete(change(d, 0), "from") },
		"a number for a knob's value":  func(d map[string]any) { change(d, 0)["to"] = json.Number("64") },
		"a flag on what is no knob":    func(d map[string]any) { change(d, 1)["flag"] = "--x" },
		"a time that is none":          func(d map[string]any) { d["generated_at"] = "yesterday" },
		"a bound by nobody":            func(d map[string]any) { target(d)["bound_by"] = "magic" },
		"a change that moves sideways": func(d map[string]any) { change(d, 0)["verify"].(map[string]any)["expect"] = "sideways" },
	} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsonOf(t, report(degraded()))))
		if err != nil {
			t.Fatal(err)
		}
		spoil(doc.(map[string]any))
		if err := s.Validate(doc); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestSchemaDescribesEveryField(t *testing.T) {
	b, err := render.Schema()
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
	root.Defs["Report"] = root.node
	for _, typ := range slices.Sorted(maps.Keys(root.Defs)) {
		for field, n := range root.Defs[typ].Properties {
			if n.Description == "" {
				t.Errorf("%s.%s has no description", typ, field)
			}
		}
	}
}

func TestNumbersThatAreNoneBecomeAbsent(t *testing.T) {
	d := degraded()
	nan, inf := math.NaN(), math.Inf(1)
	d.UnknownScore, d.Causes[0].Score = nan, nan
	d.Impact = model.Impact{RequestsPerSecondHurt: &nan, TokensPerSecondLost: &inf}
	d.Symptoms[0].Evidence[0].Value = &nan
	d.Symptoms[0].HeldSeconds = inf
	d.Changed = []model.Change{{What: "arrival_rate", From: nan, To: float32(2), At: at}}
	b := string(jsonOf(t, report(d)))
	for _, want := range []string{`"requests_per_s_hurt": null`, `"tokens_per_s_lost": null`, `"from": null,`, `"unknown_score": 0,`} {
		if !strings.Contains(b, want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	textOf(t, report(d), render.TextOptions{})
}

func TestRenderingLeavesTheReportAlone(t *testing.T) {
	r, same := samples()["several"], samples()["several"]
	jsonOf(t, r)
	textOf(t, r, render.TextOptions{})
	if diff := cmp.Diff(same, r); diff != "" {
		t.Error(diff)
	}
}

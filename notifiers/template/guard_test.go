package template_test

import (
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/template"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

func simple(name string) model.Diagnosis {
	return model.Diagnosis{
		Name: name, Target: map[string]string{"instance": name, "team": "{{ .Key }}"}, Status: model.Degraded,
		Symptoms: []model.Symptom{{ID: "queue", Title: "requests wait", Severity: model.Critical, Evidence: []model.Evidence{{Text: "53 wait"}}}},
		Causes:   []model.Cause{{ID: "cap", Title: "cap too low", Score: 0.97, Primary: true}},
	}
}

func TestAUsersFileReplacesOneTemplateAndLeavesTheOthers(t *testing.T) {
	s := load(t, map[string]string{"ours.tmpl": `{{define "title"}}[{{upper .Severity}}] {{.Worst.Name}} {{index .Labels "group"}}{{end}}`})
	d := s.Data(templatetest.Message(plan.First, simple("a:8000")), 1)
	title, err := s.Render(template.Title, d)
	if err != nil || title != "[CRITICAL] a:8000 chat" {
		t.Errorf("title %q, %v", title, err)
	}
	text, err := s.Render(template.Text, d)
	if err != nil || !strings.HasPrefix(text, "[CRITICAL] a:8000 chat\n") || !strings.Contains(text, "Hurts: requests wait: 53 wait") {
		t.Errorf("text %q, %v: want the new title over the built-in rest", text, err)
	}
}

func TestFaultsInUsersFilesAreFoundAtLoad(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"syntax":                    {"{{define \"title\"}}\n{{.Worst.Name}", "a.tmpl:2"},
		"a field nobody has":        {`{{define "title"}}{{.Wrost.Name}}{{end}}`, "Wrost"},
		"a field deep in a branch":  {`{{define "slack.reply"}}{{if eq .Reason "verified"}}{{.Outcome.Nope}}{{end}}{{end}}`, "Nope"},
		"a function nobody defined": {`{{define "title"}}{{env "HOME"}}{{end}}`, `"env" not defined`},
		"a template nobody defined": {`{{define "title"}}{{template "ttile" .}}{{end}}`, "ttile"},
	} {
		if _, err := try(map[string]string{"a.tmpl": c.text}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	_, err := try(map[string]string{"a.tmpl": `{{define "title"}}{{.A}}{{end}}`, "b.tmpl": `{{define "text"}}{{.B}}{{end}}`})
	if err == nil || !strings.Contains(err.Error(), ".A") || !strings.Contains(err.Error(), ".B") {
		t.Errorf("two files with a fault each: %v: want both", err)
	}
}

// Each of these passes the try at load, because it goes wrong only with the data of the night.
func TestATemplateThatFailsYieldsTheBuiltInWords(t *testing.T) {
	for name, text := range map[string]string{
		"an unknown label":          `{{if eq .Key "night"}}{{.Labels.nope}}{{end}}`,
		"an index out of range":     `{{if eq .Key "night"}}{{index .Targets 7}}{{end}}`,
		"a range without an end":    `{{if eq .Key "night"}}{{range 1000000000000}}{{end}}{{end}}`,
		"a template calling itself": `{{template "again" .}}{{define "again"}}{{if eq .Key "night"}}{{template "again" .}}{{end}}{{end}}`,
		"a string that doubles":     `{{if eq .Key "night"}}{{$s := "xxxxxxxx"}}{{range 60}}{{$s = print $s $s}}{{end}}{{$s}}{{end}}`,
		"a list used as a number":   `{{if eq .Key "night"}}{{lt .Recovered 3}}{{end}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := load(t, map[string]string{"a.tmpl": `{{define "text"}}` + strings.SplitN(text, "{{define", 2)[0] + `{{end}}` + defines(text)})
			m := templatetest.Message(plan.First, simple("a:8000"))
			m.Key = "night"
			began := time.Now()
			got, err := s.Render(template.Text, s.Data(m, 1))
			if err == nil {
				t.Error("no error for the log")
			}
			if !strings.Contains(got, "Hurts: requests wait: 53 wait") {
				t.Errorf("got %q, want the built-in text", got)
			}
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

func defines(text string) string {
	if i := strings.Index(text, "{{define"); i >= 0 {
		return text[i:]
	}
	return ""
}

func TestOutputIsCutWithAMark(t *testing.T) {
	s := load(t, map[string]string{"a.tmpl": `{{define "text"}}{{range 10000}}né {{$.Key}} {{end}}{{end}}`})
	got, err := s.Render(template.Text, s.Data(templatetest.Message(plan.First, simple("a")), 1))
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > 64<<10 || !strings.HasSuffix(got, "(cut at 64 KiB)") || strings.Contains(got, "\ufffd") {
		t.Errorf("%d bytes ending in %q", len(got), got[len(got)-40:])
	}
}

func TestValuesAreInsertedAsTheyAreAndNeverRun(t *testing.T) {
	s := load(t, map[string]string{"a.tmpl": `{{define "title"}}{{.Worst.Name}} {{.Worst.Labels.team}}{{end}}`})
	got, err := s.Render(template.Title, s.Data(templatetest.Message(plan.First, simple(`{{.Key}}{{template "text" .}}`)), 1))
	if err != nil || got != `{{.Key}}{{template "text" .}} {{ .Key }}` {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestAUsersSlackTemplateCannotForgetToEscape(t *testing.T) {
	s := load(t, map[string]string{"a.tmpl": `{{define "slack.lead"}}*{{.Worst.Name}}* {{code .Worst.Name}} <https://x.example|page>{{end}}`})
	name := "<!channel> @here <http://evil|fix> *b* & `x`"
	got, err := s.Render("slack.lead", s.Data(templatetest.Message(plan.First, simple(name)), 1))
	if err != nil {
		t.Fatal(err)
	}
	want := "*&lt;!channel&gt; @\u200bhere &lt;http:\u200b//evil|fix&gt; ∗b∗ &amp; ˋxˋ* " +
		"`&lt;!channel&gt; @here &lt;http://evil|fix&gt; *b* &amp; 'x'` <https://x.example|page>"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestCutsLeaveWholeEntitiesAndCodeSpans(t *testing.T) {
	for in, want := range map[string]string{
		"abcdef":         "abcdef",
		"abcd&amp;efgh":  "abcd…",
		"ab `cdefgh` ij": "ab `cd`…",
		"ééééééééééé":    "éééééé…",
	} {
		if got := template.Cut(in, 8); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

package template_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/template"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got+"\n"); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func load(t *testing.T, files map[string]string) *template.Set {
	t.Helper()
	s, err := try(files)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func try(files map[string]string) (*template.Set, error) {
	fs := fstest.MapFS{}
	for n, text := range files {
		fs[n] = &fstest.MapFile{Data: []byte(text)}
	}
	return template.Load(template.Options{FS: fs, Files: []string{"*.tmpl"}, Link: func(m plan.Message) string { return "https://inferdx.example/m/" + m.ID }})
}

func outcome() *plan.Outcome {
	return &plan.Outcome{
		Target: map[string]string{"instance": "h200-0:8000"}, Cause: "max-num-seqs-too-low", Change: "--max-num-seqs 8 -> 64", Verdict: "improved",
		Why: "the load was the same before and after", Lines: []string{"TTFT P99 13 s -> 0.3 s", "waiting 53 -> 0"},
	}
}

func TestMessagesReadAsPeopleNeedThem(t *testing.T) {
	d := templatetest.New(t)
	cap8, kv, dead, stall := d.Diagnose(t, "seqs8-c64"), d.Diagnose(t, "b_kv_small"), d.Diagnose(t, "j_down"), d.Diagnose(t, "eager-c8")
	messages := map[string]plan.Message{
		"first":         templatetest.Message(plan.First, cap8),
		"several":       templatetest.Message(plan.First, append([]model.Diagnosis{dead, kv, stall}, templatetest.Many(cap8, 30)...)...),
		"worse":         templatetest.Message(plan.Worse, kv),
		"cause_changed": templatetest.Message(plan.CauseChanged, kv),
		"reminder":      templatetest.Message(plan.Reminder, dead),
		"resolved":      templatetest.Message(plan.Resolved, cap8, kv),
		"gone":          templatetest.Message(plan.Resolved, cap8),
		"verified":      templatetest.Message(plan.Verified, cap8),
		"test":          templatetest.Message(plan.Test),
	}
	gone, verified, reminder := messages["gone"], messages["verified"], messages["reminder"]
	gone.Gone, verified.Outcome = true, outcome()
	reminder.Acknowledged = &plan.Acknowledgement{By: "ana", At: templatetest.At}
	messages["gone"], messages["verified"], messages["reminder"] = gone, verified, reminder
	s := load(t, nil)
	for name, m := range messages {
		t.Run(name, func(t *testing.T) {
			data := s.Data(m, 3)
			for _, form := range []string{template.Text, template.Markdown} {
				got, err := s.Render(form, data)
				if err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+form, got)
			}
			title, err := s.Render(template.Title, data)
			if err != nil || strings.Contains(title, "\n") || title == "" {
				t.Errorf("title %q, %v: want one line", title, err)
			}
		})
	}
}

func TestAMessageLeadsToTheTracesOfWhatHurts(t *testing.T) {
	s, slow := load(t, nil), 12.9
	m := templatetest.Message(plan.First, model.Diagnosis{Target: map[string]string{"instance": "a:8000"}, Symptoms: []model.Symptom{{ID: "s"}}})
	m.Diagnoses[0].Examples = []model.Example{
		{TraceID: "fe13a156f97f517270466fc1fb9ffe2d", Link: "https://jaeger.example/trace/fe13", Shows: model.SlowFirstToken, TTFT: &slow},
		{TraceID: "ce397b1113d8f895834027fcb5c57083", Shows: model.SlowFirstToken, TTFT: &slow},
	}
	data := s.Data(m, 1)
	for form, in := range map[string]any{"text": data, "markdown": data, "slack.target.evidence": data.Targets[0]} {
		got, err := s.Render(form, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"13 s to the first token", "https://jaeger.example/trace/fe13", "ce397b1113d8f895834027fcb5c57083"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", form, want, got)
			}
		}
	}
}

// Package templatetest makes messages out of real recordings, for the tests of every notifier.
package templatetest

import (
	"fmt"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// At is when every message was decided.
var At = time.Date(2026, 11, 24, 3, 12, 44, 0, time.UTC)

// Diagnoser reads recordings of the corpus.
type Diagnoser struct {
	c *content.Content
	p *pipeline.Pipeline
}

// New loads the built-in rules and playbooks.
func New(t testing.TB) *Diagnoser {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &Diagnoser{c, pipeline.New(c, corpus.Behind(), engine.Fit{})}
}

// Diagnose gives what is said of the degraded or dead server of a recording. Times are moved so that
// the last scrape was At, and what hurts fires, as in a service that has watched for longer.
func (d *Diagnoser) Diagnose(t testing.TB, id string) model.Diagnosis {
	t.Helper()
	f, err := corpus.Recordings().Open(id + "/metrics.om.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	st, err := recording.Read(id, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	about := scenario(t, id)
	end := time.UnixMilli(int64(about.End * 1000)).UTC()
	report := d.p.Diagnose(st, pipeline.Request{At: end, Window: 5 * time.Minute, Args: about.Args})
	for _, x := range report.Targets {
		if x.Status == model.Degraded || x.Status == model.Down {
			return moved(x, At.Sub(end))
		}
	}
	t.Fatalf("nothing hurts in %s", id)
	return model.Diagnosis{}
}

type about struct {
	End  float64  `yaml:"end"`
	Args []string `yaml:"args"`
}

func scenario(t testing.TB, id string) about {
	t.Helper()
	f, err := corpus.Recordings().Open(id + "/scenario.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var a about
	if err := yaml.NewDecoder(f).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

func moved(d model.Diagnosis, by time.Duration) model.Diagnosis {
	if d.Onset != nil {
		o := d.Onset.Add(by)
		d.Onset = &o
	}
	for i := range d.Changed {
		d.Changed[i].At = d.Changed[i].At.Add(by)
	}
	for i := range d.Symptoms {
		d.Symptoms[i].Since, d.Symptoms[i].State = d.Symptoms[i].Since.Add(by), model.Firing
	}
	if !d.Span.First.IsZero() {
		d.Span.First, d.Span.Last = d.Span.First.Add(by), d.Span.Last.Add(by)
	}
	return d
}

// Message wraps diagnoses as the plan would.
func Message(reason plan.Reason, ds ...model.Diagnosis) plan.Message {
	m := plan.Message{
		ID: "msg-" + string(reason), Receiver: "oncall", Key: `{group="chat"}`, Number: 1, Reason: reason, Severity: model.Warning,
		At: At, Onset: At.Add(-12 * time.Minute), GroupLabels: map[string]string{"group": "chat"}, Diagnoses: ds, Deadline: At.Add(time.Hour),
	}
	for _, d := range ds {
		for _, s := range d.Symptoms {
			if s.Severity.Rank() > m.Severity.Rank() {
				m.Severity = s.Severity
			}
		}
	}
	if reason != plan.First {
		m.Number = 2
	}
	return m
}

// Many copies a diagnosis onto n servers.
func Many(d model.Diagnosis, n int) []model.Diagnosis {
	var out []model.Diagnosis
	for i := range n {
		c := d
		name := fmt.Sprintf("h200-%d:8000", i)
		c.Name, c.Target = name, map[string]string{"job": "vllm", "instance": name}
		out = append(out, c)
	}
	return out
}

package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

var begin = time.Date(2026, 11, 2, 3, 0, 0, 0, time.UTC)

// target is one server: severity "" is healthy, "pending" has a symptom that pages nobody yet.
func target(instance string, s model.Severity, cause string) model.Diagnosis {
	d := model.Diagnosis{
		Target: map[string]string{"instance": instance, "model_name": "chat"}, Scope: model.ScopeTarget,
		Engine: model.EngineInfo{Name: "vllm"}, Status: model.Healthy, Name: instance,
	}
	if s == "" {
		return d
	}
	d.Status, d.Fingerprint = model.Degraded, instance+cause
	d.Symptoms = []model.Symptom{{ID: "queue-growing", Severity: s, State: model.Firing, Since: begin}}
	if s == "pending" {
		d.Symptoms[0].Severity, d.Symptoms[0].State = model.Critical, model.Pending
	}
	if cause != "" {
		d.Causes = []model.Cause{{ID: cause, Primary: true, Score: 0.9}}
	}
	return d
}

func policy() *plan.Policy {
	return &plan.Policy{
		Route: plan.Route{
			Receiver: "oncall", GroupBy: []string{"model_name"},
			GroupWait: 30 * time.Second, GroupInterval: 5 * time.Minute, RepeatInterval: 4 * time.Hour,
		},
		Receivers: map[string]plan.Receiver{"oncall": {SendResolved: true}},
	}
}

// history runs evaluations and writes down what was sent when.
type history struct {
	t    *testing.T
	p    *plan.Policy
	sent plan.Sent
	at   time.Duration
	out  []string
	all  []plan.Message
	last plan.Decision
}

func (h *history) next(in plan.Input) {
	h.t.Helper()
	in.At = begin.Add(h.at)
	h.last = plan.Next(h.sent, h.p, in)
	again := plan.Next(h.sent, h.p, in)
	if diff := cmp.Diff(h.last.Messages, again.Messages); diff != "" {
		h.t.Errorf("asked twice, the answers differ: %s", diff)
	}
	h.sent = h.last.Sent
	for _, m := range h.last.Messages {
		text := fmt.Sprintf("%v %s", h.at, m.Reason)
		if len(m.Recovered) > 0 {
			text += "(" + strings.Join(m.Recovered, ",") + ")"
		}
		if m.Gone {
			text += "(gone)"
		}
		h.out = append(h.out, text)
	}
	h.all = append(h.all, h.last.Messages...)
}

// run evaluates every 15 s. A word is COUNTxLETTERS; each letter is one server: h healthy, i info, w warning,
// c critical, o warning with another cause, p pending, u unknown, x held, - gone.
func (h *history) run(script string, change func(*plan.Input)) {
	for _, word := range strings.Fields(script) {
		var n int
		var letters string
		if _, err := fmt.Sscanf(word, "%dx%s", &n, &letters); err != nil {
			h.t.Fatal(word, err)
		}
		for range n {
			in := servers(letters)
			if change != nil {
				change(&in)
			}
			h.next(in)
			h.at += 15 * time.Second
		}
	}
}

func servers(letters string) plan.Input {
	var in plan.Input
	for i, l := range letters {
		name := string(rune('a' + i))
		d := target(name, map[rune]model.Severity{'i': model.Info, 'w': model.Warning, 'o': model.Warning, 'c': model.Critical, 'p': "pending"}[l], "cap")
		switch l {
		case 'o':
			d = target(name, model.Warning, "memory")
		case 'u':
			d.Status = model.Unknown
		case 'x':
			in.Held = append(in.Held, plan.Entity{Scope: d.Scope, Target: d.Target})
			continue
		case '-':
			continue
		}
		in.Diagnoses = append(in.Diagnoses, d)
	}
	return in
}

func TestAMessageGoesOutForAReason(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"healthy servers are not worth a word", "50xhh", ""},
		{"a problem is told after group_wait", "10xw", "30s first"},
		{"pending symptoms page nobody", "50xp", ""},
		{"what is over is told a group_interval after the last message", "4xw 30xh", "30s first; 5m30s resolved(a)"},
		{"a short recovery is no news", "4xw 4xh 30xw", "30s first"},
		{"severity that rises is told at once", "4xw 10xc", "30s first; 1m0s worse"},
		{"severity that falls and rises again is no news", "4xc 3xw 10xc", "30s first"},
		{"another server waits for group_interval", "4xwh 30xww", "30s first; 5m30s worse"},
		{"another server that is worse does not", "4xwh 3xwc", "30s first; 1m0s worse"},
		{"another cause has to last", "4xw 1xo 1xw 1xo 30xw", "30s first"},
		{"another cause is told after group_interval", "4xw 30xo", "30s first; 5m30s cause_changed"},
		{"the same is said again after repeat_interval", "970xw", "30s first; 4h0m30s reminder"},
		{"one of two recovers: it is named in the next message", "4xwwh 10xhww 30xhwc", "30s first; 3m30s worse(a)"},
		{"nobody can tell: nothing ends, nothing is repeated", "4xw 2000xx 3xw", "30s first; 8h21m0s reminder"},
		{"a server of which nothing is known has not recovered", "4xw 100xu", "30s first"},
		{"a server with pending symptoms has not recovered", "4xw 100xp", "30s first"},
		{"a server that left is gone, not recovered", "4xw 100x-", "30s first; 5m30s resolved(gone)"},
		{"one recovered, one left: the end is a recovery", "4xww 100xh-", "30s first; 5m30s resolved(a)"},
		{"a problem that comes back is a new one, and not too soon", "4xw 20xh 10xw 200xh", "30s first; 5m30s resolved(a)"},
		{"a problem that comes back later is told", "4xw 40xh 30xw", "30s first; 5m30s resolved(a); 11m30s first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &history{t: t, p: policy()}
			h.run(c.in, nil)
			if diff := cmp.Diff(c.want, strings.Join(h.out, "; ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func all(t *testing.T, s string) matchers.Matchers {
	t.Helper()
	ms, err := matchers.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return ms
}

func TestFault49FlappingIsAtMostOneMessagePerGroupInterval(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run(strings.Repeat("4xw 4xh ", 60), nil)
	var before time.Time
	for _, m := range h.all {
		if !before.IsZero() && m.At.Sub(before) < 5*time.Minute {
			t.Errorf("%s at %v, %v after the last message", m.Reason, m.At, m.At.Sub(before))
		}
		before = m.At
	}
	if n := len(h.all); n < 2 || n > 24 {
		t.Errorf("%d messages in two hours", n)
	}
}

func TestFault50AThousandSymptomsOfOneCauseAreOneDiagnosis(t *testing.T) {
	p := policy()
	p.Route.GroupBy = []string{plan.AllLabels}
	group := target("", model.Critical, "cap")
	group.Scope, group.Target, group.Name = model.ScopeGroup, map[string]string{"model_name": "chat"}, "chat"
	in := plan.Input{Diagnoses: []model.Diagnosis{group}}
	for i := range 1000 {
		in.Diagnoses = append(in.Diagnoses, target(fmt.Sprintf("s%03d", i), model.Warning, "cap"))
	}
	for _, by := range [][]string{{plan.AllLabels}, {"model_name"}, nil} {
		p.Route.GroupBy = by
		h := &history{t: t, p: p}
		for range 3 {
			h.next(in)
			h.at += 15 * time.Second
		}
		if len(h.all) != 1 || len(h.all[0].Diagnoses) != 1 || h.all[0].Diagnoses[0].Scope != model.ScopeGroup {
			t.Errorf("group_by %v: %d messages: %v", by, len(h.all), h.out)
		}
	}
}

func TestFault51ALaterExplanationWithinGroupWaitIsOneMessage(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run("1xw 20xo", nil) // 20 s later the symptom is explained by something else
	if len(h.all) != 1 || h.all[0].Diagnoses[0].Causes[0].ID != "memory" {
		t.Errorf("messages: %v", h.out)
	}
}

func TestFault52WhatIsOverBeforeItWasToldIsNeverTold(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run("1xw 100xh", nil)
	if len(h.all) != 0 || len(h.sent) != 0 {
		t.Errorf("messages %v, remembered %d", h.out, len(h.sent))
	}
}

func TestFault53NobodyIsRemindedOfWhatIsAcknowledgedOrSilenced(t *testing.T) {
	taken := func(in *plan.Input) {
		in.Taken = map[string]plan.Taken{`oncall:{model_name="chat"}`: {By: "ana", At: begin.Add(time.Minute), Severity: model.Warning}}
	}
	h := &history{t: t, p: policy()}
	h.run("4xw", nil)
	h.run("2000xw", taken)
	if got := strings.Join(h.out, "; "); got != "30s first" || h.last.Suppressed["acknowledged"] != 1 {
		t.Errorf("acknowledged: %s, %v", got, h.last.Suppressed)
	}
	h.run("1xc", taken)
	if got := h.all[len(h.all)-1]; got.Reason != plan.Worse || got.Acknowledged == nil || got.Acknowledged.By != "ana" {
		t.Errorf("rising above the acknowledged severity: %+v", got)
	}

	h = &history{t: t, p: policy()}
	until := begin.Add(time.Hour)
	silence := func(in *plan.Input) {
		in.Silences = []plan.Silence{{Matchers: all(t, `instance="a"`), From: begin.Add(time.Minute), To: until}}
	}
	h.run("400xw", silence)
	if got := strings.Join(h.out, "; "); got != "30s first; 1h0m0s reminder" {
		t.Errorf("silenced: %s", got)
	}
}

func TestFault68NothingIsResolvedBeforeItFired(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run("1xw 3xh 4xw 30xh 10xw 40xh", nil)
	open := false
	for i, m := range h.all {
		if open != (m.Reason == plan.Resolved) {
			t.Errorf("message %d is %s: %v", i, m.Reason, h.out)
		}
		open = m.Reason != plan.Resolved
	}
	if len(h.all) < 2 {
		t.Errorf("messages: %v", h.out)
	}
}

package plan_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

var t0 = time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)

// ill is a diagnosis with a symptom that fires; cause "" abstains.
func ill(instance string, severity model.Severity, cause string) model.Diagnosis {
	onset := t0.Add(-time.Minute)
	d := model.Diagnosis{
		Target: map[string]string{"job": "vllm", "instance": instance, "model_name": "m"}, Scope: model.ScopeTarget,
		Status: model.Degraded, Onset: &onset,
		Symptoms: []model.Symptom{{ID: "requests-queueing", Severity: severity, State: model.Firing}},
	}
	if cause != "" {
		d.Causes = []model.Cause{{ID: cause, Score: 0.9, Primary: true}}
	}
	return d
}

func well(instance string) model.Diagnosis {
	d := ill(instance, model.Warning, "")
	d.Status, d.Onset, d.Symptoms = model.Healthy, nil, nil
	return d
}

// office is a policy and what it has sent so far.
type office struct {
	t      *testing.T
	policy *plan.Policy
	sent   plan.Sent
	at     time.Time
	in     plan.Input // what holds beside diagnoses
	kept   map[plan.Suppression]int
}

func open(t *testing.T, change ...func(*plan.Route)) *office {
	r := &plan.Route{Receiver: "oncall", GroupBy: []string{"model_name"}, Wait: 30 * time.Second, Interval: 5 * time.Minute, Repeat: 4 * time.Hour, Deadline: time.Hour}
	for _, f := range change {
		f(r)
	}
	return &office{t: t, policy: &plan.Policy{Root: r}, at: t0}
}

// pass lets time go by with a look every 15 s, and gives the messages.
func (o *office) pass(d time.Duration, ds ...model.Diagnosis) []plan.Message {
	o.t.Helper()
	var out []plan.Message
	for end := o.at.Add(d); o.at.Before(end); o.at = o.at.Add(15 * time.Second) {
		out = append(out, o.look(ds...)...)
	}
	return out
}

func (o *office) look(ds ...model.Diagnosis) []plan.Message {
	o.t.Helper()
	in := o.in
	in.At, in.Diagnoses = o.at, ds
	d, again := plan.Next(o.sent, o.policy, in), plan.Next(o.sent, o.policy, in)
	if ids(d.Messages) != ids(again.Messages) {
		o.t.Errorf("deciding twice gives %s, then %s", ids(d.Messages), ids(again.Messages))
	}
	o.sent = plan.Sent{}
	for id, g := range d.Sent { // as after a restart
		text, err := g.Encode()
		if err != nil {
			o.t.Fatal(err)
		}
		if o.sent[id], err = plan.Decode(text); err != nil {
			o.t.Fatal(err)
		}
	}
	o.kept = d.Suppressed
	return d.Messages
}

func ids(ms []plan.Message) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.ID)
	}
	return fmt.Sprint(out)
}

func reasons(ms []plan.Message) string {
	var out []plan.Reason
	for _, m := range ms {
		out = append(out, m.Reason)
	}
	return fmt.Sprint(out)
}

func want(t *testing.T, ms []plan.Message, rs ...plan.Reason) {
	t.Helper()
	if got := reasons(ms); got != fmt.Sprint(rs) {
		t.Fatalf("got %s, want %s", got, fmt.Sprint(rs))
	}
}

func TestAProblemIsToldOnceAndThenItsEnd(t *testing.T) {
	o := open(t)
	ms := o.pass(10*time.Minute, ill("a", model.Warning, "over-capacity"))
	want(t, ms, plan.First)
	if m := ms[0]; m.At.Sub(t0) != 30*time.Second || m.Number != 1 || m.Key != `{model_name="m"}` || !m.Onset.Equal(t0.Add(-time.Minute)) || !m.Deadline.Equal(m.At.Add(time.Hour)) {
		t.Errorf("got %+v", m)
	}
	ms = o.pass(10*time.Minute, well("a"))
	want(t, ms, plan.Resolved)
	if m := ms[0]; m.Number != 2 || m.Gone || !slices.Equal(m.Recovered, []string{"a"}) || m.Diagnoses[0].Status != model.Degraded {
		t.Errorf("got %+v", m)
	}
}

func TestWhatOnlyPendsIsNotTold(t *testing.T) {
	d := ill("a", model.Critical, "over-capacity")
	d.Symptoms[0].State = model.Pending
	want(t, open(t).pass(time.Hour, d))
}

func TestWorseIsToldAtOnceAndANewTargetAfterTheInterval(t *testing.T) {
	o := open(t)
	want(t, o.pass(time.Minute, ill("a", model.Warning, "x")), plan.First)
	want(t, o.pass(15*time.Second, ill("a", model.Critical, "x")), plan.Worse)
	want(t, o.pass(4*time.Minute, ill("a", model.Critical, "x"), ill("b", model.Warning, "x")))
	want(t, o.pass(2*time.Minute, ill("a", model.Critical, "x"), ill("b", model.Warning, "x")), plan.Worse)
}

func TestAnotherCauseIsToldWhenItLasts(t *testing.T) {
	o := open(t)
	o.pass(6*time.Minute, ill("a", model.Warning, "x"))
	for range 10 {
		want(t, o.pass(15*time.Second, ill("a", model.Warning, "y")))
		want(t, o.pass(15*time.Second, ill("a", model.Warning, "x")))
	}
	want(t, o.pass(2*time.Minute, ill("a", model.Warning, "y")), plan.CauseChanged)
}

func TestATargetThatRecoversWhileOthersGoOnIsNamed(t *testing.T) {
	o := open(t)
	o.pass(6*time.Minute, ill("a", model.Warning, "x"), ill("b", model.Warning, "x"))
	ms := o.pass(time.Minute, ill("a", model.Warning, "x"), well("b"))
	want(t, ms, plan.Reminder)
	if !slices.Equal(ms[0].Recovered, []string{"b"}) || len(ms[0].Diagnoses) != 1 {
		t.Errorf("got %+v", ms[0])
	}
}

func TestAReminderComesAfterTheRepeatInterval(t *testing.T) {
	o := open(t)
	ms := o.pass(9*time.Hour, ill("a", model.Warning, "x"))
	want(t, ms, plan.First, plan.Reminder, plan.Reminder)
	if d := ms[1].At.Sub(ms[0].At); d != 4*time.Hour {
		t.Errorf("after %s", d)
	}
}

func TestATargetThatIsNotSeenNeitherRecoversNorIsGone(t *testing.T) {
	o := open(t)
	d := ill("a", model.Warning, "x")
	o.pass(6*time.Minute, d)
	o.in.Held = map[string]bool{plan.TargetID(d.Scope, d.Target): true}
	want(t, o.pass(time.Hour))
	o.in.Held = nil
	ms := o.pass(time.Minute)
	want(t, ms, plan.Resolved)
	if !ms[0].Gone || len(ms[0].Recovered) > 0 {
		t.Errorf("a target that is gone has not recovered: %+v", ms[0])
	}
}

func TestFault49FlappingIsOneMessageAnIntervalAtMost(t *testing.T) {
	o := open(t)
	var ms []plan.Message
	for range 60 {
		ms = append(ms, o.pass(30*time.Second, ill("a", model.Warning, "x"))...)
		ms = append(ms, o.pass(30*time.Second, well("a"))...)
	}
	if len(ms) > 13 {
		t.Errorf("%d messages in an hour: %s", len(ms), reasons(ms))
	}
	for i := 1; i < len(ms); i++ {
		if d := ms[i].At.Sub(ms[i-1].At); d < 5*time.Minute {
			t.Errorf("%s and %s are %s apart", ms[i-1].Reason, ms[i].Reason, d)
		}
	}
}

func TestFault50AThousandSymptomsOfOneCauseAreOneMessage(t *testing.T) {
	o := open(t)
	ds := []model.Diagnosis{ill("all", model.Critical, "x")}
	ds[0].Scope, ds[0].Target = model.ScopeGroup, map[string]string{"model_name": "m"}
	for i := range 1000 {
		ds = append(ds, ill(fmt.Sprint("s", i), model.Warning, "x"))
	}
	ms := o.pass(10*time.Minute, ds...)
	want(t, ms, plan.First)
	if len(ms[0].Diagnoses) != 1 || ms[0].Diagnoses[0].Scope != model.ScopeGroup {
		t.Errorf("%d diagnoses", len(ms[0].Diagnoses))
	}
}

func TestFault51ACauseThatComesTwentySecondsLaterIsInTheSameMessage(t *testing.T) {
	o := open(t)
	want(t, o.pass(15*time.Second, ill("a", model.Warning, "x")))
	ms := o.pass(5*time.Minute, ill("a", model.Critical, "y"))
	want(t, ms, plan.First)
	if ms[0].Severity != model.Critical || ms[0].Diagnoses[0].Causes[0].ID != "y" {
		t.Errorf("got %+v", ms[0])
	}
}

func TestFault52WhatEndsBeforeItWasToldIsNotTold(t *testing.T) {
	o := open(t)
	want(t, o.pass(15*time.Second, ill("a", model.Warning, "x")))
	want(t, o.pass(time.Hour, well("a")))
	if len(o.sent) != 0 {
		t.Errorf("still remembers %v", o.sent)
	}
}

func TestFault53AnAcknowledgedProblemIsRepeatedOnlyWhenItGetsWorse(t *testing.T) {
	o := open(t)
	o.pass(time.Minute, ill("a", model.Warning, "x"))
	o.in.Acknowledged = map[string]plan.Ack{`{model_name="m"}`: {Acknowledgement: plan.Acknowledgement{By: "ann", At: o.at}, Severity: model.Warning}}
	want(t, o.pass(12*time.Hour, ill("a", model.Warning, "x")))
	if o.kept[plan.Acknowledged] != 1 {
		t.Errorf("kept back: %v", o.kept)
	}
	ms := o.pass(time.Minute, ill("a", model.Critical, "x"))
	want(t, ms, plan.Worse)
	if ms[0].Acknowledged == nil || ms[0].Acknowledged.By != "ann" {
		t.Errorf("nobody is said to look after it: %+v", ms[0].Acknowledged)
	}
}

func TestFault53ASilenceThatEndsLetsWhatGoesOnBeToldAgain(t *testing.T) {
	o := open(t)
	o.pass(6*time.Minute, ill("a", model.Warning, "x"))
	m, err := matchers.New("instance", matchers.Equal, "a")
	if err != nil {
		t.Fatal(err)
	}
	o.in.Silences = []plan.Silence{{Matchers: matchers.Matchers{m}, From: o.at, To: o.at.Add(time.Hour)}}
	want(t, o.pass(time.Hour, ill("a", model.Critical, "x")))
	if o.kept[plan.Silenced] != 1 {
		t.Errorf("kept back: %v", o.kept)
	}
	want(t, o.pass(15*time.Second, ill("a", model.Warning, "x")), plan.Reminder)
}

func TestNothingIsSentInMutedHoursAndWhatLastsIsSentAfterwards(t *testing.T) {
	night := until{t0.Add(2 * time.Hour)}
	o := open(t, func(r *plan.Route) { r.Muted = []plan.Hours{night} })
	want(t, o.pass(2*time.Hour, ill("a", model.Warning, "x")))
	if o.kept[plan.Muted] != 1 {
		t.Errorf("kept back: %v", o.kept)
	}
	want(t, o.pass(15*time.Second, ill("a", model.Warning, "x")), plan.First)
}

type until struct{ time.Time }

func (u until) Contains(at time.Time) bool { return at.Before(u.Time) }

func TestInhibitionKeepsTheConsequenceBackAndNotTheCause(t *testing.T) {
	o := open(t, func(r *plan.Route) { r.GroupBy = []string{"instance"} })
	match := func(text string) matchers.Matchers {
		ms, err := matchers.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return ms
	}
	o.policy.Inhibit = []plan.Inhibition{{Source: match(`severity="critical"`), Target: match(`severity=~"critical|warning"`), Equal: []string{"model_name"}}}
	ms := o.pass(time.Hour, ill("a", model.Critical, "x"), ill("b", model.Warning, "y"))
	want(t, ms, plan.First)
	if ms[0].Diagnoses[0].Target["instance"] != "a" || o.kept[plan.Inhibited] != 1 {
		t.Errorf("got %+v, kept back %v", ms[0].GroupLabels, o.kept)
	}
}

func TestAVerifiedChangeIsToldToWhoWasToldOfTheProblemEvenAfterItsEnd(t *testing.T) {
	o := open(t)
	o.pass(6*time.Minute, ill("a", model.Warning, "x"))
	want(t, o.pass(time.Minute, well("a")), plan.Resolved)
	o.in.Outcomes = []plan.Outcome{{Target: map[string]string{"job": "vllm", "instance": "a", "model_name": "m"}, Verdict: "improved"}}
	ms := o.look(well("a"))
	want(t, ms, plan.Verified)
	if ms[0].Number != 3 || ms[0].Outcome.Verdict != "improved" {
		t.Errorf("got %+v", ms[0])
	}
	o.in.Outcomes[0].Target["instance"] = "b"
	want(t, o.look(well("a")))
}

func TestAProblemThatGoesToAnotherReceiverIsNotCalledOver(t *testing.T) {
	ms, err := matchers.Parse(`severity="critical"`)
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, func(r *plan.Route) {
		pager := *r
		pager.Receiver, pager.Matchers = "pager", ms
		r.Routes = []*plan.Route{&pager}
	})
	o.pass(6*time.Minute, ill("a", model.Warning, "x"))
	got := o.pass(time.Minute, ill("a", model.Critical, "x"))
	want(t, got, plan.Resolved, plan.First)
	if got[0].Note == "" || len(got[0].Recovered) > 0 || got[0].Gone || got[1].Receiver != "pager" {
		t.Errorf("got %+v", got)
	}
}

func TestNothingIsDecidedWhileTooLittleHasBeenSeen(t *testing.T) {
	o := open(t)
	o.pass(6*time.Minute, ill("a", model.Warning, "x"))
	o.in.Warming = true
	want(t, o.pass(time.Minute))
	o.in.Warming = false
	want(t, o.pass(time.Minute, ill("a", model.Warning, "x")))
}

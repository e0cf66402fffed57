package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// until is hours that end.
type until time.Time

func (u until) Contains(at time.Time) bool { return at.Before(time.Time(u)) }

func TestMutedHoursKeepEverythingBackAndTellTheRestThen(t *testing.T) {
	p := policy()
	p.Route.Mute = []plan.Hours{until(begin.Add(10 * time.Minute))}
	h := &history{t: t, p: p}
	h.run("4xwhc 4xhhw 1xhww", nil)
	if h.last.Suppressed["mute_time_interval"] != 2 {
		t.Errorf("suppressed: %v", h.last.Suppressed)
	}
	h.run("40xhww", nil)
	if got := strings.Join(h.out, "; "); got != "10m0s first" || len(h.all[0].Diagnoses) != 2 {
		t.Errorf("messages: %s", got)
	}
}

func TestOutsideOfActiveHoursNothingIsSent(t *testing.T) {
	p := policy()
	p.Route.Active = []plan.Hours{until(begin.Add(time.Minute))}
	h := &history{t: t, p: p}
	h.run("4xh 20xc", nil)
	if len(h.out) != 0 || h.last.Suppressed["active_time_interval"] != 1 {
		t.Errorf("messages: %v, suppressed %v", h.out, h.last.Suppressed)
	}
}

func TestASourceThatFiresInhibitsItsTargetsAndNeverItself(t *testing.T) {
	p := policy()
	p.Inhibit = []plan.Inhibition{
		{Source: all(t, `severity="critical"`), Target: all(t, `severity="warning"`), Equal: []string{"model_name"}},
		{Source: all(t, `scope="target"`), Target: all(t, `scope="target"`)},
	}
	h := &history{t: t, p: p}
	h.run("4xcw", nil)
	if got := h.all; len(got) != 1 || len(got[0].Diagnoses) != 1 || got[0].Diagnoses[0].Name != "a" || h.last.Suppressed["inhibition"] != 1 {
		t.Errorf("messages: %v, suppressed %v", h.out, h.last.Suppressed)
	}
}

func TestRoutesAreWalkedAsAlertmanagerDoes(t *testing.T) {
	p := policy()
	p.Receivers["bus"], p.Receivers["log"] = plan.Receiver{SendResolved: true}, plan.Receiver{}
	log, bus := p.Route, p.Route
	log.Receiver, log.Matchers, log.Continue = "log", all(t, `symptoms=~".*,queue-growing,.*"`), true
	bus.Receiver, bus.Matchers = "bus", all(t, `severity="info"`)
	p.Route.Routes = []plan.Route{log, bus}
	h := &history{t: t, p: p}
	h.run("4xi 4xc 40xh", nil)
	var got []string
	for _, m := range h.all {
		got = append(got, m.Key+" "+string(m.Reason)+" "+string(m.Severity))
	}
	want := []string{
		`bus/{severity="info"}:{model_name="chat"} first info`,
		`log/{symptoms=~".*,queue-growing,.*"}:{model_name="chat"} first info`,
		`bus/{severity="info"}:{model_name="chat"} worse critical`,
		`log/{symptoms=~".*,queue-growing,.*"}:{model_name="chat"} worse critical`,
		`bus/{severity="info"}:{model_name="chat"} resolved critical`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAVerifiedChangeIsToldWhereItsProblemWas(t *testing.T) {
	outcome := plan.Outcome{Target: target("a", "", "").Target, Change: "--max-num-seqs 8 -> 64", Verdict: "improved"}
	h := &history{t: t, p: policy()}
	once := func(in *plan.Input) { in.Outcomes = []plan.Outcome{outcome} }
	h.run("1xw", once) // nobody was told of anything yet
	h.run("4xw", nil)
	h.run("1xw", once)
	h.run("40xh", nil)
	h.run("1xh", once)
	h.run("300xh", nil)
	want := "30s first; 1m15s verified; 5m30s resolved(a); 11m30s verified"
	if got := strings.Join(h.out, "; "); got != want {
		t.Errorf("messages: %s", got)
	}
	if m := h.all[1]; !m.Firing() || m.Outcome.Verdict != "improved" {
		t.Errorf("while it lasts: %+v", m)
	}
	if m := h.all[3]; m.Firing() || len(m.Diagnoses) != 1 {
		t.Errorf("after the end: %+v", m)
	}
	if len(h.sent) != 0 {
		t.Errorf("%d entries are left behind", len(h.sent))
	}
}

func TestNothingIsSentWhileWarmingAndNothingEnds(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run("4xw", nil)
	h.run("40xh 40xc", func(in *plan.Input) { in.Warming = true })
	h.run("1xw", nil)
	if got := strings.Join(h.out, "; "); got != "30s first" {
		t.Errorf("messages: %s", got)
	}
}

func TestAGroupRecoversWhenItsMembersAreSeenAndItIsNot(t *testing.T) {
	group := target("", model.Warning, "cap")
	group.Scope, group.Target = model.ScopeGroup, map[string]string{"model_name": "chat"}
	for in, want := range map[string]string{"h": "30s first; 5m30s resolved({model_name=\"chat\"})", "x": "30s first", "-": "30s first; 5m30s resolved(gone)"} {
		h := &history{t: t, p: policy()}
		group.Name = ""
		h.run("4xh", func(in *plan.Input) { in.Diagnoses = append(in.Diagnoses, group) })
		h.run("40x"+in, nil)
		if got := strings.Join(h.out, "; "); got != want {
			t.Errorf("members %s: %s", in, got)
		}
	}
}

func TestAReceiverThatWantsNoEndGetsNone(t *testing.T) {
	p := policy()
	p.Receivers["oncall"] = plan.Receiver{}
	h := &history{t: t, p: p}
	h.run("4xw 400xh", nil)
	if got := strings.Join(h.out, "; "); got != "30s first" || len(h.sent) != 0 {
		t.Errorf("messages: %s, %d entries left", got, len(h.sent))
	}
}

func TestAClockSetBackKeepsNobodyWaiting(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.at = time.Hour
	h.run("4xw", nil)
	h.at = 0
	h.run("30xww", nil)
	if got := strings.Join(h.out, "; "); got != "1h0m30s first; 5m0s worse" {
		t.Errorf("messages: %s", got)
	}
}

func TestOneBrokenEntryDoesNotCostTheOthers(t *testing.T) {
	h := &history{t: t, p: policy()}
	h.run("4xw", nil)
	type key struct{ Receiver, Key string }
	stored, err := plan.Stored[key](h.sent)
	if err != nil {
		t.Fatal(err)
	}
	stored[key{"oncall", "broken"}] = json.RawMessage("{")
	got, err := plan.Load(stored)
	if err == nil || len(got) != 1 {
		t.Errorf("%d entries, error %v", len(got), err)
	}
}

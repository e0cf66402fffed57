package plan_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// said is what a reader knows of one row of messages.
type said struct {
	open   bool
	number int
	last   time.Time
	peak   model.Severity
}

func TestEveryHistoryIsToldInOrderAndNotTooOften(t *testing.T) {
	silence := plan.Silence{Matchers: all(t, `instance=~".*"`)}
	rapid.Check(t, func(t *rapid.T) {
		p := policy()
		p.Route.GroupBy = rapid.SampledFrom([][]string{nil, {"instance"}, {plan.AllLabels}, {"cause"}, {"severity"}}).Draw(t, "by")
		p.Route.RepeatInterval = 20 * time.Minute
		var mutedUntil time.Time
		sent, at := plan.Sent{}, begin
		known, ids := map[string]*said{}, map[string]bool{}
		for range rapid.IntRange(1, 80).Draw(t, "evaluations") {
			at = at.Add(time.Duration(rapid.SampledFrom([]int{15, 15, 15, 60, 400}).Draw(t, "step")) * time.Second)
			in := servers(rapid.StringMatching("[hwwciopux-]{3}").Draw(t, "servers"))
			in.At, in.Warming = at, rapid.IntRange(0, 19).Draw(t, "warming") == 0
			silenced := rapid.IntRange(0, 9).Draw(t, "silenced") == 0
			if silenced {
				s := silence
				s.From, s.To = at, at.Add(time.Second)
				in.Silences = []plan.Silence{s}
			}
			if rapid.IntRange(0, 14).Draw(t, "mute") == 0 {
				mutedUntil = at.Add(3 * time.Minute)
			}
			p.Route.Mute = []plan.Hours{until(mutedUntil)}

			out := plan.Next(sent, p, in)
			stored, err := plan.Stored[plan.Slot](sent)
			if err != nil {
				t.Fatal(err)
			}
			read, err := plan.Load(stored)
			if err != nil {
				t.Fatal(err)
			}
			after := plan.Next(read, p, in)
			if diff := cmp.Diff(out.Messages, after.Messages); diff != "" {
				t.Fatalf("a restart changes what is said: %s", diff)
			}
			sent = out.Sent
			if len(out.Messages) > 0 && (silenced || in.Warming || at.Before(mutedUntil)) {
				t.Fatalf("%s although nothing may be sent", out.Messages[0].Reason)
			}
			for _, m := range out.Messages {
				hear(t, known, ids, p, m)
			}
		}
	})
}

// hear checks a message against all that was heard before.
func hear(t *rapid.T, known map[string]*said, ids map[string]bool, p *plan.Policy, m plan.Message) {
	k := known[m.Key]
	if k == nil {
		k = &said{}
		known[m.Key] = k
	}
	if ids[m.ID] {
		t.Fatalf("id %s twice", m.ID)
	}
	ids[m.ID] = true
	if k.open == (m.Reason == plan.First) {
		t.Fatalf("%s while open is %v", m.Reason, k.open)
	}
	rises := m.Reason != plan.Resolved && m.Severity.Rank() > k.peak.Rank()
	if !rises && !k.last.IsZero() && m.At.Sub(k.last) < p.Route.GroupInterval {
		t.Fatalf("%s %v after the last message", m.Reason, m.At.Sub(k.last))
	}
	if m.Reason == plan.First {
		k.number, k.peak = 0, ""
	}
	if k.number++; m.Number != k.number {
		t.Fatalf("number %d, want %d", m.Number, k.number)
	}
	if len(m.Diagnoses) == 0 {
		t.Fatalf("%s about nothing", m.Reason)
	}
	if m.Severity.Rank() > k.peak.Rank() {
		k.peak = m.Severity
	}
	k.open, k.last = m.Reason != plan.Resolved, m.At
}

package slack_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

func TestFault61BlocksThatSlackRefusesAreSentAsPlainText(t *testing.T) {
	for _, code := range []string{"invalid_blocks", "invalid_attachments", "msg_blocks_too_long"} {
		t.Run(code, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			var faults []string
			n := bot(t, s, func(o *slack.Options) { o.Fault = func(err error) { faults = append(faults, err.Error()) } })
			s.Refuse("chat.postMessage", 1, code)
			thread, err := n.Notify(context.Background(), templatetest.Message(plan.First, simple("a:8000")), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Messages("llm")[0].Text; !strings.Contains(got, "Hurts: requests wait: 53 wait") || !strings.Contains(got, "cap too low") {
				t.Errorf("got %q, want the whole message as text", got)
			}
			if len(faults) != 1 || !strings.Contains(faults[0], code) {
				t.Errorf("faults %q: want Slack's reason for the log", faults)
			}
			s.Refuse("chat.update", 1, code)
			if _, err := n.Notify(context.Background(), templatetest.Message(plan.Resolved, simple("a:8000")), thread); err != nil {
				t.Fatal(err)
			}
			if got := s.Messages("llm")[0]; !strings.HasPrefix(got.Text, "RESOLVED") || len(got.Buttons) != 0 {
				t.Errorf("after the end: %q with buttons %q", got.Text, got.Buttons)
			}
		})
	}
	t.Run("webhook", func(t *testing.T) {
		s := fast(t, slacktest.Options{})
		s.Fail("services", 1, 400, "invalid_blocks")
		n, err := slack.New(slack.Options{Webhook: slack.Literal(s.WebhookURL()), Pacer: slack.NewPacer(0)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := n.Notify(context.Background(), templatetest.Message(plan.First, simple("a:8000")), nil); err != nil {
			t.Fatal(err)
		}
		if got := s.Messages("llm")[0].Text; !strings.Contains(got, "Hurts: requests wait: 53 wait") {
			t.Errorf("got %q", got)
		}
	})
}

func TestFault67TwoHundredDiagnosesStayWithinTheBudgetAndTheWorstIsKept(t *testing.T) {
	long := strings.Repeat("a very long name & <more> ", 20)
	for name, ds := range map[string][]model.Diagnosis{
		"plain":            templatetest.Many(templatetest.New(t).Diagnose(t, "b_kv_small"), 200),
		"each its own":     distinct(200, ""),
		"with long labels": distinct(200, long),
	} {
		for _, key := range []string{`{group="chat"}`, strings.Repeat("k", 1900), strings.Repeat("k", 4000)} {
			t.Run(fmt.Sprintf("%s, key of %d", name, len(key)), func(t *testing.T) {
				s := fast(t, slacktest.Options{})
				m := templatetest.Message(plan.First, ds...)
				m.Key = key
				if _, err := bot(t, s, nil).Notify(context.Background(), m, nil); err != nil {
					t.Fatal(err)
				}
				got := s.Messages("llm")[0].Text
				worst := ds[0].Name[:6]
				if !strings.Contains(got, worst) || !strings.Contains(got, "*Turn first*") {
					t.Errorf("the worst is not told in full:\n%s", got)
				}
				if !strings.Contains(got, "and 197 more:") && !strings.Contains(got, "and 198 more:") && !strings.Contains(got, "and 199 more:") {
					t.Errorf("the omission is not stated:\n%s", got)
				}
				if n := utf8.RuneCountInString(got); n > 13_200 {
					t.Errorf("%d characters", n)
				}
			})
		}
	}
}

func distinct(n int, suffix string) []model.Diagnosis {
	var out []model.Diagnosis
	for i := range n {
		d := simple(fmt.Sprintf("gpu%03d %s", i, suffix))
		d.Symptoms = append([]model.Symptom{}, d.Symptoms...)
		for range 8 {
			d.Symptoms = append(d.Symptoms, model.Symptom{ID: "x", Title: "t " + suffix, Severity: model.Warning, Evidence: []model.Evidence{{Text: suffix}}})
		}
		c := d.Causes[0]
		c.Title = fmt.Sprintf("cause %d %s", i, suffix)
		c.Against = []model.Evidence{{Text: suffix}}
		d.Causes = []model.Cause{c}
		out = append(out, d)
	}
	return out
}

func TestLabelsCallNobodyAndLinkNowhere(t *testing.T) {
	evil := "<!channel> <@U123> @here <http://evil.example|fix it> https://evil.example *b* `c` & {{.Key}} \u202egnp\nsecond line"
	d := simple(evil)
	d.Target["team"] = evil
	d.Symptoms[0].Title, d.Symptoms[0].Evidence[0].Text = evil, evil
	d.Causes[0].Title, d.Causes[0].For[0].Text, d.Causes[0].Changes[0].Cost = evil, evil, evil
	d.Missing = []model.Missing{{Signal: evil, Needs: evil}}
	for _, reason := range []plan.Reason{plan.First, plan.Worse, plan.Reminder, plan.Resolved, plan.Verified} {
		s := fast(t, slacktest.Options{})
		m := templatetest.Message(reason, d, d, d, d, d)
		m.Recovered, m.Acknowledged = []string{evil}, &plan.Acknowledgement{By: evil, At: templatetest.At}
		m.Outcome = &plan.Outcome{Target: d.Target, Cause: evil, Change: evil, Verdict: "improved", Why: evil, Lines: []string{evil}}
		thread, err := bot(t, s, nil).Notify(context.Background(), withID(templatetest.Message(plan.First, d), "f"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := bot(t, s, nil).Notify(context.Background(), m, thread); err != nil {
			t.Fatal(err)
		}
		s.Refuse("chat.postMessage", 1, "invalid_blocks")
		quiet := bot(t, s, func(o *slack.Options) { o.Fault = nil })
		if _, err := quiet.Notify(context.Background(), withID(m, "plain"), nil); err != nil {
			t.Fatal(err)
		}
		for _, x := range s.Messages("llm") {
			if len(x.Mentions) > 0 {
				t.Errorf("%s calls %q:\n%s", reason, x.Mentions, x.Text)
			}
			for _, bad := range []string{"https://evil", "http://evil", " @here", "\u202e"} {
				if strings.Contains(withoutCode(x.Text), bad) {
					t.Errorf("%s shows %q:\n%s", reason, bad, x.Text)
				}
			}
		}
	}
}

func withoutCode(s string) string {
	parts := strings.Split(s, "`")
	var out []string
	for i := 0; i < len(parts); i += 2 {
		out = append(out, parts[i])
	}
	return strings.Join(out, "")
}

func TestButtonsOfferOnlyWhatCanBeAnswered(t *testing.T) {
	s := fast(t, slacktest.Options{})
	n := bot(t, s, nil)
	unnamed := simple("a")
	unnamed.Causes[0].Primary = false
	acked := templatetest.Message(plan.First, simple("a"))
	acked.Acknowledged = &plan.Acknowledgement{By: "ana", At: templatetest.At}
	gone := templatetest.Message(plan.Resolved, simple("a"))
	gone.Gone = true
	for _, c := range []struct {
		name string
		in   plan.Message
		want string
	}{
		{"a named cause", templatetest.Message(plan.First, simple("a")), "acknowledge silence applied helped did_not_help"},
		{"no cause", templatetest.Message(plan.First, unnamed), "acknowledge silence"},
		{"taken on", acked, "silence applied helped did_not_help"},
		{"over", templatetest.Message(plan.Resolved, simple("a")), "helped did_not_help"},
		{"gone", gone, ""},
		{"a test", templatetest.Message(plan.Test), ""},
	} {
		before := len(s.Messages("llm"))
		if _, err := n.Notify(context.Background(), withID(c.in, c.name), nil); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, b := range s.Messages("llm")[before].Buttons {
			got = append(got, strings.TrimPrefix(b, "inferdx_"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

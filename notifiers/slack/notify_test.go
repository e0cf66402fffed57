package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

// simple is a diagnosis that takes no rules to make.
func simple(name string) model.Diagnosis {
	to := "64"
	return model.Diagnosis{
		Name: name, Target: map[string]string{"instance": name}, Status: model.Degraded, Scope: model.ScopeTarget,
		Symptoms: []model.Symptom{{ID: "queue", Title: "requests wait", Severity: model.Critical, State: model.Firing, Evidence: []model.Evidence{{Text: "53 wait"}}}},
		Causes: []model.Cause{{
			ID: "cap", Title: "cap too low", Score: 0.97, Primary: true, For: []model.Evidence{{Text: "running stays at 8"}}, RecordingsBehind: 5,
			Changes: []model.Action{{Kind: model.KindKnob, When: "rollout", Flag: "--max-num-seqs", To: &to, Cost: "more KV", Restart: true}},
		}},
	}
}

func reasonOf(t *testing.T, err error) *notifiers.Error {
	t.Helper()
	var e *notifiers.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a *notifiers.Error", err)
	}
	return e
}

func lines(s *slacktest.Server) []string {
	var out []string
	for _, l := range s.Log() {
		head, _, _ := strings.Cut(l, ":")
		out = append(out, head)
	}
	return out
}

func TestEachAnswerOfSlackMeansWhatItSaysForTheNextTry(t *testing.T) {
	type want struct {
		Reason     notifiers.Reason
		Final      bool
		RetryAfter time.Duration
	}
	for _, c := range []struct {
		name string
		in   func(*slacktest.Server)
		want want
	}{
		{"429 waits as told", func(s *slacktest.Server) { s.RateLimit(1, 30*time.Second) }, want{notifiers.RateLimited, false, 30 * time.Second}},
		{"500 is tried again", func(s *slacktest.Server) { s.Fail("", 1, 500, "<html>") }, want{notifiers.ServerError, false, 0}},
		{"503 is tried again", func(s *slacktest.Server) { s.Fail("", 1, 503, "") }, want{notifiers.ServerError, false, 0}},
		{"400 is final", func(s *slacktest.Server) { s.Fail("", 1, 400, "") }, want{notifiers.ClientError, true, 0}},
		{"a redirect is final and not followed", func(s *slacktest.Server) { s.Fail("", 1, 307, "") }, want{notifiers.ClientError, true, 0}},
		{"401 is final", func(s *slacktest.Server) { s.Fail("", 1, 401, "") }, want{notifiers.AuthError, true, 0}},
		{"an unknown channel is final", func(s *slacktest.Server) { s.Refuse("", 1, "channel_not_found") }, want{notifiers.ClientError, true, 0}},
		{"an archived channel is final", func(s *slacktest.Server) { s.Archive("llm") }, want{notifiers.ClientError, true, 0}},
		{"a token that was replaced is final", func(s *slacktest.Server) { s.Rotate("xoxb-other") }, want{notifiers.AuthError, true, 0}},
		{"a revoked token is final", func(s *slacktest.Server) { s.Refuse("", 1, "token_revoked") }, want{notifiers.AuthError, true, 0}},
		{"a missing scope is final", func(s *slacktest.Server) { s.Refuse("", 1, "missing_scope") }, want{notifiers.AuthError, true, 0}},
		{"Slack's own trouble is tried again", func(s *slacktest.Server) { s.Refuse("", 1, "internal_error") }, want{notifiers.ServerError, false, 0}},
		{"a limit in words is tried again", func(s *slacktest.Server) { s.Refuse("", 1, "ratelimited") }, want{notifiers.RateLimited, false, time.Second}},
		{"an answer that is no JSON is tried again", func(s *slacktest.Server) { s.Fail("", 1, 200, "<html>") }, want{notifiers.Other, false, 0}},
		{"a lost answer is tried again", func(s *slacktest.Server) { s.Lose("", 1) }, want{notifiers.Other, false, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			n, token := bot(t, s, nil), s.Token()
			c.in(s)
			_, err := n.Notify(context.Background(), templatetest.Message(plan.First, simple("a:8000")), nil)
			e := reasonOf(t, err)
			if diff := cmp.Diff(c.want, want{e.Reason, e.Final, e.RetryAfter}); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if e.Disable || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "xoxb-") {
				t.Errorf("%v: disables or tells a secret", err)
			}
		})
	}
}

func TestAWebhooksAnswers(t *testing.T) {
	type want struct {
		Reason         notifiers.Reason
		Final, Disable bool
		RetryAfter     time.Duration
	}
	for _, c := range []struct {
		name string
		in   func(*slacktest.Server)
		want want
	}{
		{"taken away", func(s *slacktest.Server) { s.RemoveWebhook(404) }, want{notifiers.ClientError, true, true, 0}},
		{"gone", func(s *slacktest.Server) { s.RemoveWebhook(410) }, want{notifiers.ClientError, true, true, 0}},
		{"a proxy's 404 disables nothing", func(s *slacktest.Server) { s.Fail("", 1, 404, "not here") }, want{notifiers.ClientError, true, false, 0}},
		{"forbidden", func(s *slacktest.Server) { s.Fail("", 1, 403, "action_prohibited") }, want{notifiers.AuthError, true, false, 0}},
		{"too many", func(s *slacktest.Server) { s.RateLimit(1, 7*time.Second) }, want{notifiers.RateLimited, false, false, 7 * time.Second}},
		{"trouble", func(s *slacktest.Server) { s.Fail("", 1, 500, "rollup_error") }, want{notifiers.ServerError, false, false, 0}},
		{"lost", func(s *slacktest.Server) { s.Lose("", 1) }, want{notifiers.Other, false, false, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			c.in(s)
			n, err := slack.New(slack.Options{Webhook: slack.Literal(s.WebhookURL())})
			if err != nil {
				t.Fatal(err)
			}
			_, err = n.Notify(context.Background(), templatetest.Message(plan.First, simple("a:8000")), nil)
			e := reasonOf(t, err)
			if diff := cmp.Diff(c.want, want{e.Reason, e.Final, e.Disable, e.RetryAfter}); diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if strings.Contains(err.Error(), "fakewebhooksecret") || strings.Contains(fmt.Sprintf("%+v", errors.Unwrap(e)), "fakewebhooksecret") {
				t.Errorf("%v: the URL is a secret", err)
			}
		})
	}
}

func TestAnAddressThatCannotBeReachedIsNotPrinted(t *testing.T) {
	for _, to := range []string{"http://127.0.0.1:1/services/T0/B0/fakewebhooksecret", "fakewebhooksecret://x", "http://[fakewebhooksecret"} {
		n, err := slack.New(slack.Options{Webhook: slack.Literal(to)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Notify(context.Background(), templatetest.Message(plan.Test), nil)
		if err == nil || strings.Contains(err.Error(), "fakewebhooksecret") {
			t.Errorf("%v: want an error without the address", err)
		}
	}
}

func TestAHangEndsWithTheContext(t *testing.T) {
	for name, c := range map[string]struct {
		end  func() (context.Context, context.CancelFunc)
		want notifiers.Reason
	}{
		"deadline": {func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 50*time.Millisecond)
		}, notifiers.DeadlineReached},
		"cancelled": {func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(50*time.Millisecond, cancel)
			return ctx, cancel
		}, notifiers.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			s.Hang(2)
			ctx, cancel := c.end()
			defer cancel()
			began := time.Now()
			_, err := bot(t, s, nil).Notify(ctx, templatetest.Message(plan.Test), nil)
			if e := reasonOf(t, err); e.Reason != c.want || e.Final || time.Since(began) > 5*time.Second {
				t.Errorf("%v after %s, want %s", err, time.Since(began), c.want)
			}
		})
	}
}

func TestAnEndlessAnswerIsNotReadToItsEnd(t *testing.T) {
	s := fast(t, slacktest.Options{})
	s.Fail("", 1, 200, `{"ok":true,"channel":"`+strings.Repeat("x", 4<<20)+`"}`)
	if _, err := bot(t, s, nil).Notify(context.Background(), templatetest.Message(plan.Test), nil); err == nil {
		t.Error("an answer of 4 MiB was read in full")
	}
}

func TestARotatedTokenIsTakenUp(t *testing.T) {
	s := fast(t, slacktest.Options{})
	file := filepath.Join(t.TempDir(), "token")
	put := func(token string) {
		if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(s.Token())
	n := bot(t, s, func(o *slack.Options) { o.Token = slack.FromFile(file) })
	thread, err := n.Notify(context.Background(), templatetest.Message(plan.First, simple("a")), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Rotate("xoxb-new")
	put("xoxb-new")
	if _, err := n.Notify(context.Background(), templatetest.Message(plan.Resolved, simple("a")), thread); err != nil {
		t.Errorf("after the rotation: %v", err)
	}
}

func TestABrokenDeliveryGoesOnWhereItStopped(t *testing.T) {
	first := templatetest.Message(plan.First, simple("a"))
	worse := templatetest.Message(plan.Worse, simple("a"))
	whole := []string{"rings  #llm post", "silent #llm reply", "silent #llm edit", "rings  #llm reply to all"}
	for name, in := range map[string]func(*slacktest.Server){
		"nothing breaks":            func(*slacktest.Server) {},
		"the first post is refused": func(s *slacktest.Server) { s.Fail("chat.postMessage", 1, 500, "") },
		"every call fails once":     func(s *slacktest.Server) { s.Fail("chat.update", 1, 500, ""); s.RateLimit(1, time.Second) },
		"the evidence is refused":   func(s *slacktest.Server) { s.Fail("chat.postMessage", 0, 500, ""); s.Lose("chat.update", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			in(s)
			var thread json.RawMessage
			for _, m := range []plan.Message{first, worse} {
				for try := 0; ; try++ {
					n := bot(t, s, nil) // a process of its own each time
					var err error
					thread, err = n.Notify(context.Background(), m, thread)
					if err == nil {
						break
					}
					if notifiers.Final(err) || try == 5 {
						t.Fatal(err)
					}
				}
			}
			got := lines(s)
			got = compact(got, "silent #llm edit")
			if diff := cmp.Diff(whole, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// compact drops repetitions of what may be repeated.
func compact(in []string, what string) []string {
	var out []string
	for i, l := range in {
		if i == 0 || l != what || in[i-1] != what {
			out = append(out, l)
		}
	}
	return out
}

func TestAFailedReplyDoesNotRepeatTheRoot(t *testing.T) {
	s := fast(t, slacktest.Options{Every: time.Hour, Burst: 1}) // the second post within the hour is refused
	m := templatetest.Message(plan.First, simple("a"))
	thread, err := bot(t, s, nil).Notify(context.Background(), m, nil)
	if e := reasonOf(t, err); e.Reason != notifiers.RateLimited || thread == nil {
		t.Fatalf("thread %s, %v: want a receipt of the root beside the error", thread, err)
	}
	again, err := bot(t, s, nil).Notify(context.Background(), m, thread)
	if err == nil {
		t.Fatal("the channel took more than one message an hour")
	}
	if diff := cmp.Diff(string(thread), string(again)); diff != "" {
		t.Errorf("the receipt changed without a delivery:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"rings  #llm post"}, lines(s)); diff != "" {
		t.Error(diff)
	}
}

// A process that dies between a post and its receipt knows nothing of the post.
func TestAPostWhoseReceiptWasLost(t *testing.T) {
	later := func(o *slack.Options) { o.Now = func() time.Time { return templatetest.At.Add(10 * time.Second) } }
	m := templatetest.Message(plan.First, simple("a"))
	for name, c := range map[string]struct {
		scopes  []string
		channel string
		want    []string
	}{
		"is found where the history may be read": {[]string{"channels:history"}, "C001", []string{"rings  #llm post", "silent #llm reply"}},
		"is repeated once where it may not":      {nil, "C001", []string{"rings  #llm post", "rings  #llm post", "silent #llm reply"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := fast(t, slacktest.Options{Scopes: c.scopes})
			s.Lose("chat.postMessage", 1)
			thread, err := bot(t, s, nil).Notify(context.Background(), m, nil)
			if err == nil {
				t.Fatal("the answer was not lost")
			}
			thread, err = bot(t, s, later).Notify(context.Background(), m, thread)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, lines(s)); diff != "" {
				t.Error(diff)
			}
			s.Lose("chat.postMessage", 1)
			worse := withID(templatetest.Message(plan.Worse, simple("a")), "w")
			before := len(s.Log())
			if thread, err = bot(t, s, nil).Notify(context.Background(), worse, thread); err == nil {
				t.Fatal("the answer was not lost")
			}
			if _, err = bot(t, s, later).Notify(context.Background(), worse, thread); err != nil {
				t.Fatal(err)
			}
			replies := 0
			for _, l := range lines(s)[before:] {
				if strings.Contains(l, "reply") {
					replies++
				}
			}
			if want := len(c.want) - 1; replies != want {
				t.Errorf("%d replies, want %d", replies, want)
			}
		})
	}
}

func TestAMessageThatSomebodyDeletedIsPostedAnew(t *testing.T) {
	for _, reason := range []plan.Reason{plan.Worse, plan.Resolved, plan.Verified} {
		t.Run(string(reason), func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			n := bot(t, s, nil)
			thread, err := n.Notify(context.Background(), templatetest.Message(plan.First, simple("a")), nil)
			if err != nil {
				t.Fatal(err)
			}
			s.Delete("llm", s.Messages("llm")[0].TS)
			m := templatetest.Message(reason, simple("a"))
			m.Outcome = &plan.Outcome{Target: map[string]string{"instance": "a"}, Change: "--x 1 -> 2", Verdict: "improved", Why: "it is"}
			if thread, err = n.Notify(context.Background(), m, thread); err != nil {
				t.Fatal(err)
			}
			got := s.Messages("llm")
			root := got[len(got)-1]
			if root.Thread != "" {
				t.Errorf("the last message is a reply:\n%s", s.Transcript())
			}
			if !strings.Contains(string(thread), root.TS) {
				t.Errorf("receipt %s does not name the new message %s", thread, root.TS)
			}
		})
	}
}

func TestBlocksThatSlackRefusesAreSentAsPlainText(t *testing.T) {
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

func TestMessagesOfOneChannelKeepASecondApart(t *testing.T) {
	every := 60 * time.Millisecond
	s := fast(t, slacktest.Options{Every: every, Burst: 1})
	pace := slack.NewPacer(every + 5*time.Millisecond)
	a := bot(t, s, func(o *slack.Options) { o.Pacer = pace })
	b := bot(t, s, func(o *slack.Options) { o.Pacer = pace })
	errs := make(chan error)
	for i, n := range []*slack.Notifier{a, b, a, b} {
		go func() {
			_, err := n.Notify(context.Background(), withID(templatetest.Message(plan.First, simple("a")), fmt.Sprint(i)), nil)
			errs <- err
		}()
	}
	for range 4 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

func TestAfterA429NothingIsSentUntilSlackWantsIt(t *testing.T) {
	s := fast(t, slacktest.Options{})
	s.RateLimit(1, 60*time.Second)
	n := bot(t, s, nil)
	m := templatetest.Message(plan.Test)
	if _, err := n.Notify(context.Background(), m, nil); err == nil {
		t.Fatal("no error")
	}
	asked := s.Requests("chat.postMessage")
	_, err := n.Notify(context.Background(), m, nil)
	if e := reasonOf(t, err); e.Reason != notifiers.RateLimited || e.RetryAfter < 50*time.Second || e.Final {
		t.Errorf("got %+v", e)
	}
	if s.Requests("chat.postMessage") != asked {
		t.Error("Slack was asked again before the minute was over")
	}
}

func TestTwoHundredDiagnosesStayWithinTheBudgetAndTheWorstIsKept(t *testing.T) {
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

// withoutCode drops code spans, in which nothing links or calls.
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

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for _, o := range []slack.Options{
		{}, {Token: slack.Literal("x")}, {Token: slack.Literal("x"), Webhook: slack.Literal("y"), Channel: "#c"},
	} {
		if _, err := slack.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

package slack_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

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

func TestFault65AnEndlessAnswerIsNotReadToItsEnd(t *testing.T) {
	s := fast(t, slacktest.Options{})
	s.Fail("", 1, 200, `{"ok":true,"channel":"`+strings.Repeat("x", 4<<20)+`"}`)
	if _, err := bot(t, s, nil).Notify(context.Background(), templatetest.Message(plan.Test), nil); err == nil {
		t.Error("an answer of 4 MiB was read in full")
	}
}

// compact drops repetitions of what may be repeated.

// A process that dies between a post and its receipt knows nothing of the post.

func TestMessagesOfOneChannelKeepASecondApart(t *testing.T) {
	every := 200 * time.Millisecond
	s := fast(t, slacktest.Options{Every: every, Burst: 1})
	pace := slack.NewPacer(every + 300*time.Millisecond) // a busy machine delays requests unevenly
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

// withoutCode drops code spans, in which nothing links or calls.

func TestOptionsThatCannotWorkAreRefused(t *testing.T) {
	for _, o := range []slack.Options{
		{}, {Token: slack.Literal("x")}, {Token: slack.Literal("x"), Webhook: slack.Literal("y"), Channel: "#c"},
	} {
		if _, err := slack.New(o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

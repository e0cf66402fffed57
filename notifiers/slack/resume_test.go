package slack_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

func lines(s *slacktest.Server) []string {
	var out []string
	for _, l := range s.Log() {
		head, _, _ := strings.Cut(l, ":")
		out = append(out, head)
	}
	return out
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

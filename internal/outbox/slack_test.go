package outbox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/outbox"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/store"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
)

// The whole way to a Slack that wants to be left alone a thousand times: the problem and its end arrive,
// once each and in this order. Time is the bubble's, the Slack is outside of it.
func TestFault59AThousandRefusalsOfSlackLoseNothing(t *testing.T) {
	workspace := slacktest.New(slacktest.Options{Token: "xoxb-1", Every: -1})
	t.Cleanup(workspace.Close)
	workspace.RateLimit(1000, 30*time.Second)
	inBubble(t, func(t *testing.T, s *store.Store) {
		// A connection that is kept is read from all the time, and time would stand still.
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		n, err := slack.New(slack.Options{Token: slack.Literal("xoxb-1"), Channel: "#llm", APIURL: workspace.APIURL(), Client: client})
		must(t, err)
		first := notifiertest.Message()
		first.Receiver, first.Deadline = "oncall", time.Now().Add(24*time.Hour)
		end := first
		end.ID, end.Number, end.Reason, end.At = first.ID+"-end", first.Number+1, plan.Resolved, first.At.Add(time.Minute)
		must(t, s.Enqueue(t.Context(), time.Now(), first, end))
		_, drain := start(t, outbox.Options{Queue: s, Receivers: []outbox.Receiver{{Name: "oncall", Integration: "slack", Notifier: n}}, Poll: time.Hour})
		time.Sleep(23 * time.Hour)
		drain()
		all, err := s.Notifications(t.Context(), store.NotificationQuery{})
		must(t, err)
		for _, x := range all {
			if x.State != store.Delivered {
				t.Errorf("%s is %s after %d attempts: %s", x.Message.Reason, x.State, x.Attempts, x.LastError)
			}
		}
	})
	ms := workspace.Messages("#llm")
	if len(ms) == 0 || !strings.Contains(ms[0].Text, "RESOLVED") || strings.Count(strings.Join(workspace.Log(), "\n"), "#llm post") != 1 {
		t.Errorf("the channel shows %v\n%s", ms, strings.Join(workspace.Log(), "\n"))
	}
	if n := workspace.Requests("chat.postMessage"); n < 1000 {
		t.Errorf("%d requests", n)
	}
}

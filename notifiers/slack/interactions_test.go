package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

// ear keeps what people answered.
type ear struct {
	mu    sync.Mutex
	heard []notifiers.Answer
	fail  error
}

func (e *ear) answer(_ context.Context, a notifiers.Answer) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.fail == nil {
		e.heard = append(e.heard, a)
	}
	return e.fail
}

func (e *ear) all() []notifiers.Answer {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]notifiers.Answer{}, e.heard...)
}

func interactions(t *testing.T, s *slacktest.Server, answer func(context.Context, notifiers.Answer) error) (*slack.Interactions, *httptest.Server) {
	t.Helper()
	i, err := slack.NewInteractions(slack.InteractionOptions{
		SigningSecret: slack.Literal(s.SigningSecret()), AppToken: slack.Literal(s.AppToken()), APIURL: s.APIURL(), Answer: answer,
		Fault: func(err error) {
			if strings.Contains(err.Error(), s.SigningSecret()) || strings.Contains(err.Error(), s.AppToken()) {
				t.Errorf("a secret in %v", err)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(i)
	t.Cleanup(h.Close)
	return i, h
}

// posted puts a first message into the channel and gives its timestamp.
func posted(t *testing.T, s *slacktest.Server) string {
	t.Helper()
	if _, err := bot(t, s, nil).Notify(context.Background(), templatetest.Message(plan.First, simple("a:8000")), nil); err != nil {
		t.Fatal(err)
	}
	return s.Messages("llm")[0].TS
}

func TestPressesBecomeAnswersAndAreShown(t *testing.T) {
	s, e := fast(t, slacktest.Options{}), &ear{}
	i, h := interactions(t, s, e.answer)
	s.SendTo(h.URL)
	ts := posted(t, s)
	want := []notifiers.Answer{
		{Kind: notifiers.Acknowledge},
		{Kind: notifiers.Silence, For: time.Hour},
		{Kind: notifiers.Applied, Cause: "cap"},
		{Kind: notifiers.Helped, Cause: "cap"},
		{Kind: notifiers.DidNotHelp, Cause: "cap"},
	}
	for _, w := range want {
		if err := s.Press("llm", ts, "inferdx_"+string(w.Kind), "ana"); err != nil {
			t.Fatal(err)
		}
		i.Wait()
	}
	got := e.all()
	for k := range got {
		if time.Since(got[k].At) > time.Minute {
			t.Errorf("answered at %s", got[k].At)
		}
		got[k].At = time.Time{}
	}
	for k := range want {
		want[k].Key, want[k].Receiver, want[k].User = `{group="chat"}`, "oncall", "ana"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	m := s.Messages("llm")[0]
	for _, say := range []string{"👀 ana looks after it since", "🔕 ana silenced it until", "🔧 ana applied the change", "👎 ana says that it did not help", "*Turn first*"} {
		if !strings.Contains(m.Text, say) {
			t.Errorf("the message does not say %q:\n%s", say, m.Text)
		}
	}
	if strings.Contains(m.Text, "says that it helped") {
		t.Errorf("both helped and did not help stand there:\n%s", m.Text)
	}
	if diff := cmp.Diff([]string{"inferdx_silence", "inferdx_applied", "inferdx_helped", "inferdx_did_not_help"}, m.Buttons); diff != "" {
		t.Error(diff)
	}
}

func TestRequestsThatAreNotSlacksAreRefused(t *testing.T) {
	s, e := fast(t, slacktest.Options{}), &ear{}
	_, h := interactions(t, s, e.answer)
	ts := posted(t, s)
	payload, err := s.Payload("llm", ts, "inferdx_acknowledge", "eve")
	if err != nil {
		t.Fatal(err)
	}
	signed := func(at time.Time) *http.Request {
		r, err := s.Signed(h.URL, payload, at)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	now := time.Now()
	good := signed(now)
	again := signed(now)
	loud := signed(now)
	loud.Header.Set("X-Slack-Signature", "v0="+strings.ToUpper(strings.TrimPrefix(loud.Header.Get("X-Slack-Signature"), "v0=")))
	forged := signed(now.Add(-time.Second))
	forged.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("ab", 32))
	moved := signed(now.Add(-2 * time.Second))
	moved.Header.Set("X-Slack-Request-Timestamp", "1")
	none := signed(now.Add(-3 * time.Second))
	none.Header.Del("X-Slack-Signature")
	long := signed(now)
	long.Body, long.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", 2<<20))), 2<<20
	get, err := http.NewRequest(http.MethodGet, h.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		in   *http.Request
		want int
	}{
		{"a signed press is heard", good, 200},
		{"the same press again is a replay", again, 401},
		{"and so it is in capitals", loud, 401},
		{"a forged signature", forged, 401},
		{"another time than was signed", moved, 401},
		{"no signature", none, 401},
		{"older than five minutes", signed(now.Add(-6 * time.Minute)), 401},
		{"from the future", signed(now.Add(6 * time.Minute)), 401},
		{"too long", long, 413},
		{"a visitor", get, 405},
	} {
		res, err := http.DefaultClient.Do(c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_ = res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s: status %d, want %d", c.name, res.StatusCode, c.want)
		}
	}
	if n := len(e.all()); n != 1 {
		t.Errorf("%d answers were heard, want the one signed", n)
	}
}

func TestAPressThatCannotBeRecordedIsToldToThePersonAlone(t *testing.T) {
	for name, answer := range map[string]func(context.Context, notifiers.Answer) error{
		"the store fails": func(context.Context, notifiers.Answer) error { return errors.New("disk full") },
		"the store hangs": func(context.Context, notifiers.Answer) error { select {} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fast(t, slacktest.Options{})
			i, h := interactions(t, s, answer)
			s.SendTo(h.URL)
			ts := posted(t, s)
			if err := s.Press("llm", ts, "inferdx_acknowledge", "ana"); err != nil {
				t.Errorf("Slack was not answered in time: %v", err)
			}
			i.Wait()
			ms := s.Messages("llm")
			last := ms[len(ms)-1]
			if last.OnlyFor != "ana" || !strings.Contains(last.Text, "could not record") {
				t.Errorf("ana was told %+v", last)
			}
			if strings.Contains(ms[0].Text, "looks after") {
				t.Error("the message claims what was not recorded")
			}
		})
	}
}

func TestAButtonThatIsNotOursMeansNothing(t *testing.T) {
	s, e := fast(t, slacktest.Options{}), &ear{}
	_, h := interactions(t, s, e.answer)
	ts := posted(t, s)
	payload, err := s.Payload("llm", ts, "inferdx_acknowledge", "ana")
	if err != nil {
		t.Fatal(err)
	}
	for at, change := range []func(action map[string]any){
		func(a map[string]any) { a["action_id"] = "deploy" },
		func(a map[string]any) { a["action_id"] = "inferdx_reboot" },
		func(a map[string]any) { a["value"] = "no json" },
		func(a map[string]any) { a["value"] = "{}" },
	} {
		var p map[string]any
		if err := json.Unmarshal(payload, &p); err != nil {
			t.Fatal(err)
		}
		change(p["actions"].([]any)[0].(map[string]any))
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Signed(h.URL, b, time.Now().Add(time.Duration(at)*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != 200 {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	if got := e.all(); len(got) > 0 {
		t.Errorf("heard %+v", got)
	}
}

func TestAPressIsNotAnsweredAtAStrangersAddress(t *testing.T) {
	var called bool
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer stranger.Close()
	s, e := fast(t, slacktest.Options{}), &ear{}
	i, h := interactions(t, s, e.answer)
	payload, err := s.Payload("llm", posted(t, s), "inferdx_acknowledge", "ana")
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]any
	if err := json.Unmarshal(payload, &p); err != nil {
		t.Fatal(err)
	}
	p["response_url"] = stranger.URL
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Signed(h.URL, b, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	i.Wait()
	if called || len(e.all()) != 1 {
		t.Errorf("called %v, heard %d", called, len(e.all()))
	}
}

func TestButtonsThroughSocketMode(t *testing.T) {
	s, e := fast(t, slacktest.Options{}), &ear{}
	i, _ := interactions(t, s, e.answer)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	ts := posted(t, s)
	connected := func(after int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); s.Connected() == 0 || s.Requests("apps.connections.open") < after; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("no connection")
			}
		}
	}
	connected(1)
	if err := s.Press("llm", ts, "inferdx_acknowledge", "ana"); err != nil {
		t.Fatal(err)
	}
	s.Disconnect()
	connected(2)
	var err error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = s.Press("llm", ts, "inferdx_helped", "bo"); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatalf("after Slack asked to connect anew: %v", err)
	}
	i.Wait()
	got := e.all()
	if len(got) != 2 || got[0].Kind != notifiers.Acknowledge || got[0].User != "ana" || got[1].Kind != notifiers.Helped || got[1].Cause != "cap" {
		t.Errorf("heard %+v", got)
	}
	if m := s.Messages("llm")[0].Text; !strings.Contains(m, "👀 ana looks after it") || !strings.Contains(m, "👍 bo says that it helped") {
		t.Errorf("the message shows\n%s", m)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Run ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Run outlives its context")
	}
}

func TestSocketModeReportsARefusedTokenAndKeepsTrying(t *testing.T) {
	s := fast(t, slacktest.Options{})
	faults := make(chan error, 10)
	i, err := slack.NewInteractions(slack.InteractionOptions{
		AppToken: slack.Literal("xapp-wrong"), APIURL: s.APIURL(), Answer: (&ear{}).answer, Fault: func(err error) { faults <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- i.Run(ctx) }()
	if err := <-faults; !strings.Contains(err.Error(), "invalid_auth") || strings.Contains(err.Error(), "xapp-wrong") {
		t.Errorf("reported %v", err)
	}
	select {
	case err := <-ended:
		t.Errorf("Run gave up: %v", err)
	default:
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

package slacktest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
)

func ask(t *testing.T, s *slacktest.Server, method string, form map[string]string) (int, map[string]any) {
	t.Helper()
	v := url.Values{"token": {s.Token()}, "channel": {"C001"}}
	for k, x := range form {
		v.Set(k, x)
	}
	res, err := http.PostForm(s.APIURL()+method, v)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, out
}

func open(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	s := slacktest.New(o)
	t.Cleanup(s.Close)
	return s
}

func section(n int) string {
	return `{"type":"section","text":{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}}`
}

func buttons(n int, extra string) string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf(`{"type":"button","action_id":"a%d","text":{"type":"plain_text","text":"t"}%s}`, i, extra))
	}
	return `{"type":"actions","elements":[` + strings.Join(out, ",") + `]}`
}

func TestWhatSlackRefusesIsRefused(t *testing.T) {
	s := open(t, slacktest.Options{Every: -1})
	many := func(n int, b string) string { return "[" + strings.TrimSuffix(strings.Repeat(b+",", n), ",") + "]" }
	field := func(n int) string { return `{"type":"mrkdwn","text":"` + strings.Repeat("x", n) + `"}` }
	for _, c := range []struct {
		name, in, want string // blocks, and Slack's error; "" is taken
	}{
		{"fifty blocks", many(50, section(1)), ""},
		{"fifty-one blocks", many(51, section(1)), "invalid_blocks"},
		{"a section of 3000", many(1, section(3000)), ""},
		{"a section of 3001", many(1, section(3001)), "invalid_blocks"},
		{"an empty section", many(1, section(0)), "invalid_blocks"},
		{"a header of 150", `[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("é", 150) + `"}}]`, ""},
		{"a header of 151", `[{"type":"header","text":{"type":"plain_text","text":"` + strings.Repeat("é", 151) + `"}}]`, "invalid_blocks"},
		{"a header in mrkdwn", `[{"type":"header","text":{"type":"mrkdwn","text":"x"}}]`, "invalid_blocks"},
		{"ten fields of 1000", `[{"type":"section","fields":` + many(10, field(1000)) + `}]`, ""},
		{"eleven fields", `[{"type":"section","fields":` + many(11, field(1)) + `}]`, "invalid_blocks"},
		{"a field of 2001", `[{"type":"section","fields":` + many(1, field(2001)) + `}]`, "invalid_blocks"},
		{"too much in all", many(5, section(2900)), "msg_blocks_too_long"},
		{"25 buttons", "[" + buttons(25, "") + "]", ""},
		{"26 buttons", "[" + buttons(26, "") + "]", "invalid_blocks"},
		{"a value of 2001", "[" + buttons(1, `,"value":"`+strings.Repeat("v", 2001)+`"`) + "]", "invalid_blocks"},
		{"a colour for a button", "[" + buttons(1, `,"style":"green"`) + "]", "invalid_blocks"},
		{"two buttons of one id", "[" + buttons(1, "") + "," + buttons(1, "") + "]", "invalid_blocks"},
		{"an unknown block", `[{"type":"marquee"}]`, "invalid_blocks"},
		{"a block that has what it must not", `[{"type":"divider","text":{"type":"plain_text","text":"x"}}]`, "invalid_blocks"},
		{"an unknown property", `[{"type":"divider","colour":"red"}]`, "invalid_blocks_format"},
		{"no JSON", `nope`, "invalid_blocks_format"},
		{"a bare <", `[{"type":"section","text":{"type":"mrkdwn","text":"a < b"}}]`, "invalid_blocks"},
		{"a bare &", `[{"type":"section","text":{"type":"mrkdwn","text":"a & b"}}]`, "invalid_blocks"},
		{"what is escaped, linked and called", `[{"type":"section","text":{"type":"mrkdwn","text":"a &lt; b &amp; <https://x.example|x> <!here>"}}]`, ""},
		{"two blocks of one id", `[{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}]`, "invalid_blocks"},
	} {
		_, got := ask(t, s, "chat.postMessage", map[string]string{"text": "t", "blocks": c.in})
		if said, _ := got["error"].(string); said != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}

func TestMessagesThreadsAndEdits(t *testing.T) {
	s := open(t, slacktest.Options{Every: -1})
	_, root := ask(t, s, "chat.postMessage", map[string]string{"text": "root", "blocks": "[" + section(3) + "]"})
	ts := root["ts"].(string)
	for _, c := range []struct {
		name, method string
		form         map[string]string
		want         string
	}{
		{"a reply", "chat.postMessage", map[string]string{"text": "reply", "thread_ts": ts}, ""},
		{"a reply to all", "chat.postMessage", map[string]string{"text": "loud <!channel>", "thread_ts": ts, "reply_broadcast": "true"}, ""},
		{"a reply to nothing", "chat.postMessage", map[string]string{"text": "x", "thread_ts": "1.1"}, "thread_not_found"},
		{"nothing at all", "chat.postMessage", nil, "no_text"},
		{"an edit by name", "chat.update", map[string]string{"text": "x", "ts": ts, "channel": "#llm"}, "channel_not_found"},
		{"an edit of nothing", "chat.update", map[string]string{"text": "x", "ts": "1.1"}, "message_not_found"},
		{"an edit that leaves the text alone", "chat.update", map[string]string{"text": "edited", "ts": ts}, ""},
		{"a wrong token", "chat.postMessage", map[string]string{"text": "x", "token": "xoxb-no"}, "invalid_auth"},
		{"the history without its scope", "conversations.history", nil, "missing_scope"},
	} {
		_, got := ask(t, s, c.method, c.form)
		if said, _ := got["error"].(string); said != c.want {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
	want := "──── #llm\ninferdx (edited)\n  edited\n    │ inferdx\n    │   reply\n    │ inferdx (also sent to the channel, CALLS !channel)\n    │   loud <!channel>\n\n"
	if diff := cmp.Diff(want, s.Transcript()); diff != "" {
		t.Error(diff)
	}
	log := []string{"rings  #llm post: xxx", "silent #llm reply: reply", "rings  #llm reply to all: loud <!channel>", "silent #llm edit: edited"}
	if diff := cmp.Diff(log, s.Log()); diff != "" {
		t.Error(diff)
	}
	s.Archive("llm")
	if _, got := ask(t, s, "chat.postMessage", map[string]string{"text": "x"}); got["error"] != "is_archived" {
		t.Errorf("an archived channel: %v", got)
	}
}

func TestAChannelTakesAShortBurstAndThenOneMessageATime(t *testing.T) {
	s := open(t, slacktest.Options{Channels: []string{"llm", "other"}, Every: 300 * time.Millisecond, Burst: 2})
	post := func(channel string) int {
		status, _ := ask(t, s, "chat.postMessage", map[string]string{"text": "x", "channel": channel})
		return status
	}
	got := []int{post("C001"), post("C001"), post("C001"), post("C002")}
	time.Sleep(350 * time.Millisecond)
	got = append(got, post("C001"), post("C001"))
	if diff := cmp.Diff([]int{200, 200, 429, 200, 200, 429}, got); diff != "" {
		t.Error(diff)
	}
}

func TestFaultsComeAsManyTimesAsAsked(t *testing.T) {
	s := open(t, slacktest.Options{Every: -1})
	s.RateLimit(3, 7*time.Second)
	var got []int
	for range 4 {
		res, err := http.PostForm(s.APIURL()+"chat.postMessage", url.Values{"token": {s.Token()}, "channel": {"llm"}, "text": {"x"}})
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") != "7" {
			t.Errorf("Retry-After %q", res.Header.Get("Retry-After"))
		}
		got = append(got, res.StatusCode)
	}
	if diff := cmp.Diff([]int{429, 429, 429, 200}, got); diff != "" {
		t.Error(diff)
	}
	s.Lose("chat.postMessage", 1)
	if res, err := http.PostForm(s.APIURL()+"chat.postMessage", url.Values{"token": {s.Token()}, "channel": {"llm"}, "text": {"lost"}}); err == nil {
		_ = res.Body.Close()
		t.Error("the answer was not lost")
	}
	if ms := s.Messages("llm"); len(ms) != 2 || ms[1].Text != "lost" {
		t.Errorf("the channel has %+v, want the message whose answer was lost", ms)
	}
}

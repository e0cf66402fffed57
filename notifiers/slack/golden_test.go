package slack_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/notifiers/slack"
	"github.com/inferdx/inferdx/notifiers/slack/slacktest"
	"github.com/inferdx/inferdx/notifiers/template"
	"github.com/inferdx/inferdx/notifiers/template/templatetest"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// wire keeps what is sent, as somebody would write it down: pretty, without the token.
type wire struct{ bytes.Buffer }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(b))
	w.WriteString(r.URL.Path + "\n")
	if bytes.HasPrefix(b, []byte("{")) {
		w.pretty("body", string(b))
		return http.DefaultTransport.RoundTrip(r)
	}
	form, err := url.ParseQuery(string(b))
	if err != nil {
		return nil, err
	}
	form.Del("token")
	for _, k := range []string{"channel", "ts", "thread_ts", "reply_broadcast", "text", "metadata", "blocks"} {
		if v := form.Get(k); v != "" {
			w.pretty(k, v)
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (w *wire) pretty(k, v string) {
	var b bytes.Buffer
	if json.Indent(&b, []byte(v), "", " ") == nil && strings.ContainsAny(v[:1], "{[") {
		v = b.String()
	}
	w.WriteString(k + ": " + v + "\n")
}

// fast is a workspace without waiting, whose clock stands at the messages' time.
func fast(t *testing.T, o slacktest.Options) *slacktest.Server {
	t.Helper()
	if o.Every == 0 {
		o.Every = -1
	}
	if o.Now == nil {
		o.Now = func() time.Time { return templatetest.At }
	}
	s := slacktest.New(o)
	t.Cleanup(s.Close)
	return s
}

func bot(t *testing.T, s *slacktest.Server, change func(*slack.Options)) *slack.Notifier {
	t.Helper()
	o := slack.Options{
		Token: slack.Literal(s.Token()), Channel: "C001", APIURL: s.APIURL(), Buttons: true, Pacer: slack.NewPacer(0),
		Now: func() time.Time { return templatetest.At }, Fault: func(err error) { t.Error(err) },
	}
	if change != nil {
		change(&o)
	}
	n, err := slack.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func withID(m plan.Message, id string) plan.Message {
	m.ID = id
	return m
}

func TestTheFirstMessageOnTheWire(t *testing.T) {
	m := templatetest.Message(plan.First, templatetest.New(t).Diagnose(t, "seqs8-c64"))
	t.Run("bot", func(t *testing.T) {
		w := &wire{}
		n := bot(t, fast(t, slacktest.Options{}), func(o *slack.Options) { o.Client = &http.Client{Transport: w} })
		if _, err := n.Notify(context.Background(), m, nil); err != nil {
			t.Fatal(err)
		}
		golden(t, "first.wire", w.String())
	})
	t.Run("webhook", func(t *testing.T) {
		w, s := &wire{}, fast(t, slacktest.Options{})
		n, err := slack.New(slack.Options{Webhook: slack.Literal(s.WebhookURL()), Client: &http.Client{Transport: w}, Buttons: true})
		if err != nil {
			t.Fatal(err)
		}
		thread, err := n.Notify(context.Background(), m, nil)
		if err != nil || thread != nil {
			t.Fatalf("thread %s, %v: want none of either", thread, err)
		}
		golden(t, "webhook.wire", w.String())
	})
}

// TestAProblemFromItsFirstMessageToItsEnd is read as people in the channel would.
func TestAProblemFromItsFirstMessageToItsEnd(t *testing.T) {
	d := templatetest.New(t)
	capped, kv, dead := d.Diagnose(t, "seqs8-c64"), d.Diagnose(t, "b_kv_small"), d.Diagnose(t, "j_down")
	words, err := template.Load(template.Options{Link: func(m plan.Message) string { return "https://inferdx.example/m/" + m.ID }})
	if err != nil {
		t.Fatal(err)
	}
	critical := capped
	critical.Symptoms = append([]model.Symptom{}, capped.Symptoms...)
	critical.Symptoms[0].Severity = model.Critical
	acknowledged := templatetest.Message(plan.Reminder, kv)
	acknowledged.Acknowledged = &plan.Acknowledgement{By: "ana", At: templatetest.At}
	verified := templatetest.Message(plan.Verified, capped)
	verified.Outcome = &plan.Outcome{
		Target: capped.Target, Cause: "max-num-seqs-too-low", Change: "--max-num-seqs 8 -> 64", Verdict: "improved",
		Why: "the load was the same before and after", Lines: []string{"TTFT P99 13 s -> 0.3 s", "waiting 53 -> 0"},
	}
	for name, steps := range map[string][]plan.Message{
		"one server": {
			templatetest.Message(plan.First, capped), templatetest.Message(plan.Worse, critical), templatetest.Message(plan.CauseChanged, kv),
			acknowledged, templatetest.Message(plan.Resolved, capped), verified,
		},
		"a group": {templatetest.Message(plan.First, append([]model.Diagnosis{dead, kv}, templatetest.Many(capped, 38)...)...)},
		"a test":  {templatetest.Message(plan.Test)},
	} {
		t.Run(name, func(t *testing.T) {
			s := fast(t, slacktest.Options{})
			n := bot(t, s, func(o *slack.Options) { o.Words = words })
			var thread json.RawMessage
			var b strings.Builder
			for _, m := range steps {
				var err error
				if thread, err = n.Notify(context.Background(), m, thread); err != nil {
					t.Fatalf("%s: %v", m.Reason, err)
				}
				if m.Reason != plan.Verified {
					b.WriteString("════ after " + string(m.Reason) + "\n" + s.Transcript())
				}
			}
			b.WriteString("════ at the end\n" + s.Transcript() + strings.Join(s.Log(), "\n") + "\n")
			golden(t, strings.ReplaceAll(name, " ", "_")+".transcript", b.String())
		})
	}
}

package shoutrrr_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/secret"
	"github.com/inferdx/inferdx/notifiers"
	"github.com/inferdx/inferdx/notifiers/notifiertest"
	"github.com/inferdx/inferdx/notifiers/send"
	"github.com/inferdx/inferdx/notifiers/shoutrrr"
)

var update = flag.Bool("update", false, "rewrite the goldens")

type texts struct{ title, text, markdown string }

func (t texts) Title(plan.Message) string    { return t.title }
func (t texts) Text(plan.Message) string     { return t.text }
func (t texts) Markdown(plan.Message) string { return t.markdown }

var plain = texts{"h200-0: 53 requests wait", "cause: sequence cap too low\nturn: --max-num-seqs 8 -> 64", "**cause** sequence cap too low\n**turn** `--max-num-seqs 8 -> 64`"}

func notifier(t *testing.T, o shoutrrr.Options, url string) *shoutrrr.Notifier {
	t.Helper()
	if o.Texts == nil {
		o.Texts = plain
	}
	o.URL = secret.Text{Value: url}
	n, err := shoutrrr.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

// endpoint answers with a status and keeps what it was sent.
type endpoint struct {
	url    string
	mu     sync.Mutex
	status int
	paths  []string
	bodies [][]byte
}

func start(t *testing.T, status int) *endpoint {
	t.Helper()
	e := &endpoint{status: status}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.paths, e.bodies = append(e.paths, r.URL.String()), append(e.bodies, body)
		w.WriteHeader(e.status)
		fmt.Fprintf(w, `{"ok":true,"errorCode":%d,"error":"no","code":%d01,"http":%d}`, e.status, e.status, e.status) // Gotify's and ntfy's
	}))
	t.Cleanup(s.Close)
	e.url = s.URL
	return e
}

const telegram = "telegram://123456:" + notifiertest.Secret + "abcdefghijklmnopqrstuv@telegram?chats=@llm,-100123:5&notification=no"

func TestPayloadsLookAsTheyDid(t *testing.T) {
	e := start(t, http.StatusOK)
	o := shoutrrr.Options{DiscordAPI: e.url, TelegramAPI: e.url}
	want := map[string]string{
		"discord":  "/webhooks/4711/" + notifiertest.Secret + "?thread_id=9",
		"telegram": "/bot123456:" + notifiertest.Secret + "abcdefghijklmnopqrstuv/sendMessage",
		"teams":    "/workflows/x?sig=" + notifiertest.Secret,
	}
	for name, url := range map[string]string{
		"discord": "discord://" + notifiertest.Secret + "@4711?thread_id=9&username=inferdx", "telegram": telegram,
		"teams": "teams+" + e.url + "/workflows/x?sig=" + notifiertest.Secret,
	} {
		e.paths, e.bodies = nil, nil
		if thread, err := notifier(t, o, url).Notify(t.Context(), notifiertest.Message(), json.RawMessage("1")); err != nil || string(thread) != "1" {
			t.Fatal(name, err)
		}
		notifiertest.Golden(t, *update, name+".json", []byte("["+string(bytesJoin(e.bodies))+"]"))
		for _, path := range e.paths {
			if path != want[name] {
				t.Errorf("%s: posted to %s, want %s", name, path, want[name])
			}
		}
	}
}

func bytesJoin(bodies [][]byte) []byte {
	var out []byte
	for i, b := range bodies {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, b...)
	}
	return out
}

func TestFailuresOfWhatIsPostedDirectly(t *testing.T) {
	for name, make := range map[string]func(url string) notifiertest.Notifier{
		"discord": func(url string) notifiertest.Notifier {
			return notifier(t, shoutrrr.Options{DiscordAPI: url}, "discord://"+notifiertest.Secret+"@4711")
		},
		"telegram": func(url string) notifiertest.Notifier {
			return notifier(t, shoutrrr.Options{TelegramAPI: url}, "telegram://123456:"+notifiertest.Secret+"@telegram?chats=-1")
		},
		"teams": func(url string) notifiertest.Notifier { return notifier(t, shoutrrr.Options{}, "teams+"+url) },
	} {
		t.Run(name, func(t *testing.T) { notifiertest.Contract(t, make) })
	}
}

func TestTelegramIsLeftAloneAsLongAsItSays(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`)
	}))
	defer s.Close()
	_, err := notifier(t, shoutrrr.Options{TelegramAPI: s.URL}, telegram).Notify(t.Context(), notifiertest.Message(), nil)
	var e *notifiers.Error
	if !errors.As(err, &e) || e.RetryAfter != 35*time.Second {
		t.Errorf("got %+v", e)
	}
}

func TestOneChatThatIsGoneDoesNotSilenceTheOther(t *testing.T) {
	e := start(t, http.StatusBadRequest)
	_, err := notifier(t, shoutrrr.Options{TelegramAPI: e.url}, telegram).Notify(t.Context(), notifiertest.Message(), nil)
	if !notifiers.Final(err) || len(e.bodies) != 2 {
		t.Errorf("%d requests, %v", len(e.bodies), err)
	}
}

func TestADeadNetworkIsNoSuccess(t *testing.T) {
	dead := httptest.NewServer(nil)
	dead.Close()
	for name, url := range map[string]string{
		"telegram": telegram, "generic": "generic+" + dead.URL, "gotify": "gotify://" + strings.TrimPrefix(dead.URL, "http://") + "/Aaaaaaaaaaaaaaa?disabletls=yes",
		"smtp": "smtp://" + strings.TrimPrefix(dead.URL, "http://") + "/?from=a@b.example&to=c@d.example",
		"ntfy": "ntfy://" + strings.TrimPrefix(dead.URL, "http://") + "/topic?disabletls=yes", "matrix": "matrix://:token@" + strings.TrimPrefix(dead.URL, "http://") + "/?disableTLS=yes&rooms=!a:b",
	} {
		_, err := notifier(t, shoutrrr.Options{TelegramAPI: dead.URL}, url).Notify(t.Context(), notifiertest.Message(), nil)
		if err == nil || notifiers.Final(err) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestStatusesOfTheLibrarysServicesAreRead(t *testing.T) {
	for status, want := range map[int]string{
		400: "clientError final", 401: "authError final", 403: "authError final", 404: "clientError final", 429: "rateLimited", 500: "serverError", 503: "serverError", 200: "",
	} {
		e := start(t, status)
		host := strings.TrimPrefix(e.url, "http://")
		for name, url := range map[string]string{
			"generic":    "generic+" + e.url + "/" + notifiertest.Secret + "?template=json",
			"gotify":     "gotify://" + host + "/Atopsecretwords?disabletls=yes",
			"ntfy":       "ntfy://user:" + notifiertest.Secret + "@" + host + "/topic?disabletls=yes",
			"mattermost": "mattermost://" + host + "/" + notifiertest.Secret + "?disabletls=yes",
		} {
			_, err := notifier(t, shoutrrr.Options{}, url).Notify(t.Context(), notifiertest.Message(), nil)
			got := ""
			var e *notifiers.Error
			if errors.As(err, &e) {
				got = string(e.Reason)
				if e.Final {
					got += " final"
				}
			}
			if got != want || err != nil && strings.Contains(strings.ToLower(err.Error()), "topsecretword") {
				t.Errorf("%s, %d: got %q (%v), want %q", name, status, got, err, want)
			}
		}
	}
}

func TestAHangEndsWithTheContextAndHangsDoNotPileUp(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	n := notifier(t, shoutrrr.Options{}, "generic+"+s.URL)
	try := func() error {
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		_, err := n.Notify(ctx, notifiertest.Message(), nil)
		return err
	}
	for i := range 6 {
		err := try()
		var e *notifiers.Error
		if !errors.As(err, &e) || e.Reason != notifiers.DeadlineReached || e.Final || strings.Contains(err.Error(), "still hang") != (i >= 4) {
			t.Errorf("try %d: got %v", i+1, err)
		}
	}
	close(release)
	defer s.Close()
	for range 100 {
		if try() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("deliveries that ended are not forgotten")
}

func TestADeniedAddressIsNotAsked(t *testing.T) {
	e := start(t, http.StatusOK)
	n := notifier(t, shoutrrr.Options{HTTP: send.Options{Network: send.Network{DenyPrivate: true}}}, "generic+"+e.url)
	if _, err := n.Notify(t.Context(), notifiertest.Message(), nil); !notifiers.Final(err) || len(e.bodies) != 0 {
		t.Errorf("got %v", err)
	}
}

func TestURLsThatCannotWorkAreRefusedUnseen(t *testing.T) {
	for _, url := range []string{
		"", "TOPSECRET", "nosuch://TOPSECRET@host", "discord://", "discord://4711", "telegram://TOPSECRET@telegram", "telegram://1:TOPSECRET@telegram", "%zz://TOPSECRET",
		"teams+https:///TOPSECRET",
	} {
		if _, err := shoutrrr.New(shoutrrr.Options{URL: secret.Text{Value: url}, Texts: plain}); err == nil || strings.Contains(err.Error(), "TOPSECRET") {
			t.Errorf("%q: got %v", url, err)
		}
	}
}

func TestLongTextsAreCutAndMarkedAndMentionsCallNobody(t *testing.T) {
	e := start(t, http.StatusOK)
	line := strings.Repeat("é", 40) + " @everyone <@4711> <!channel> user@here\n"
	long := texts{"@here", strings.Repeat(line, 1000), strings.Repeat(line, 1000)}
	o := shoutrrr.Options{DiscordAPI: e.url, TelegramAPI: e.url, Texts: long}
	host := strings.TrimPrefix(e.url, "http://")
	for url, limit := range map[string]int{
		"discord://t@1": 4096, telegram: 4096, "teams+" + e.url: 18_000, "mattermost://" + host + "/token?disabletls=yes": 4000, "generic+" + e.url + "?template=json": 18_000,
	} {
		e.bodies = nil
		if _, err := notifier(t, o, url).Notify(t.Context(), notifiertest.Message(), nil); err != nil {
			t.Fatal(err)
		}
		var body any
		if err := json.Unmarshal(e.bodies[0], &body); err != nil {
			t.Fatal(err)
		}
		longest := ""
		each(body, func(s string) {
			if len(s) > len(longest) {
				longest = s
			}
			for _, call := range []string{"@everyone", "@here", "<@", "<!", "@4711"} {
				if strings.Contains(s, call) {
					t.Errorf("%s: %s is left", url[:7], call)
				}
			}
		})
		if len(longest) > limit || len(longest) < limit*3/4 || !strings.Contains(longest, "… cut here, ") || !strings.HasSuffix(longest, " characters more") {
			t.Errorf("%s: %d bytes that end in %q", url[:7], len(longest), longest[max(0, len(longest)-60):])
		}
	}
}

// each visits every text in a JSON value.
func each(v any, visit func(string)) {
	switch x := v.(type) {
	case string:
		visit(x)
	case []any:
		for _, y := range x {
			each(y, visit)
		}
	case map[string]any:
		for _, y := range x {
			each(y, visit)
		}
	}
}

// mailServer speaks as much SMTP as is needed; answers says what else than yes a command gets.
func mailServer(t *testing.T, answers map[string]string) (address string, mail func() string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	got := make(chan string, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go talk(c, answers, got)
		}
	}()
	return l.Addr().String(), func() string { return <-got }
}

func talk(c net.Conn, answers map[string]string, got chan<- string) {
	defer c.Close()
	fmt.Fprint(c, "220 ready\r\n")
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		verb, _, _ := strings.Cut(strings.ToUpper(lines.Text()), " ")
		answer, ok := answers[verb]
		switch {
		case ok:
		case verb == "EHLO":
			answer = "250-here\r\n250 AUTH PLAIN"
		case verb == "AUTH":
			answer = "235 welcome"
		case verb == "DATA":
			answer = "354 go on"
		case verb == "QUIT":
			answer = "221 bye"
		default:
			answer = "250 fine"
		}
		fmt.Fprint(c, answer+"\r\n")
		if verb != "DATA" || ok {
			continue
		}
		var mail strings.Builder
		for lines.Scan() && lines.Text() != "." {
			mail.WriteString(lines.Text() + "\n")
		}
		got <- mail.String()
		fmt.Fprint(c, "250 taken\r\n")
	}
}

func TestAMailHasOneSubjectWhateverTheTitleSays(t *testing.T) {
	address, mail := mailServer(t, nil)
	o := shoutrrr.Options{Texts: texts{"über\r\nBcc: thief@evil.example\n\n<b>body</b>", "one\ntwo <b>@everyone", ""}}
	n := notifier(t, o, "smtp://user:"+notifiertest.Secret+"@"+address+"/?from=inferdx@a.example&to=oncall@b.example&usehtml=yes")
	if _, err := n.Notify(t.Context(), notifiertest.Message(), nil); err != nil {
		t.Fatal(err)
	}
	head, body, _ := strings.Cut(mail(), "\n\n")
	if strings.Contains(head, "\nBcc:") || !strings.Contains(head, "Subject: =?utf-8?q?=C3=BCber_Bcc:_thief@evil.example_<b>body</b>?=") || !strings.Contains(head, "text/plain") {
		t.Errorf("got %s", head)
	}
	if strings.TrimSpace(body) != "one\ntwo <b>@everyone" {
		t.Errorf("got %q", body)
	}
}

func TestAMailServersNoIsRead(t *testing.T) {
	for _, tt := range []struct{ verb, answer, want string }{
		{"AUTH", "535 no", "authError final"},
		{"RCPT", "550 no such user", "clientError final"},
		{"RCPT", "451 later", "serverError"},
		{"DATA", "552 too long", "clientError final"},
	} {
		address, _ := mailServer(t, map[string]string{tt.verb: tt.answer + " for " + notifiertest.Secret})
		n := notifier(t, shoutrrr.Options{}, "smtp://user:"+notifiertest.Secret+"@"+address+"/?from=a@b.example&to=c@d.example")
		_, err := n.Notify(t.Context(), notifiertest.Message(), nil)
		var e *notifiers.Error
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		got := string(e.Reason)
		if e.Final {
			got += " final"
		}
		if got != tt.want || strings.Contains(err.Error(), notifiertest.Secret) {
			t.Errorf("%s %s: got %s (%v), want %s", tt.verb, tt.answer, got, err, tt.want)
		}
	}
}

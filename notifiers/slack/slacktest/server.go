// Package slacktest is a Slack to test against. It is strict: what Slack would refuse it refuses the
// same way, and it keeps what a person in the channel would see, and what would ring.
package slacktest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Options say what the workspace is like.
type Options struct {
	// Token is the bot's, AppToken that of Socket Mode, SigningSecret signs button presses over HTTP.
	Token, AppToken, SigningSecret string
	// Channels are the names of the channels that the bot is in; none means #llm.
	Channels []string
	// Scopes that were granted beyond chat:write, such as channels:history.
	Scopes []string
	// Every is how often a channel takes a message, Burst how many at once; Slack's 1 s and a short
	// burst of 3 where they are 0. A negative Every takes all.
	Every time.Duration
	Burst int
	// Now gives the time that messages are stamped with; nil uses the clock.
	Now func() time.Time
}

// Server is the workspace. Its methods are safe for concurrent use.
type Server struct {
	URL string

	o    Options
	http *httptest.Server
	stop chan struct{}

	mu        sync.Mutex
	channels  map[string]*channel // by id
	last      int64               // microseconds of the newest timestamp
	faults    []fault
	responses map[string]response
	webhook   hook
	handler   string // where button presses go over HTTP
	tickets   map[string]bool
	sockets   []*socket
	requests  map[string]int
	log       []string
	ids       int
}

// New starts a workspace; Close ends it.
func New(o Options) *Server {
	if o.Token == "" {
		o.Token = "xoxb-" + "fake-bot-token"
	}
	if o.AppToken == "" {
		o.AppToken = "xapp-" + "fake-app-token"
	}
	if o.SigningSecret == "" {
		o.SigningSecret = "fake-signing-secret"
	}
	if len(o.Channels) == 0 {
		o.Channels = []string{"llm"}
	}
	if o.Every == 0 {
		o.Every = time.Second
	}
	if o.Burst == 0 {
		o.Burst = 3
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{
		o: o, stop: make(chan struct{}), channels: map[string]*channel{}, responses: map[string]response{},
		tickets: map[string]bool{}, requests: map[string]int{},
	}
	for i, name := range o.Channels {
		id := fmt.Sprintf("C%03d", i+1)
		s.channels[id] = &channel{id: id, name: strings.TrimPrefix(name, "#"), tokens: float64(o.Burst)}
	}
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = s.http.URL
	return s
}

// Close ends the workspace and every request that hangs.
func (s *Server) Close() {
	close(s.stop)
	s.mu.Lock()
	for _, k := range s.sockets {
		_ = k.conn.Close()
	}
	s.mu.Unlock()
	s.http.CloseClientConnections()
	s.http.Close()
}

// APIURL is the base of the Web API.
func (s *Server) APIURL() string { return s.URL + "/api/" }

// WebhookURL is the address of an incoming webhook into the first channel.
func (s *Server) WebhookURL() string { return s.URL + "/services/T000/B000/" + hookSecret }

const hookSecret = "fakewebhooksecret"

// Token is the bot token that the workspace accepts.
func (s *Server) Token() string { return s.options().Token }

// AppToken is what Socket Mode accepts.
func (s *Server) AppToken() string { return s.options().AppToken }

// SigningSecret is what button presses over HTTP are signed with.
func (s *Server) SigningSecret() string { return s.options().SigningSecret }

func (s *Server) options() Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o
}

// Rotate makes another bot token the only valid one.
func (s *Server) Rotate(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.o.Token = token
}

// Requests counts what was asked of a method, such as chat.postMessage, refused ones included.
func (s *Server) Requests(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[method]
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	kind, rest, _ := strings.Cut(path, "/")
	method := kind
	if kind == "api" {
		method = rest
	}
	s.mu.Lock()
	s.requests[method]++
	s.mu.Unlock()
	if kind == "socket" {
		s.connect(w, r, rest)
		return
	}
	if s.fail(w, r, method) {
		return
	}
	w, done := s.lossy(w, method)
	defer done()
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	switch kind {
	case "api":
		s.api(w, r, rest)
	case "services":
		s.incoming(w, r, rest)
	case "response":
		s.respond(w, r, rest)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) api(w http.ResponseWriter, r *http.Request, method string) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		reply(w, failure("invalid_form_data"))
		return
	}
	token := r.PostForm.Get("token")
	if token == "" {
		token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	}
	want := s.Token()
	if method == "apps.connections.open" {
		want = s.AppToken()
	}
	switch token {
	case want:
	case "":
		reply(w, failure("not_authed"))
		return
	default:
		reply(w, failure("invalid_auth"))
		return
	}
	switch method {
	case "auth.test":
		reply(w, map[string]any{"ok": true, "url": s.URL, "team": "fake", "user": "inferdx", "team_id": "T000", "user_id": "U000", "bot_id": "B000"})
	case "chat.postMessage":
		s.post(w, r.PostForm)
	case "chat.update":
		s.update(w, r.PostForm)
	case "conversations.history", "conversations.replies":
		s.history(w, r.PostForm, method)
	case "apps.connections.open":
		s.open(w)
	default:
		reply(w, failure("unknown_method"))
	}
}

// take spends a message of a channel's allowance, or says after how many seconds to come again.
func (s *Server) take(c *channel) (int, bool) {
	if s.o.Every < 0 {
		return 0, true
	}
	now := time.Now()
	if !c.filled.IsZero() {
		c.tokens = min(float64(s.o.Burst), c.tokens+float64(now.Sub(c.filled))/float64(s.o.Every))
	}
	c.filled = now
	if c.tokens < 1 {
		return max(1, int(math.Ceil((1-c.tokens)*s.o.Every.Seconds()))), false
	}
	c.tokens--
	return 0, true
}

func tooFast(w http.ResponseWriter, seconds int) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write([]byte(`{"ok":false,"error":"ratelimited"}`))
}

func failure(code string, messages ...string) map[string]any {
	m := map[string]any{"ok": false, "error": code}
	if len(messages) > 0 {
		m["response_metadata"] = map[string]any{"messages": messages}
	}
	return m
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(body)
}

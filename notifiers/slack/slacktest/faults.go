package slacktest

import (
	"net/http"
	"strings"
	"time"
)

// fault is what happens to the next requests.
type fault struct {
	method string // a prefix; "" is every method
	left   int
	status int
	after  int
	body   string
	hang   bool
	lose   bool
}

// RateLimit answers the next n requests with 429 and a Retry-After of whole seconds.
func (s *Server) RateLimit(n int, after time.Duration) {
	s.add(fault{left: n, status: http.StatusTooManyRequests, after: int(after / time.Second), body: `{"ok":false,"error":"ratelimited"}`})
}

// Fail answers the next n requests to a method with an HTTP status and a body.
func (s *Server) Fail(method string, n, status int, body string) {
	s.add(fault{method: method, left: n, status: status, body: body})
}

// Refuse answers the next n requests to a method the way Slack says no: 200 and ok:false.
func (s *Server) Refuse(method string, n int, code string) {
	s.add(fault{method: method, left: n, status: http.StatusOK, body: `{"ok":false,"error":"` + code + `"}`})
}

// Hang never answers the next n requests.
func (s *Server) Hang(n int) { s.add(fault{left: n, hang: true}) }

// Lose does what the next n requests to a method ask and drops the connection before it answers, as a
// crash or a broken network looks to the sender.
func (s *Server) Lose(method string, n int) { s.add(fault{method: method, left: n, lose: true}) }

func (s *Server) add(f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, f)
}

// next spends a fault of one kind for a method.
func (s *Server) next(method string, lose bool) (fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.faults {
		f := &s.faults[i]
		if f.left > 0 && f.lose == lose && strings.HasPrefix(method, f.method) {
			f.left--
			return *f, true
		}
	}
	return fault{}, false
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, method string) bool {
	f, ok := s.next(method, false)
	switch {
	case !ok:
		return false
	case f.hang:
		select {
		case <-s.stop:
		case <-r.Context().Done():
		}
	case f.status == http.StatusTooManyRequests:
		tooFast(w, max(f.after, 1))
	default:
		if strings.HasPrefix(f.body, "{") {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.body))
	}
	return true
}

// lossy swallows the answer where a Lose is due.
func (s *Server) lossy(w http.ResponseWriter, method string) (http.ResponseWriter, func()) {
	if _, ok := s.next(method, true); !ok {
		return w, func() {}
	}
	return &nowhere{header: http.Header{}}, func() { panic(http.ErrAbortHandler) }
}

type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

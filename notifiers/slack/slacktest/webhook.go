package slacktest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// hook is the state of the incoming webhook.
type hook struct {
	status int
	body   string
}

// RemoveWebhook makes the incoming webhook answer as one that was taken away: 404 no_service, or 410.
func (s *Server) RemoveWebhook(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body := "no_service"
	if status == http.StatusGone {
		body = "channel_is_archived"
	}
	s.webhook = hook{status, body}
}

type hookMessage struct {
	Text            string          `json:"text"`
	Blocks          json.RawMessage `json:"blocks"`
	ReplaceOriginal bool            `json:"replace_original"`
	ResponseType    string          `json:"response_type"`
	UnfurlLinks     *bool           `json:"unfurl_links"`
	UnfurlMedia     *bool           `json:"unfurl_media"`
}

func (h hookMessage) form() url.Values {
	v := url.Values{"text": {h.Text}}
	if len(h.Blocks) > 0 && string(h.Blocks) != "null" {
		v.Set("blocks", string(h.Blocks))
	}
	return v
}

func (s *Server) incoming(w http.ResponseWriter, r *http.Request, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	plain := func(status int, body string) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
	if !strings.HasSuffix(path, "/"+hookSecret) {
		plain(http.StatusForbidden, "invalid_token")
		return
	}
	if s.webhook.status != 0 {
		plain(s.webhook.status, s.webhook.body)
		return
	}
	c := s.find("C001", false)
	if after, ok := s.take(c); !ok {
		tooFast(w, after)
		return
	}
	var in hookMessage
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		plain(http.StatusBadRequest, "invalid_payload")
		return
	}
	m := &message{from: "webhook"}
	if bad := m.fill(in.form()); bad != nil {
		plain(http.StatusBadRequest, bad["error"].(string))
		return
	}
	for _, b := range m.blocks {
		if len(b.buttons) > 0 { // nobody listens to a button of a webhook without an app behind it
			plain(http.StatusBadRequest, "invalid_blocks")
			return
		}
	}
	m.ts = s.stamp()
	c.messages = append(c.messages, m)
	s.note(c, m, "post")
	plain(http.StatusOK, "ok")
}

// maxResponses is how often a response_url can be used.
const maxResponses = 5

type response struct {
	channel, ts, user string
	used              int
}

// respond is a response_url: it replaces the message of the button or tells one person something.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, ok := s.responses[id]
	if !ok || from.used >= maxResponses {
		http.Error(w, "used_url", http.StatusNotFound)
		return
	}
	from.used++
	s.responses[id] = from
	var in hookMessage
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		reply(w, failure("invalid_payload"))
		return
	}
	c := s.channels[from.channel]
	if !in.ReplaceOriginal {
		m := &message{from: "bot", ts: s.stamp(), onlyFor: from.user}
		if bad := m.fill(in.form()); bad != nil {
			reply(w, bad)
			return
		}
		c.messages = append(c.messages, m)
		s.note(c, m, "post")
		reply(w, map[string]any{"ok": true})
		return
	}
	m := c.at(from.ts)
	if m == nil {
		reply(w, failure("message_not_found"))
		return
	}
	next := *m
	if bad := next.fill(in.form()); bad != nil {
		reply(w, bad)
		return
	}
	next.edits++
	*m = next
	s.note(c, m, "edit")
	reply(w, map[string]any{"ok": true})
}

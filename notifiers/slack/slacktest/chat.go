package slacktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is where Slack cuts a message's text off.
const maxText = 40_000

type channel struct {
	id, name string
	archived bool
	messages []*message
	tokens   float64
	filled   time.Time
}

type message struct {
	ts, thread string
	broadcast  bool
	text       string
	blocks     []block
	raw        json.RawMessage
	metadata   json.RawMessage
	edits      int
	from       string
	onlyFor    string
}

func (s *Server) post(w http.ResponseWriter, f url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(f.Get("channel"), true)
	if c == nil {
		reply(w, failure("channel_not_found"))
		return
	}
	if c.archived {
		reply(w, failure("is_archived"))
		return
	}
	if after, ok := s.take(c); !ok {
		tooFast(w, after)
		return
	}
	m := &message{from: "bot", thread: f.Get("thread_ts"), broadcast: f.Get("reply_broadcast") == "true", metadata: []byte(f.Get("metadata"))}
	if m.thread != "" {
		root := c.at(m.thread)
		if root == nil || root.thread != "" {
			reply(w, failure("thread_not_found"))
			return
		}
	} else if m.broadcast {
		reply(w, failure("invalid_arguments", "reply_broadcast without thread_ts"))
		return
	}
	if bad := m.fill(f); bad != nil {
		reply(w, bad)
		return
	}
	m.ts = s.stamp()
	c.messages = append(c.messages, m)
	s.note(c, m, "post")
	reply(w, map[string]any{"ok": true, "channel": c.id, "ts": m.ts, "message": m.asJSON(true)})
}

func (s *Server) update(w http.ResponseWriter, f url.Values) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(f.Get("channel"), false)
	if c == nil {
		reply(w, failure("channel_not_found"))
		return
	}
	m := c.at(f.Get("ts"))
	if m == nil {
		reply(w, failure("message_not_found"))
		return
	}
	if m.from != "bot" {
		reply(w, failure("cant_update_message"))
		return
	}
	next := *m
	if bad := next.fill(f); bad != nil {
		reply(w, bad)
		return
	}
	next.edits++
	*m = next
	s.note(c, m, "edit")
	reply(w, map[string]any{"ok": true, "channel": c.id, "ts": m.ts, "text": m.text})
}

// fill takes over what is to be shown, or says why Slack would not show it.
func (m *message) fill(f url.Values) map[string]any {
	blocks, bad := parseBlocks(f.Get("blocks"))
	if bad != nil {
		return bad
	}
	text := f.Get("text")
	if text == "" && len(blocks) == 0 {
		return failure("no_text")
	}
	if err := markup(text); err != nil {
		return failure("invalid_arguments", "text: "+err.Error())
	}
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText])
	}
	if md := f.Get("metadata"); md != "" {
		var v struct {
			EventType    string         `json:"event_type"`
			EventPayload map[string]any `json:"event_payload"`
		}
		if json.Unmarshal([]byte(md), &v) != nil || v.EventType == "" || v.EventPayload == nil {
			return failure("invalid_metadata_format")
		}
		m.metadata = []byte(md)
	}
	m.text, m.blocks, m.raw = text, blocks, []byte(f.Get("blocks"))
	return nil
}

func (s *Server) history(w http.ResponseWriter, f url.Values, method string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Contains(s.o.Scopes, "channels:history") {
		bad := failure("missing_scope")
		bad["needed"], bad["provided"] = "channels:history", "chat:write"
		reply(w, bad)
		return
	}
	c := s.find(f.Get("channel"), false)
	if c == nil {
		reply(w, failure("channel_not_found"))
		return
	}
	all := f.Get("include_all_metadata") == "1"
	out := []map[string]any{}
	for _, m := range slices.Backward(c.messages) {
		in := m.thread == "" || m.broadcast
		if method == "conversations.replies" {
			in = m.ts == f.Get("ts") || m.thread == f.Get("ts")
		}
		if in && m.onlyFor == "" && (f.Get("oldest") == "" || m.ts > f.Get("oldest")) {
			out = append(out, m.asJSON(all))
		}
	}
	if limit, err := strconv.Atoi(f.Get("limit")); err == nil && limit > 0 && len(out) > limit {
		out = out[:limit]
	}
	reply(w, map[string]any{"ok": true, "messages": out, "has_more": false})
}

func (m *message) asJSON(metadata bool) map[string]any {
	out := map[string]any{"type": "message", "ts": m.ts, "text": m.text, "user": "U000", "bot_id": "B000"}
	if m.thread != "" {
		out["thread_ts"] = m.thread
	}
	if len(m.blocks) > 0 {
		out["blocks"] = m.raw
	}
	if metadata && len(m.metadata) > 0 {
		out["metadata"] = m.metadata
	}
	return out
}

// find looks a channel up by its id and, where Slack takes one, its name.
func (s *Server) find(name string, byName bool) *channel {
	if c := s.channels[name]; c != nil {
		return c
	}
	for _, c := range s.channels {
		if byName && c.name == strings.TrimPrefix(name, "#") {
			return c
		}
	}
	return nil
}

func (c *channel) at(ts string) *message {
	for _, m := range c.messages {
		if m.ts == ts {
			return m
		}
	}
	return nil
}

// stamp gives the next timestamp; no two messages share one.
func (s *Server) stamp() string {
	s.last = max(s.o.Now().UnixMicro(), s.last+1)
	return fmt.Sprintf("%d.%06d", s.last/1e6, s.last%1e6)
}

// Delete removes a message the way a person does.
func (s *Server) Delete(channel, ts string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(channel, true); c != nil {
		c.messages = slices.DeleteFunc(c.messages, func(m *message) bool { return m.ts == ts })
	}
}

// Archive closes a channel.
func (s *Server) Archive(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.find(channel, true); c != nil {
		c.archived = true
	}
}

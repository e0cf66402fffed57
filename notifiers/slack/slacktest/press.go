package slacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// patience is how long Slack waits before it tells the person that the app did not answer.
const patience = 3 * time.Second

// SendTo makes button presses go to a URL; without one they go through Socket Mode.
func (s *Server) SendTo(handler string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handler = handler
}

// Press presses a button of a message as a user. It fails where the person would see a warning.
func (s *Server) Press(channel, ts, actionID, user string) error {
	payload, err := s.Payload(channel, ts, actionID, user)
	if err != nil {
		return err
	}
	s.mu.Lock()
	to := s.handler
	s.mu.Unlock()
	if to == "" {
		return s.push(payload)
	}
	r, err := s.Signed(to, payload, time.Now())
	if err != nil {
		return err
	}
	res, err := (&http.Client{Timeout: patience}).Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return fmt.Errorf("the app answered %s: %s", res.Status, b)
	}
	return nil
}

// Signed is the request by which Slack tells an app of a press, signed as of a time.
func (s *Server) Signed(to string, payload []byte, at time.Time) (*http.Request, error) {
	body := url.Values{"payload": {string(payload)}}.Encode()
	r, err := http.NewRequest(http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(s.SigningSecret()))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return r, nil
}

// Payload is what Slack says of a press.
func (s *Server) Payload(channelName, ts, actionID, user string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channelName, true)
	if c == nil {
		return nil, fmt.Errorf("no channel %q", channelName)
	}
	m := c.at(ts)
	if m == nil {
		return nil, fmt.Errorf("no message %s in #%s", ts, c.name)
	}
	for _, b := range m.blocks {
		for _, k := range b.buttons {
			if k.ActionID == actionID {
				return s.payload(c, m, b, k, user)
			}
		}
	}
	return nil, fmt.Errorf("the message has no button %q", actionID)
}

func (s *Server) payload(c *channel, m *message, b block, k *button, user string) (json.RawMessage, error) {
	s.ids++
	id := fmt.Sprintf("r%d", s.ids)
	s.responses[id] = response{channel: c.id, ts: m.ts, user: user}
	return json.Marshal(map[string]any{
		"type": "block_actions", "api_app_id": "A000", "token": "deprecated", "trigger_id": "1.2.3",
		"user":      map[string]any{"id": "U" + strings.ToUpper(user), "username": user, "name": user, "team_id": "T000"},
		"container": map[string]any{"type": "message", "message_ts": m.ts, "channel_id": c.id, "is_ephemeral": false},
		"team":      map[string]any{"id": "T000", "domain": "fake"},
		"channel":   map[string]any{"id": c.id, "name": c.name},
		"message":   m.asJSON(false), "state": map[string]any{"values": map[string]any{}},
		"response_url": s.URL + "/response/" + id,
		"actions": []any{map[string]any{
			"type": "button", "action_id": k.ActionID, "block_id": b.BlockID, "text": k.Text, "value": k.Value, "action_ts": m.ts,
		}},
	})
}

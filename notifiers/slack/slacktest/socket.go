package slacktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// pingEvery keeps a client from taking the connection for dead.
const pingEvery = 5 * time.Second

// socket is one Socket Mode connection.
type socket struct {
	conn *websocket.Conn
	mu   sync.Mutex
	acks map[string]chan struct{}
}

// open gives out an address that can be dialled once.
func (s *Server) open(w http.ResponseWriter) {
	s.mu.Lock()
	s.ids++
	ticket := fmt.Sprintf("ticket-%d", s.ids)
	s.tickets[ticket] = true
	s.mu.Unlock()
	reply(w, map[string]any{"ok": true, "url": strings.Replace(s.URL, "http", "ws", 1) + "/socket/" + ticket})
}

func (s *Server) connect(w http.ResponseWriter, r *http.Request, ticket string) {
	s.mu.Lock()
	ok := s.tickets[ticket]
	delete(s.tickets, ticket)
	s.mu.Unlock()
	if !ok {
		http.Error(w, "unknown ticket", http.StatusForbidden)
		return
	}
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	k := &socket{conn: conn, acks: map[string]chan struct{}{}}
	_ = k.write(map[string]any{"type": "hello", "num_connections": 1, "connection_info": map[string]any{"app_id": "A000"}})
	s.mu.Lock()
	s.sockets = append(s.sockets, k)
	s.mu.Unlock()
	gone := make(chan struct{})
	go k.ping(gone)
	k.read()
	close(gone)
	s.mu.Lock()
	for i := range s.sockets {
		if s.sockets[i] == k {
			s.sockets = append(s.sockets[:i], s.sockets[i+1:]...)
			break
		}
	}
	s.mu.Unlock()
	_ = conn.Close()
}

func (k *socket) ping(gone <-chan struct{}) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		if err := k.conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second)); err != nil {
			return
		}
		select {
		case <-t.C:
		case <-gone:
			return
		}
	}
}

func (k *socket) write(v any) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn.WriteJSON(v)
}

// read takes acknowledgements until the connection ends.
func (k *socket) read() {
	for {
		var ack struct {
			EnvelopeID string `json:"envelope_id"`
		}
		if err := k.conn.ReadJSON(&ack); err != nil {
			return
		}
		k.mu.Lock()
		if c := k.acks[ack.EnvelopeID]; c != nil {
			close(c)
			delete(k.acks, ack.EnvelopeID)
		}
		k.mu.Unlock()
	}
}

// Connected counts the Socket Mode connections that are open.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sockets)
}

// Disconnect asks every Socket Mode client to connect anew, as Slack does every few hours.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.sockets {
		_ = k.write(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
	}
}

func (s *Server) push(payload json.RawMessage) error {
	s.mu.Lock()
	if len(s.sockets) == 0 {
		s.mu.Unlock()
		return errors.New("no Socket Mode client is connected")
	}
	k := s.sockets[len(s.sockets)-1]
	s.ids++
	id := fmt.Sprintf("envelope-%d", s.ids)
	s.mu.Unlock()
	acked := make(chan struct{})
	k.mu.Lock()
	k.acks[id] = acked
	k.mu.Unlock()
	if err := k.write(map[string]any{"type": "interactive", "envelope_id": id, "payload": payload, "accepts_response_payload": false}); err != nil {
		return err
	}
	select {
	case <-acked:
		return nil
	case <-time.After(patience):
		return errors.New("not acknowledged within 3 s")
	}
}

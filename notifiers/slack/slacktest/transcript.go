package slacktest

import (
	"fmt"
	"slices"
	"strings"
)

// Message is one message as people find it now.
type Message struct {
	Channel, TS, Thread string
	// Text is what is shown, buttons included; Mentions are those whom it calls.
	Text      string
	Buttons   []string // action ids
	Mentions  []string
	Broadcast bool
	Edits     int
	// OnlyFor names the one person who sees it.
	OnlyFor string
}

// Messages lists what is in a channel, threads included, oldest first.
func (s *Server) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.find(channel, true)
	if c == nil {
		return nil
	}
	var out []Message
	for _, m := range c.messages {
		x := Message{Channel: c.id, TS: m.ts, Thread: m.thread, Broadcast: m.broadcast, Edits: m.edits, OnlyFor: m.onlyFor, Text: m.show(), Mentions: m.calls()}
		for _, b := range m.blocks {
			for _, k := range b.buttons {
				x.Buttons = append(x.Buttons, k.ActionID)
			}
		}
		out = append(out, x)
	}
	return out
}

// Log tells what happened in the channels, one line each, and whether a person's phone would ring.
func (s *Server) Log() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

func (s *Server) note(c *channel, m *message, what string) {
	rings := "silent"
	switch {
	case what != "post":
	case m.thread == "":
		rings = "rings "
	case m.broadcast:
		what, rings = "reply to all", "rings "
	default:
		what = "reply"
	}
	if m.onlyFor != "" {
		what = "only for " + m.onlyFor
	}
	first, _, _ := strings.Cut(m.show(), "\n")
	s.log = append(s.log, fmt.Sprintf("%s #%s %s: %s", rings, c.name, what, strings.TrimSpace(strings.TrimLeft(first, "# "))))
}

// Transcript is what the channels look like now, for people to read.
func (s *Server) Transcript() string {
	var b strings.Builder
	for _, id := range s.channelIDs() {
		ms := s.Messages(id)
		fmt.Fprintf(&b, "──── #%s\n", s.name(id))
		for _, m := range ms {
			if m.Thread != "" {
				continue
			}
			write(&b, m, "")
			for _, r := range ms {
				if r.Thread == m.TS {
					write(&b, r, "    │ ")
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (s *Server) name(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.channels[id].name
}

func (s *Server) channelIDs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for id := range s.channels {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

func write(b *strings.Builder, m Message, indent string) {
	var marks []string
	if m.Broadcast {
		marks = append(marks, "also sent to the channel")
	}
	if m.Edits > 0 {
		marks = append(marks, "edited")
	}
	if m.OnlyFor != "" {
		marks = append(marks, "only "+m.OnlyFor+" sees this")
	}
	for _, x := range m.Mentions {
		marks = append(marks, "CALLS "+x)
	}
	head := "inferdx"
	if len(marks) > 0 {
		head += " (" + strings.Join(marks, ", ") + ")"
	}
	b.WriteString(indent + head + "\n")
	for l := range strings.Lines(m.Text + "\n") {
		b.WriteString(strings.TrimRight(indent+"  "+strings.TrimRight(l, "\n"), " ") + "\n")
	}
}

func (m *message) calls() []string {
	out := mentions(m.text)
	for _, t := range m.mrkdwn() {
		out = append(out, mentions(t)...)
	}
	return out
}

func (m *message) mrkdwn() []string {
	var out []string
	for _, b := range m.blocks {
		for _, t := range slices.Concat([]*textObject{b.Text}, b.Fields, b.texts) {
			if t != nil && t.Type == "mrkdwn" {
				out = append(out, t.Text)
			}
		}
	}
	return out
}

// show lays the blocks out as lines; without blocks the text is shown.
func (m *message) show() string {
	if len(m.blocks) == 0 {
		return shown(m.text)
	}
	var out []string
	for _, b := range m.blocks {
		switch b.Type {
		case "header":
			out = append(out, "# "+shown(b.Text.Text))
		case "divider":
			out = append(out, "───")
		case "section":
			if b.Text != nil {
				out = append(out, shown(b.Text.Text))
			}
			for _, f := range b.Fields {
				out = append(out, "▏ "+strings.ReplaceAll(strings.TrimRight(shown(f.Text), "\n"), "\n", "\n▏ "))
			}
		case "context":
			var parts []string
			for _, t := range b.texts {
				parts = append(parts, shown(t.Text))
			}
			out = append(out, "· "+strings.Join(parts, " · "))
		case "actions":
			var parts []string
			for _, k := range b.buttons {
				parts = append(parts, "["+shown(k.Text.Text)+"]")
			}
			out = append(out, strings.Join(parts, " "))
		}
	}
	return strings.Join(out, "\n")
}

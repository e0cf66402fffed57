package plan

import (
	"encoding/json"

	"github.com/inferdx/inferdx/internal/model"
)

// beside is what people are told of a diagnosis although the contract leaves it out. Without the span,
// a stored message would claim that nothing had changed at an onset that nobody saw.
type beside struct {
	Name string     `json:"name,omitempty"`
	Span model.Span `json:"span"`
}

type storedMessage struct {
	plainMessage
	Beside []beside `json:"beside,omitempty"`
}

type plainMessage Message

// MarshalJSON keeps names and spans of the diagnoses, so that a message reads the same after a restart.
// Trends are left behind.
func (m Message) MarshalJSON() ([]byte, error) {
	s := storedMessage{plainMessage: plainMessage(m)}
	for _, d := range m.Diagnoses {
		s.Beside = append(s.Beside, beside{d.Name, d.Span})
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (m *Message) UnmarshalJSON(b []byte) error {
	var s storedMessage
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	*m = Message(s.plainMessage)
	for i := range min(len(m.Diagnoses), len(s.Beside)) {
		m.Diagnoses[i].Name, m.Diagnoses[i].Span = s.Beside[i].Name, s.Beside[i].Span
	}
	return nil
}

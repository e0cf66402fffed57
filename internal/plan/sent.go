package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Slot names a row of messages: one receiver and one key.
type Slot struct{ Receiver, Key string }

// Sent is what has been told to whom. It is never changed: Next gives a new one.
type Sent map[Slot]*entry

// entry is what is remembered of one row of messages.
type entry struct {
	Path   string            `json:"path,omitempty"`
	Labels map[string]string `json:"labels"`
	// Opened is when the plan first saw the problem, Onset when it began.
	Opened time.Time `json:"opened"`
	Onset  time.Time `json:"onset"`
	// Number is of the last message; 0 while nothing was said.
	Number int `json:"number"`
	// Last is when the last message was decided that had to wait for group_interval, or let others wait.
	Last time.Time `json:"last,omitzero"`
	// Peak is the worst severity told since the onset, Before that of the time before it.
	Peak   model.Severity `json:"peak,omitempty"`
	Before model.Severity `json:"before,omitempty"`
	// Over keeps what ended for a while: it may come back, and a change may still be verified.
	Over     bool               `json:"over,omitempty"`
	Members  map[string]*member `json:"members,omitempty"`
	Outcomes []Outcome          `json:"outcomes,omitempty"`
}

// member is one target or group in a row of messages.
type member struct {
	// Diagnosis is the last one that showed harm and was told or said something new. It has no trends.
	Diagnosis model.Diagnosis `json:"diagnosis"`
	Beside    beside          `json:"beside"`
	Told      bool            `json:"told,omitempty"`
	Cause     string          `json:"cause,omitempty"` // as told
	// Other is a primary cause that was not told, Seen at so many evaluations in a row.
	Other string `json:"other,omitempty"`
	Seen  int    `json:"seen,omitempty"`
	// Hushed says that a silence has covered it since the last message.
	Hushed bool `json:"hushed,omitempty"`
	Ended  end  `json:"ended,omitempty"`
}

// end says how a problem of a target ended; "" while it lasts.
type end string

const (
	recovered end = "recovered"
	gone      end = "gone"
)

// Load reads what Stored wrote. An entry that cannot be read is left out and named in the error, which
// leaves the rest usable. K is a struct of a receiver and a key, in that order.
func Load[K interface {
	comparable
	~struct{ Receiver, Key string }
}](stored map[K]json.RawMessage) (Sent, error) {
	out := make(Sent, len(stored))
	var first error
	for k, raw := range stored {
		e := &entry{}
		if err := json.Unmarshal(raw, e); err != nil {
			if first == nil {
				first = fmt.Errorf("read what was sent to %s about %s: %w", Slot(k).Receiver, Slot(k).Key, err)
			}
			continue
		}
		for _, m := range e.Members {
			m.Diagnosis.Name, m.Diagnosis.Span = m.Beside.Name, m.Beside.Span
		}
		out[Slot(k)] = e
	}
	return out, first
}

// Stored writes each entry as JSON. The same entry gives the same bytes.
func Stored[K interface {
	comparable
	~struct{ Receiver, Key string }
}](s Sent) (map[K]json.RawMessage, error) {
	out := make(map[K]json.RawMessage, len(s))
	for slot, e := range s {
		raw, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("write what was sent to %s about %s: %w", slot.Receiver, slot.Key, err)
		}
		out[K(slot)] = raw
	}
	return out, nil
}

// Lasting gives the diagnoses that a receiver was told of and that have not ended, each once: as it is now where
// it still fires, else as it was last seen to, as when nobody can tell.
func (s Sent) Lasting(receiver string, now []model.Diagnosis) []model.Diagnosis {
	told := map[string]model.Diagnosis{}
	for slot, e := range s {
		if slot.Receiver != receiver || e.Over || e.Number == 0 {
			continue
		}
		for key, m := range e.Members {
			if m.Told && m.Ended == "" {
				told[key] = m.Diagnosis
			}
		}
	}
	for i := range now {
		if key := entity(now[i].Scope, now[i].Target); fires(&now[i]) {
			if _, ok := told[key]; ok {
				told[key] = now[i]
			}
		}
	}
	out := make([]model.Diagnosis, 0, len(told))
	for _, key := range slices.Sorted(maps.Keys(told)) {
		out = append(out, told[key])
	}
	return out
}

// clone copies what Next may change. Diagnoses are shared: they are read-only.
func (e *entry) clone() *entry {
	out := *e
	out.Outcomes = slices.Clone(e.Outcomes)
	out.Members = make(map[string]*member, len(e.Members))
	for k, m := range e.Members {
		c := *m
		out.Members[k] = &c
	}
	return &out
}

func (s Sent) clone() Sent {
	out := maps.Clone(s)
	if out == nil {
		out = Sent{}
	}
	return out
}

// remember keeps a diagnosis when it says something new, so that an entry changes only when its story does.
func (m *member) remember(d *model.Diagnosis, force bool) {
	if !force && m.Diagnosis.Fingerprint == d.Fingerprint && m.Diagnosis.Status == d.Status &&
		severity(&m.Diagnosis) == severity(d) && cause(&m.Diagnosis) == cause(d) && same(&m.Diagnosis, d) {
		return
	}
	m.Diagnosis = *d
	m.Diagnosis.Trends = nil
	m.Beside = beside{d.Name, d.Span}
}

func same(a, b *model.Diagnosis) bool {
	_, x := firing(a)
	_, y := firing(b)
	return x == y
}

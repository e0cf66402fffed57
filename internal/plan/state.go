package plan

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Sent is what was told to whom, by group. It is plain data; the zero value is a beginning.
type Sent map[GroupID]Group

// GroupID says whose messages about what.
type GroupID struct{ Receiver, Key string }

// Group is what one receiver was told of one group.
type Group struct {
	Labels map[string]string `json:"labels"`
	// Since is when there was something to tell that has not been told yet, zero when there is not.
	Since time.Time `json:"since,omitzero"`
	// Onset is when the present problem began, Number how many messages there were about it; 0 before
	// the first one.
	Onset  time.Time `json:"onset,omitzero"`
	Number int       `json:"number,omitempty"`
	// At is when the last message about the problem's state went out.
	At time.Time `json:"at,omitzero"`
	// Severity is the worst that was told, Targets what was told of each, Diagnoses the last that were told.
	Severity  model.Severity    `json:"severity,omitempty"`
	Targets   map[string]Told   `json:"targets,omitempty"`
	Diagnoses []model.Diagnosis `json:"diagnoses,omitempty"`
	// Hushed says that it was silenced since the last message.
	Hushed bool `json:"hushed,omitempty"`
	// Over is when the problem was told to have ended, zero while it goes on.
	Over time.Time `json:"over,omitzero"`
	// Deadline is the route's, for when no route leads here any more.
	Deadline time.Duration `json:"deadline,omitempty"`
}

// Told is what was told of a target.
type Told struct {
	Name  string `json:"name"`
	Cause string `json:"cause,omitempty"`
	// Other is another primary cause than the one told, and Since how long it has been that.
	Other string    `json:"other,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// remembers is how long a problem that is over can still be told about: a change is verified after it
// has helped.
const remembers = 2 * time.Hour

// Encode gives a group as JSON, to be kept.
func (g Group) Encode() (json.RawMessage, error) {
	b, err := json.Marshal(g)
	if err != nil {
		return nil, fmt.Errorf("encode what was sent: %w", err)
	}
	return b, nil
}

// Decode reads what Encode wrote.
func Decode(b json.RawMessage) (Group, error) {
	var g Group
	if err := json.Unmarshal(b, &g); err != nil {
		return g, fmt.Errorf("decode what was sent: %w", err)
	}
	return g, nil
}

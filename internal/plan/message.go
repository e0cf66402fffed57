// Package plan decides which message goes to whom, and why. It is pure: what was sent before is a
// value that the caller keeps, and time is an argument.
package plan

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Reason says why a message goes out.
type Reason string

// The reasons. A problem begins with First and ends with Resolved; Test comes from a person.
const (
	First        Reason = "first"
	Worse        Reason = "worse"
	CauseChanged Reason = "cause_changed"
	Reminder     Reason = "reminder"
	Resolved     Reason = "resolved"
	Verified     Reason = "verified"
	Test         Reason = "test"
)

// Message tells one receiver about one group of diagnoses. It is plain data, so that it can be stored
// and sent later by another process.
type Message struct {
	// ID is the same for the same receiver, key, onset, reason and number: stable over retries and crashes.
	ID       string `json:"id"`
	Receiver string `json:"receiver"`
	// Key names the group. Messages of one receiver and key are delivered in the order of Number.
	Key string `json:"key"`
	// Number counts the messages of this receiver and key since the onset, from 1.
	Number int    `json:"number"`
	Reason Reason `json:"reason"`
	// Severity is the worst among the symptoms that fire; on Resolved, the worst that there was.
	Severity model.Severity `json:"severity"`
	// At is when the message was decided, Onset when the group's oldest problem began.
	At    time.Time `json:"at"`
	Onset time.Time `json:"onset"`
	// GroupLabels are the labels that the route groups by.
	GroupLabels map[string]string `json:"group_labels"`
	// Diagnoses are the group's, the worst first. On Resolved they are the last ones that showed harm.
	Diagnoses []model.Diagnosis `json:"diagnoses"`
	// Resolved names the targets of the group that have recovered since the message before.
	Recovered []string `json:"recovered,omitempty"`
	// Outcome says whether a change helped; set on Verified.
	Outcome *Outcome `json:"outcome,omitempty"`
	// Gone says that a group ended because its targets left service discovery, not because they recovered.
	Gone bool `json:"gone,omitempty"`
	// Over says on Verified that the problem had ended before.
	Over bool `json:"over,omitempty"`
	// Note is a sentence about the delivery itself, such as that another receiver could not be reached.
	Note string `json:"note,omitempty"`
	// Acknowledged says who took the problem on, nil when nobody did.
	Acknowledged *Acknowledgement `json:"acknowledged,omitempty"`
	// Deadline is when delivery is given up and the message becomes a dead letter.
	Deadline time.Time `json:"deadline"`
}

// Firing says whether the group still has a problem.
func (m Message) Firing() bool { return m.Reason != Resolved && !m.Over }

// Acknowledgement is a person's word that they look after a problem.
type Acknowledgement struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Outcome is what came of a change on a target.
type Outcome struct {
	Target  map[string]string `json:"target"`
	Cause   string            `json:"cause"`
	Change  string            `json:"change"`  // such as --max-num-seqs 8 -> 64
	Verdict string            `json:"verdict"` // improved, unchanged, worse, cannot-tell
	Why     string            `json:"why"`
	// Lines are the figures, best first, ready to read: "TTFT P99 13 s -> 0.3 s".
	Lines []string `json:"lines,omitempty"`
}

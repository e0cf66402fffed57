// Package verify finds out whether a change helped: it notices changes on a server frame by frame,
// says what to compare and when, and remembers what came of it. All but the Runner is pure: no I/O, no
// clock, state is a value that the caller keeps.
package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/engine"
)

// Knobs tells a launch flag from other facts, and how it is written.
type Knobs interface {
	Describe(server, id string) (engine.KnobInfo, bool)
}

// Options say how long is looked at. The zero value of each uses its default.
type Options struct {
	// Before is the longest stretch before a change that is compared, 15 minutes.
	Before time.Duration
	// Warmup is left out after the first answered scrape that shows a change, 1 minute: model and graphs
	// are loaded by then, as a server answers no scrape before, but kernels compile at the first requests
	// and the batch fills.
	Warmup time.Duration
	// Unseen is left out on both sides of a change that somebody said and nobody saw, 2 minutes.
	Unseen time.Duration
	// Looks are the times after the warm-up at which a trial is looked at, until one can tell; the last is
	// its deadline. 5, 10, 20 and 30 minutes.
	Looks []time.Duration
	// Late is how long after a change what else is seen belongs to it, 10 minutes: settings that are read
	// from labels over a window, or from an endpoint asked now and then, show after the restart itself.
	Late time.Duration
	// Advice is how long a suggestion is kept to explain a change, 2 hours.
	Advice time.Duration
	// Forget is how long a target is remembered that no frame shows, 24 hours.
	Forget time.Duration
}

func (o Options) withDefaults() Options {
	set := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.Before, 15*time.Minute)
	set(&o.Warmup, time.Minute)
	set(&o.Unseen, 2*time.Minute)
	set(&o.Late, 10*time.Minute)
	set(&o.Advice, 2*time.Hour)
	set(&o.Forget, 24*time.Hour)
	if len(o.Looks) == 0 {
		o.Looks = []time.Duration{5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute}
	}
	return o
}

// Span is a stretch of time.
type Span struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Turn is one launch flag that got another value.
type Turn struct {
	Knob string `json:"knob"`
	Flag string `json:"flag"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Change is what was done to a server, as far as it was seen or said.
type Change struct {
	Turns   []Turn `json:"turns,omitempty"`
	Restart bool   `json:"restart,omitempty"`
	// By is who said that something was applied, "" where it was only seen.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at"`
}

// String writes a change as "--max-num-seqs 8 -> 64".
func (c Change) String() string {
	var parts []string
	for _, t := range c.Turns {
		parts = append(parts, t.Flag+" "+t.From+" -> "+t.To)
	}
	switch {
	case len(parts) > 0:
	case c.Restart && c.By != "":
		return "applied, seen as a restart"
	case c.Restart:
		return "restart"
	default:
		return "applied, no visible change"
	}
	return strings.Join(parts, ", ")
}

func (c Change) visible() bool { return c.Restart || len(c.Turns) > 0 }

// Trial is one change whose effect is to be measured.
type Trial struct {
	// ID stays the same over looks and restarts of this service.
	ID     string            `json:"id"`
	Target map[string]string `json:"target"`
	// Group are the labels that the target shares with the others of its service, nil if it is in none.
	Group map[string]string `json:"group,omitempty"`
	// Cause is what the change was meant for, "" where nobody suggested it.
	Cause  string `json:"cause,omitempty"`
	Change Change `json:"change"`
	// Key is the message under which somebody said that it was applied.
	Key    string `json:"key,omitempty"`
	Before Span   `json:"before"`
	// After.To is set when a trial is due.
	After Span      `json:"after"`
	Due   time.Time `json:"due"`
	Looks int       `json:"looks"`
	// Ended says why a trial is over that was never decided, "" while it goes on.
	Ended string `json:"ended,omitempty"`
}

func (o Options) deadline(t Trial) time.Time { return t.After.From.Add(o.Looks[len(o.Looks)-1]) }

// keyOf is a text that two label sets share only when they are equal; it is valid as a JSON key.
func keyOf(labels map[string]string) string {
	b, _ := json.Marshal(labels) // strings always encode, in order of their names
	return string(b)
}

func trialID(key string, at time.Time) string {
	sum := sha256.Sum256([]byte(key + at.UTC().Format(time.RFC3339Nano)))
	return hex.EncodeToString(sum[:8])
}

func (t Trial) clone() Trial {
	t.Change.Turns = slices.Clone(t.Change.Turns)
	return t
}

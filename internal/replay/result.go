package replay

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/plan"
)

// Result is what would have happened, the root of the JSON contract.
type Result struct {
	Version       string    `json:"version"`
	From          time.Time `json:"from"`
	To            time.Time `json:"to"`
	StepSeconds   float64   `json:"step_seconds"`
	WindowSeconds float64   `json:"window_seconds"`
	// Looks is how many times it was looked, Blind at how many of them nothing had been scraped.
	Looks    int       `json:"looks"`
	Blind    int       `json:"blind"`
	Targets  []Target  `json:"targets"`
	Episodes []Episode `json:"episodes"`
	Symptoms []Symptom `json:"symptoms"`
	// Messages are those that would have gone out, where they were planned.
	Messages []plan.Message `json:"messages,omitempty"`
	Faults   []string       `json:"faults"`
	Notes    []string       `json:"notes"`
}

// State is how a target was at a time.
type State string

// The states, the worst first. A gap is a time at which nothing was scraped of the target: it is not health.
const (
	Down     State = "down"
	Firing   State = "firing"
	Pending  State = "pending"
	Degraded State = "degraded" // harm that is too slight to count as either
	Gap      State = "gap"
	Unknown  State = "unknown"
	Healthy  State = "healthy"
	Idle     State = "idle"
)

// Target is one server, or a group that had symptoms of its own, and how it was.
type Target struct {
	Name     string            `json:"name"`
	Scope    model.Scope       `json:"scope"`
	Labels   map[string]string `json:"labels"`
	Segments []Segment         `json:"segments"`
}

// Segment is a stretch of one state with one primary cause. From is exclusive, To the last look at it.
type Segment struct {
	State State     `json:"state"`
	Cause string    `json:"cause,omitempty"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// Episode is one symptom of one entity from its onset to its end.
type Episode struct {
	Symptom  string            `json:"symptom"`
	Title    string            `json:"title"`
	Severity model.Severity    `json:"severity"`
	Scope    model.Scope       `json:"scope"`
	Entity   string            `json:"entity"`
	Name     string            `json:"name"`
	Target   map[string]string `json:"target"`
	// Fired is false of a symptom that was over before its rule's `for`.
	Fired bool `json:"fired"`
	// Onset is when the harm began, as far as the samples show it. Traced is false where it is only the
	// first look that showed it, or the beginning of what was looked at.
	Onset  time.Time `json:"onset"`
	Traced bool      `json:"traced"`
	// Seen is the first look that showed it, FiredAt the first at which it fired, nil when it never did.
	Seen    time.Time  `json:"seen"`
	FiredAt *time.Time `json:"fired_at"`
	// LastTrue is the last look at which it was so; End the one that ended it, nil when it had not ended.
	LastTrue time.Time  `json:"last_true"`
	End      *time.Time `json:"end"`
	// Ended is resolved, gone (the entity was seen no more), or running.
	Ended string `json:"ended"`
	// Seconds are from Onset to End, or to the last look that showed it.
	Seconds float64 `json:"seconds"`
	// Causes are the primary causes of its time, the one that was longest first.
	Causes []Cause `json:"causes"`
}

// How an episode ended.
const (
	Resolved = "resolved"
	Gone     = "gone"
	Running  = "running"
)

// Cause is a primary cause of an episode.
type Cause struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	// Share is the part of the episode's looks that named it, Score its highest score.
	Share float64 `json:"share"`
	Score float64 `json:"score"`
}

// Symptom says how often a rule would have fired with which `for`.
type Symptom struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Severity model.Severity `json:"severity"`
	// ForSeconds is the rule's own; Firings and FiringSeconds are what came of it, and PendingOnly what
	// was over before.
	ForSeconds    float64  `json:"for_seconds"`
	Firings       int      `json:"firings"`
	FiringSeconds float64  `json:"firing_seconds"`
	PendingOnly   int      `json:"pending_only"`
	Choices       []Choice `json:"choices"`
}

// Choice is what would have come of another `for`.
type Choice struct {
	ForSeconds    float64 `json:"for_seconds"`
	Firings       int     `json:"firings"`
	FiringSeconds float64 `json:"firing_seconds"`
}

// Length is how long an episode was.
func (e Episode) Length() time.Duration { return time.Duration(e.Seconds * float64(time.Second)) }

package plan

import (
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/model"
)

// AllLabels in a route's GroupBy gives every target messages of its own.
const AllLabels = "..."

// Policy says who hears of what, and when. It is read-only and lives from one reload to the next.
type Policy struct {
	// Route takes everything; its own routes take what matches them.
	Route Route
	// Receivers are all that there are. What was sent to others is forgotten.
	Receivers map[string]Receiver
	Inhibit   []Inhibition
	// External labels go on every problem that has no label of that name.
	External map[string]string
	// Settle is how many evaluations in a row have to name another primary cause before it is told; 3 if
	// 0. Evidence comes from a window: until all of it is younger than what has changed, as a restart, it is of
	// two states at once, and so may the cause be.
	Settle int
	// Deliver is how long a message may take to arrive; an hour if 0. Alertmanager tries for one
	// group_interval and then decides anew; a message of ours is never decided twice, so it is tried
	// until it would be old news: at the latest then the fallback hears of it.
	Deliver time.Duration
}

// Receiver is what the plan has to know about one.
type Receiver struct {
	// SendResolved says whether the receiver wants to hear that a problem is over.
	SendResolved bool
}

// Route is one node of the tree, its settings complete: nothing is inherited.
type Route struct {
	Receiver string
	Matchers matchers.Matchers
	// Continue goes on with the routes behind this one after it has matched.
	Continue bool
	// GroupBy are the labels of which each combination gets its own messages.
	GroupBy                                  []string
	GroupWait, GroupInterval, RepeatInterval time.Duration
	// Nothing is sent while one of Mute holds, or, where there are any, none of Active.
	Mute, Active []Hours
	Routes       []Route
}

// Hours says whether an instant lies in some hours that have a name.
type Hours interface{ Contains(time.Time) bool }

// Inhibition keeps back what matches Target while something that matches Source fires.
type Inhibition struct {
	Source, Target matchers.Matchers
	// Equal labels have the same value on both; two that lack one are equal.
	Equal []string
}

// Silence keeps back what matches it, From included, To not.
type Silence struct {
	Matchers matchers.Matchers
	From, To time.Time
}

// Taken is an acknowledgement: reminders stay away until the severity rises above what it was then.
type Taken struct {
	By       string
	At       time.Time
	Severity model.Severity
}

// Entity names a target or a group without saying anything about it.
type Entity struct {
	Scope  model.Scope
	Target map[string]string
}

// Input is all that is new at one evaluation.
type Input struct {
	At time.Time
	// Diagnoses are of everything seen now, what is healthy included.
	Diagnoses []model.Diagnosis
	// Held could not be seen because their source failed: their problems neither end nor are repeated. What
	// is in neither list is gone.
	Held []Entity
	// Outcomes are told once, to those who were told of a problem of that target.
	Outcomes []Outcome
	// Warming sends nothing and ends nothing: too little has been seen since the start.
	Warming  bool
	Silences []Silence
	// Taken are the acknowledgements by message key.
	Taken map[string]Taken
}

// Decision is what one evaluation comes to.
type Decision struct {
	// Messages are in order of receiver, key and number.
	Messages []Message
	// Sent is to be stored with the messages, in one transaction.
	Sent Sent
	// Suppressed counts what is kept back now: silence, inhibition, mute_time_interval and
	// active_time_interval in problems per receiver, acknowledged in reminders.
	Suppressed map[string]int
	// Ended are the keys whose problem is over: their acknowledgements have served.
	Ended []string
}

// What keeps a message back, as metrics name it.
const (
	bySilence    = "silence"
	byInhibition = "inhibition"
	byMute       = "mute_time_interval"
	byActive     = "active_time_interval"
	byTaken      = "acknowledged"
)

// quiet says why a route sends nothing at an instant; "" when it does.
func (r *Route) quiet(at time.Time) string {
	for _, h := range r.Mute {
		if h.Contains(at) {
			return byMute
		}
	}
	for _, h := range r.Active {
		if h.Contains(at) {
			return ""
		}
	}
	if len(r.Active) > 0 {
		return byActive
	}
	return ""
}

// place is a route with its path from the outermost one, which tells it apart from others of its receiver.
type place struct {
	*Route
	path string
}

// match lists the routes that take the labels, as Alertmanager walks its tree.
func (p place) match(labels map[string]string) []place {
	if !p.Matchers.Match(labels) {
		return nil
	}
	var out []place
	for i := range p.Routes {
		child := p.child(i)
		found := child.match(labels)
		out = append(out, found...)
		if len(found) > 0 && !child.Continue {
			break
		}
	}
	if len(out) == 0 {
		return []place{p}
	}
	return out
}

func (p place) child(i int) place {
	r := &p.Routes[i]
	return place{r, p.path + "/" + r.Matchers.String()}
}

// all lists the tree, the outermost route first.
func (p place) all() []place {
	out := []place{p}
	for i := range p.Routes {
		out = append(out, p.child(i).all()...)
	}
	return out
}

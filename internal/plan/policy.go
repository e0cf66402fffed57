package plan

import (
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
)

// Policy is who is told what, and when. It is made once of a configuration and only read.
type Policy struct {
	Root    *Route // nil tells nobody
	Inhibit []Inhibition
	// External are labels that every problem has beside its own.
	External map[string]string
}

// Hours hold some instants.
type Hours interface{ Contains(at time.Time) bool }

// Route sends the problems that match it to a receiver, unless one of its own routes takes them.
type Route struct {
	Receiver string
	Matchers matchers.Matchers
	Continue bool
	// GroupBy are the labels of which each combination of values is told apart; ByAll takes all labels
	// of the target.
	GroupBy []string
	ByAll   bool
	// Wait is how long a new group waits for more, Interval the least time between messages about what
	// is new in a group, Repeat the time after which the same is said again.
	Wait, Interval, Repeat time.Duration
	// Deadline is how long delivery is tried.
	Deadline time.Duration
	// Muted are hours in which nothing is sent; Active, where there are some, hours outside of which nothing is.
	Muted, Active []Hours
	Routes        []*Route
}

// Inhibition keeps the targets back while a source is there whose Equal labels are the same.
type Inhibition struct {
	Source, Target matchers.Matchers
	Equal          []string
}

// Silence keeps back what it matches, for a while.
type Silence struct {
	Matchers matchers.Matchers
	From, To time.Time
}

// routes finds those that take a problem. The root takes what no other does.
func (p *Policy) routes(labels map[string]string) []*Route {
	if p.Root == nil {
		return nil
	}
	return p.Root.take(labels)
}

func (r *Route) take(labels map[string]string) []*Route {
	if !r.Matchers.Match(labels) {
		return nil
	}
	var out []*Route
	for _, child := range r.Routes {
		got := child.take(labels)
		out = append(out, got...)
		if len(got) > 0 && !child.Continue {
			break
		}
	}
	if len(out) == 0 {
		out = []*Route{r}
	}
	return out
}

// quiet says why nothing may be sent at a time, "" when it may.
func (r *Route) quiet(at time.Time) Suppression {
	for _, h := range r.Muted {
		if h.Contains(at) {
			return Muted
		}
	}
	for _, h := range r.Active {
		if h.Contains(at) {
			return ""
		}
	}
	if len(r.Active) > 0 {
		return Inactive
	}
	return ""
}

// inhibited marks the problems that others keep back. One that matches both sides does not keep itself back.
func (p *Policy) inhibited(all []*problem) map[*problem]bool {
	out := map[*problem]bool{}
	for _, rule := range p.Inhibit {
		sources := map[string][]*problem{}
		for _, x := range all {
			if rule.Source.Match(x.labels) {
				key := rule.key(x)
				sources[key] = append(sources[key], x)
			}
		}
		for _, x := range all {
			by := sources[rule.key(x)]
			if len(by) == 0 || len(by) == 1 && by[0] == x || !rule.Target.Match(x.labels) {
				continue
			}
			out[x] = true
		}
	}
	return out
}

func (i Inhibition) key(x *problem) string {
	var b strings.Builder
	for _, name := range i.Equal {
		b.WriteString(x.labels[name] + "\x1f")
	}
	return b.String()
}

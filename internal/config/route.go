package config

import (
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/matchers"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Route sends what matches it to a receiver, unless one of its own routes takes it. In a loaded
// configuration what a route does not say is filled in from the route around it.
type Route struct {
	// Who gets it. Required at the top; further down, default the same as around it.
	Receiver string `yaml:"receiver,omitempty"`
	// Who gets it when the receiver refuses for good.
	Fallback string `yaml:"fallback,omitempty"`
	// Labels of which each combination of values gets its own messages; ... stands for all labels. Default all problems together.
	GroupBy *[]string `yaml:"group_by,flow,omitempty"`
	// How long to wait for more before the first message of a group. Default 30s.
	GroupWait *Delay `yaml:"group_wait,omitempty"`
	// How long to wait before telling what is new in a group. Default 5m.
	GroupInterval Duration `yaml:"group_interval,omitempty"`
	// How long to wait before saying the same again. Default 4h.
	RepeatInterval Duration `yaml:"repeat_interval,omitempty"`
	// Labels and the values that they have to have.
	Match map[Label]string `yaml:"match,omitempty"`
	// Labels and regular expressions that they have to match.
	MatchRE Selector `yaml:"match_re,omitempty"`
	// Conditions such as severity="critical" or model=~"chat.*".
	Matchers Matchers `yaml:"matchers,omitempty"`
	// Go on with the routes behind this one. Default false.
	Continue bool `yaml:"continue,omitempty"`
	// Names of time_intervals in which nothing is sent.
	MuteTimeIntervals []string `yaml:"mute_time_intervals,omitempty"`
	// Names of time_intervals outside of which nothing is sent.
	ActiveTimeIntervals []string `yaml:"active_time_intervals,omitempty"`
	// Closer routes. The first that matches takes it.
	Routes []*Route `yaml:"routes,omitempty"`
}

// Conditions are all of match, match_re and matchers.
func (r *Route) Conditions() matchers.Matchers {
	out := slices.Clone(matchers.Matchers(r.Matchers))
	for _, name := range slices.Sorted(maps.Keys(r.Match)) {
		m, _ := matchers.New(string(name), matchers.Equal, r.Match[name]) // only a pattern can fail
		out = append(out, m)
	}
	for _, name := range slices.Sorted(maps.Keys(r.MatchRE)) {
		if m, err := matchers.New(string(name), matchers.Like, r.MatchRE[name].String()); err == nil { // it has compiled before
			out = append(out, m)
		}
	}
	return out
}

// inherit fills in what the route does not say from the route around it.
func (r *Route) inherit(from *Route) {
	fill(&r.Receiver, from.Receiver)
	if from.Fallback != r.Receiver {
		fill(&r.Fallback, from.Fallback)
	}
	fill(&r.GroupBy, from.GroupBy)
	fill(&r.GroupWait, from.GroupWait)
	fill(&r.GroupInterval, from.GroupInterval)
	fill(&r.RepeatInterval, from.RepeatInterval)
	for _, child := range r.Routes {
		if child != nil {
			child.inherit(r)
		}
	}
}

// route is the outermost one: there nothing is inherited, and nothing may be left unmatched.
func (c *check) route(r *Route, at place) {
	c.require(at, "receiver", r.Receiver != "")
	for _, f := range []string{"match", "match_re", "matchers", "continue", "mute_time_intervals", "active_time_intervals"} {
		if p := at.field(f); p.key != nil {
			c.fault(place{node: p.key, around: p.around}, "put it on one of its routes", "the outermost route takes everything: %s cannot stand here", f)
		}
	}
	wait := Delay(30 * time.Second)
	r.inherit(&Route{GroupWait: &wait, GroupInterval: Duration(5 * time.Minute), RepeatInterval: Duration(4 * time.Hour), GroupBy: &[]string{}})
	used := map[string]bool{}
	c.below(r, at, used)
	if len(c.syntax)+len(c.problems) > 0 { // what is never used may only be misspelt
		return
	}
	for i, other := range c.cfg.Receivers {
		if other != nil && other.Name != "" && !used[other.Name] {
			c.warn(at0(c, "receivers").item(i).field("name"), "no route sends anything to %s", other.Name)
		}
	}
}

func (c *check) below(r *Route, at place, used map[string]bool) {
	used[r.Receiver], used[r.Fallback] = true, true
	c.known(at.field("receiver"), "receiver", r.Receiver, c.receivers)
	c.known(at.field("fallback"), "receiver", r.Fallback, c.receivers)
	if f := at.field("fallback"); f.key != nil && r.Fallback == r.Receiver {
		c.fault(f, "", "the fallback is the receiver itself")
	}
	for _, list := range []struct {
		field string
		names []string
	}{{"mute_time_intervals", r.MuteTimeIntervals}, {"active_time_intervals", r.ActiveTimeIntervals}} {
		for i, name := range list.names {
			c.known(at.field(list.field).item(i), "time interval", name, c.intervals)
		}
	}
	if by := at.field("group_by"); by.key != nil && r.GroupBy != nil {
		seen := map[string]place{}
		for i, name := range *r.GroupBy {
			c.once(seen, "label", name, by.item(i))
		}
		if len(seen) > 1 && seen["..."] != (place{}) {
			c.fault(by, "", "... stands for all labels and must stand alone")
		}
	}
	if r.RepeatInterval < r.GroupInterval {
		where := at.field("repeat_interval")
		if where.key == nil {
			where = at.field("group_interval")
		}
		if where.key != nil {
			c.warn(where, "repeat_interval of %s is shorter than group_interval of %s, which then is what counts", r.RepeatInterval, r.GroupInterval)
		}
	}
	for i, child := range r.Routes {
		if here := at.field("routes").item(i); child != nil {
			c.below(child, here, used)
		}
	}
}

// InhibitRule silences targets while a source is there.
type InhibitRule struct {
	// What it is called in messages.
	Name string `yaml:"name,omitempty"`
	// The problems that silence. Required.
	SourceMatchers Matchers `yaml:"source_matchers,omitempty"`
	// The problems that are silenced. Required.
	TargetMatchers Matchers `yaml:"target_matchers,omitempty"`
	// Labels that both have to have with the same value.
	Equal []Label `yaml:"equal,flow,omitempty"`
}

func (r *InhibitRule) check(c *check, at place) {
	c.require(at, "source_matchers", len(r.SourceMatchers) > 0)
	c.require(at, "target_matchers", len(r.TargetMatchers) > 0)
}

// known refuses names that stand nowhere.
func (c *check) known(at place, what, name string, all []string) {
	if name == "" || slices.Contains(all, name) || at.key == nil && at.around == nil {
		return
	}
	if at.node == nil { // inherited: told where it stands
		return
	}
	hint := "no " + what + " is defined"
	if near := yamlpos.Nearest(name, all); near != "" {
		hint = "did you mean " + near + "?"
	} else if len(all) > 0 {
		hint = "known: " + list(all)
	}
	c.fault(at, hint, "unknown %s %s", what, shorten(name))
}

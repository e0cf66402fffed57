package replay

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// collector puts the looks together, in order of time.
type collector struct {
	o       Options
	out     Result
	targets map[string]*line
	order   []*line
	quiet   Target // how a group was for which nothing was found so far
	open    map[string]*episode
	done    []*episode
	own     map[string]*Symptom // what came of the rules as they are
	last    time.Time
	judged  bool // there was a look before that could be judged

	unread, chunks int
	cause          error // of the first chunk that could not be read
}

// line is the timeline of one target.
type line struct {
	Target

	seen bool // by the present look
}

// episode is one under way.
type episode struct {
	Episode

	looks  int
	causes map[string]*Cause
}

func newCollector(o Options) *collector {
	return &collector{
		o: o, targets: map[string]*line{}, open: map[string]*episode{}, own: map[string]*Symptom{}, last: o.From,
		out: Result{
			Version: "1", From: o.From.UTC(), To: o.To.UTC(), StepSeconds: o.Step.Seconds(), WindowSeconds: o.Window.Seconds(),
			Targets: []Target{}, Episodes: []Episode{}, Symptoms: []Symptom{}, Faults: []string{}, Notes: []string{},
		},
	}
}

// read takes note of what a chunk lacks.
func (c *collector) read(ch *chunk) {
	c.chunks++
	for _, f := range ch.faults {
		c.fault(f.Source + ": " + f.Err)
	}
	if ch.err == nil {
		return
	}
	c.unread++
	if c.cause == nil {
		c.cause = ch.err
	}
	c.fault(fmt.Sprintf("%s to %s: %v", ch.steps[0].UTC().Format(time.RFC3339), ch.last().UTC().Format(time.RFC3339), ch.err))
}

// mostFaults keeps a source that fails all along from filling the result.
const mostFaults = 50

func (c *collector) fault(text string) {
	if len(c.out.Faults) < mostFaults && !slices.Contains(c.out.Faults, text) {
		c.out.Faults = append(c.out.Faults, text)
	}
}

// add takes the next look.
func (c *collector) add(l *look) {
	c.out.Looks++
	if l.blind {
		c.out.Blind++
	}
	for _, n := range l.notes {
		if !slices.Contains(c.out.Notes, n) {
			c.out.Notes = append(c.out.Notes, n)
		}
	}
	c.timelines(l)
	if !l.blind {
		c.episodes(l)
		c.judged = true
	}
	if c.o.Messages != nil {
		c.out.Messages = append(c.out.Messages, c.o.Messages(l.at, l.diagnoses)...)
	}
	c.last = l.at
}

func (c *collector) timelines(l *look) {
	for _, x := range c.order {
		x.seen = false
	}
	for _, s := range l.targets {
		x := c.targets[s.key]
		if x == nil {
			x = c.begin(s)
		}
		if len(s.labels) > len(x.Labels) {
			x.Labels = s.labels
		}
		x.seen = true
		x.extend(s.state, s.cause.ID, c.last, l.at)
	}
	absent := Healthy // a group is told about while it has symptoms
	if l.blind {
		absent = Gap
	}
	c.quiet.extend(absent, "", c.last, l.at)
	for _, x := range c.order {
		switch {
		case x.seen:
		case x.Scope == model.ScopeTarget:
			x.extend(Gap, "", c.last, l.at)
		default:
			x.extend(absent, "", c.last, l.at)
		}
	}
}

// begin starts the timeline of a target or a group that is seen for the first time.
func (c *collector) begin(s sight) *line {
	x := &line{Target: Target{Name: s.name, Scope: s.scope, Labels: s.labels}}
	switch {
	case s.scope != model.ScopeTarget:
		x.Segments = slices.Clone(c.quiet.Segments)
	case c.last.After(c.o.From):
		x.Segments = []Segment{{State: Gap, From: c.o.From.UTC(), To: c.last.UTC()}}
	}
	c.targets[s.key] = x
	c.order = append(c.order, x)
	return x
}

func (t *Target) extend(s State, cause string, from, to time.Time) {
	if n := len(t.Segments); n > 0 && t.Segments[n-1].State == s && t.Segments[n-1].Cause == cause {
		t.Segments[n-1].To = to.UTC()
		return
	}
	t.Segments = append(t.Segments, Segment{State: s, Cause: cause, From: from.UTC(), To: to.UTC()})
}

func (c *collector) episodes(l *look) {
	for _, a := range l.actives {
		if c.told(a.symptom.ID) {
			c.episode(l, a)
		}
	}
	for key, e := range c.open {
		if _, held := l.state[key]; held {
			continue
		}
		e.Ended, e.End = Resolved, utc(l.at)
		if !l.shows(e) {
			e.Ended, e.End = Gone, utc(e.lastShown())
		}
		c.finish(e)
		delete(c.open, key)
	}
}

// shows says whether the target of an episode is seen at all.
func (l *look) shows(e *episode) bool {
	return slices.ContainsFunc(l.targets, func(s sight) bool { return s.name == e.Name && s.state != Gap })
}

func (c *collector) told(symptom string) bool {
	return len(c.o.Symptoms) == 0 || slices.Contains(c.o.Symptoms, symptom)
}

func (c *collector) episode(l *look, a active) {
	s := a.symptom
	e := c.open[a.key]
	if e == nil {
		e = &episode{causes: map[string]*Cause{}, Episode: Episode{
			Symptom: s.ID, Title: s.Title, Severity: s.Severity, Scope: s.Scope, Entity: a.entity, Name: a.entity, Target: map[string]string{},
			Onset: s.Since.UTC(), Traced: s.Traced, Seen: l.at.UTC(),
		}}
		if !s.Traced && c.judged { // it was not so at the look before
			e.Onset = e.Seen
		}
		if a.owner >= 0 {
			e.Name, e.Target = l.targets[a.owner].name, l.targets[a.owner].labels
		}
		c.open[a.key] = e
	}
	t := c.symptom(s)
	if s.State == model.Firing {
		if !e.Fired {
			e.Fired, e.FiredAt = true, utc(l.at)
			t.Firings++
		}
		t.FiringSeconds += min(l.at.Sub(c.last), c.o.Step).Seconds()
	}
	e.LastTrue = l.state[a.key].LastTrue.UTC()
	e.looks++
	e.Seconds = l.at.Sub(e.Onset).Seconds()
	if a.owner >= 0 && l.targets[a.owner].cause.ID != "" {
		cause := l.targets[a.owner].cause
		if e.causes[cause.ID] == nil {
			e.causes[cause.ID] = &Cause{ID: cause.ID, Title: cause.Title}
		}
		e.causes[cause.ID].Share++
		e.causes[cause.ID].Score = max(e.causes[cause.ID].Score, cause.Score)
	}
}

func (e *episode) lastShown() time.Time { return e.Onset.Add(e.Length()) }

func (c *collector) symptom(s model.Symptom) *Symptom {
	if c.own[s.ID] == nil {
		c.own[s.ID] = &Symptom{ID: s.ID, Title: s.Title, Severity: s.Severity}
	}
	return c.own[s.ID]
}

func (c *collector) finish(e *episode) {
	if e.End != nil {
		e.Seconds = e.End.Sub(e.Onset).Seconds()
	}
	if !e.Fired {
		c.own[e.Symptom].PendingOnly++
	}
	e.Causes = []Cause{}
	for _, x := range e.causes {
		x.Share /= float64(e.looks)
		e.Causes = append(e.Causes, *x)
	}
	slices.SortFunc(e.Causes, func(a, b Cause) int {
		return cmp.Or(-cmp.Compare(a.Share, b.Share), -cmp.Compare(a.Score, b.Score), strings.Compare(a.ID, b.ID))
	})
	c.done = append(c.done, e)
}

// result closes what is open and sorts.
func (c *collector) result(l *ledger) (*Result, error) {
	if c.unread == c.chunks && c.cause != nil {
		return nil, fmt.Errorf("nothing could be read: %w", c.cause)
	}
	if c.out.Looks == 0 {
		return nil, errors.New("replay: there was nothing to look at")
	}
	for _, e := range c.open {
		e.Ended = Running
		c.finish(e)
	}
	slices.SortFunc(c.done, func(a, b *episode) int {
		return cmp.Or(a.Onset.Compare(b.Onset), a.Seen.Compare(b.Seen), -cmp.Compare(a.Severity.Rank(), b.Severity.Rank()),
			strings.Compare(a.Symptom, b.Symptom), strings.Compare(a.Name, b.Name), strings.Compare(a.Entity, b.Entity))
	})
	for _, e := range c.done {
		c.out.Episodes = append(c.out.Episodes, e.Episode)
	}
	slices.SortFunc(c.order, func(a, b *line) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(string(a.Scope), string(b.Scope)), strings.Compare(a.Labels["job"], b.Labels["job"]))
	})
	for _, x := range c.order {
		c.out.Targets = append(c.out.Targets, x.Target)
	}
	c.symptoms(l)
	return &c.out, nil
}

func (c *collector) symptoms(l *ledger) {
	for id, s := range c.own {
		if r, ok := c.o.Pipeline.Content.Rules.Get(id); ok {
			s.ForSeconds = r.For.Seconds()
		}
		s.Choices = []Choice{}
		if t := l.tallies[id]; t != nil {
			for i, d := range choices() {
				s.Choices = append(s.Choices, Choice{ForSeconds: d.Seconds(), Firings: t.firings[i], FiringSeconds: t.lasted[i].Seconds()})
			}
		}
		c.out.Symptoms = append(c.out.Symptoms, *s)
	}
	slices.SortFunc(c.out.Symptoms, func(a, b Symptom) int {
		return cmp.Or(-cmp.Compare(a.Severity.Rank(), b.Severity.Rank()), -cmp.Compare(a.FiringSeconds, b.FiringSeconds), strings.Compare(a.ID, b.ID))
	})
}

func utc(t time.Time) *time.Time {
	t = t.UTC()
	return &t
}

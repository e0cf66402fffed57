package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// settles is how long another primary cause has to last before it is told: the evidence moves while a
// problem develops, and a message that is taken back costs trust.
const settles = time.Minute

// step decides for one group.
func (w *work) step(id GroupID, g Group, now *gathering) (next Group, ms []Message, keep bool) {
	worstFirst(now.open)
	if now.route != nil {
		g.Labels, g.Deadline = now.labels, now.route.Deadline
	}
	s := &stepping{work: w, id: id, g: g, now: now}
	s.g.Targets = maps.Clone(g.Targets)
	switch {
	case g.Number > 0 && g.Over.IsZero():
		s.goesOn()
	case len(now.open) > 0:
		s.begins()
	default:
		s.g.Since = time.Time{}
	}
	s.verified()
	return s.g, s.out, s.g.Number > 0 && (s.g.Over.IsZero() || w.in.At.Sub(s.g.Over) < remembers) || !s.g.Since.IsZero()
}

type stepping struct {
	*work

	id  GroupID
	g   Group
	now *gathering
	out []Message
}

// begins waits for more, then tells of a new problem.
func (s *stepping) begins() {
	at, r := s.in.At, s.now.route
	if s.g.Since.IsZero() || s.g.Since.After(at) {
		s.g.Since = at
	}
	switch {
	case at.Sub(s.g.Since) < r.Wait, s.tooSoon():
	case r.quiet(at) != "":
		s.suppressed[r.quiet(at)] += len(s.now.open)
	default:
		s.g.Onset, s.g.Number, s.g.Over = earliest(s.now.open, at), 0, time.Time{}
		s.tell(First, nil, false)
	}
}

// tooSoon says that the last message about the group's state is not an interval old.
func (s *stepping) tooSoon() bool {
	since := s.in.At.Sub(s.g.At)
	return s.now.route != nil && !s.g.At.IsZero() && since >= 0 && since < s.now.route.Interval
}

// goesOn tells what is new about a problem that was told.
func (s *stepping) goesOn() {
	r, left := s.now.route, s.left()
	s.g.Hushed = s.g.Hushed || len(s.now.kept) > 0 && len(s.now.open) == 0
	over := len(s.now.open)+len(s.now.kept) == 0 && left.all(s.g.Targets)
	if r != nil && r.quiet(s.in.At) != "" {
		s.suppressed[r.quiet(s.in.At)] += len(s.now.open)
		return
	}
	switch {
	case over && !s.tooSoon():
		s.resolve(left)
	case over || len(s.now.open) == 0:
	case worst(s.now.open).Rank() > s.g.Severity.Rank():
		s.tell(Worse, left.recovered, false)
	case s.tooSoon():
		s.causes()
	case s.fresh():
		s.tell(Worse, left.recovered, false)
	case s.causes():
		s.tell(CauseChanged, left.recovered, false)
	case len(left.recovered)+len(left.gone)+len(left.moved) > 0:
		s.tell(Reminder, left.recovered, false)
	case s.g.Hushed || s.in.At.Sub(s.g.At) >= r.Repeat:
		if ack, ok := s.in.Acknowledged[s.id.Key]; ok && s.g.Severity.Rank() <= ack.Severity.Rank() {
			s.suppressed[Acknowledged]++
			return
		}
		s.tell(Reminder, nil, false)
	}
}

// left are the targets that were told and are not in the group any more, by name.
type left struct{ recovered, gone, moved []string }

func (l left) all(told map[string]Told) bool {
	return len(l.recovered)+len(l.gone)+len(l.moved) == len(told)
}

// left finds them. One that cannot be seen for now is still there; one that another route takes now,
// as its severity is another, has moved.
func (s *stepping) left() left {
	var out left
	for _, id := range slices.Sorted(maps.Keys(s.g.Targets)) {
		here := func(x *problem) bool { return x.id == id }
		name := s.g.Targets[id].Name
		switch {
		case s.in.Held[id], slices.ContainsFunc(s.now.open, here), slices.ContainsFunc(s.now.kept, here):
		case s.hurt[id]:
			out.moved = append(out.moved, name)
		case s.seen[id]:
			out.recovered = append(out.recovered, name)
		default:
			out.gone = append(out.gone, name)
		}
	}
	return out
}

// fresh says that a target hurts of which nothing was told.
func (s *stepping) fresh() bool {
	return slices.ContainsFunc(s.now.open, func(x *problem) bool { _, told := s.g.Targets[x.id]; return !told })
}

// causes follows the primary causes, and says whether one has been another than the told one for long enough.
func (s *stepping) causes() bool {
	changed := false
	for _, x := range s.now.open {
		t, ok := s.g.Targets[x.id]
		switch {
		case !ok || x.cause == "":
			continue
		case x.cause == t.Cause:
			t.Other, t.Since = "", time.Time{}
		case x.cause != t.Other || t.Since.After(s.in.At):
			t.Other, t.Since = x.cause, s.in.At
		default:
			changed = changed || s.in.At.Sub(t.Since) >= settles
		}
		s.g.Targets[x.id] = t
	}
	return changed
}

// resolve tells that the problem has ended: what is told is how it was.
func (s *stepping) resolve(l left) {
	m := s.message(Resolved)
	m.Diagnoses, m.Severity, m.Recovered = s.g.Diagnoses, s.g.Severity, l.recovered
	m.Gone = len(l.gone) > 0 && len(l.recovered)+len(l.moved) == 0
	if len(l.moved) > 0 {
		m.Note = "it goes on with another severity or cause, which others are told of"
	}
	s.send(m)
	s.g.Over, s.g.Targets, s.g.Hushed, s.g.Since = s.in.At, nil, false, time.Time{}
}

// tell says how things are now.
func (s *stepping) tell(why Reason, recovered []string, gone bool) {
	shown := unfolded(s.now.open)
	m := s.message(why)
	m.Severity, m.Recovered, m.Gone = worst(s.now.open), recovered, gone
	for _, x := range shown {
		m.Diagnoses = append(m.Diagnoses, *x.Diagnosis)
	}
	if ack, ok := s.in.Acknowledged[s.id.Key]; ok {
		m.Acknowledged = &ack.Acknowledgement
	}
	s.send(m)
	told := map[string]Told{}
	for id, t := range s.g.Targets { // what cannot be seen, or is silenced, is still a part of it
		if s.in.Held[id] || slices.ContainsFunc(s.now.kept, func(x *problem) bool { return x.id == id }) {
			told[id] = t
		}
	}
	for _, x := range s.now.open {
		told[x.id] = Told{Name: x.name(), Cause: x.cause}
	}
	s.g.Targets, s.g.Diagnoses, s.g.Severity, s.g.Hushed, s.g.Since = told, m.Diagnoses, m.Severity, false, time.Time{}
}

// verified tells what came of changes on targets of the group.
func (s *stepping) verified() {
	if s.g.Number == 0 || s.now.route != nil && s.now.route.quiet(s.in.At) != "" {
		return
	}
	for i := range s.in.Outcomes {
		o := s.in.Outcomes[i]
		about := func(d model.Diagnosis) bool { return contains(d.Target, o.Target) || contains(o.Target, d.Target) }
		if len(o.Target) == 0 || !slices.ContainsFunc(s.g.Diagnoses, about) {
			continue
		}
		at := s.g.At
		m := s.message(Verified)
		m.Outcome, m.Severity, m.Diagnoses = &o, s.g.Severity, s.g.Diagnoses
		s.send(m)
		s.g.At = at // it says nothing of the state
	}
}

// message is one about the group's problem, the next in number.
func (s *stepping) message(why Reason) Message {
	return Message{
		Receiver: s.id.Receiver, Key: s.id.Key, Number: s.g.Number + 1, Reason: why, At: s.in.At, Onset: s.g.Onset,
		GroupLabels: s.g.Labels, Deadline: s.in.At.Add(s.g.Deadline),
	}
}

func (s *stepping) send(m Message) {
	m.ID = m.id()
	s.g.Number, s.g.At = m.Number, s.in.At
	s.out = append(s.out, m)
}

func worst(ps []*problem) model.Severity {
	if len(ps) == 0 {
		return ""
	}
	return ps[0].severity // they are sorted
}

func earliest(ps []*problem, at time.Time) time.Time {
	for _, x := range ps {
		if x.onset.Before(at) {
			at = x.onset
		}
	}
	return at
}

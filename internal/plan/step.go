package plan

import (
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

const (
	// stable is how many evaluations in a row have to name another cause before that is news, where the
	// policy does not say.
	stable = 3
	// afterlife is how long what ended is remembered, for changes that are verified later.
	afterlife = time.Hour
)

// step is one row of messages at one evaluation.
type step struct {
	*round
	row   *row // nil when nothing of it fires now
	slot  Slot
	entry *entry
	route place

	now     map[string]*problem // what fires now
	visible []string            // members that last and that nothing keeps back, in order
	live    int                 // of them, those that fire now
}

// begin prepares the entry; nil when there is nothing to tell and nothing to remember.
func (s *step) begin(old *entry) *entry {
	s.now = map[string]*problem{}
	if s.row != nil {
		for _, x := range s.row.problems {
			s.now[x.key] = x
		}
	}
	var e *entry
	if old != nil {
		e = old.clone()
		s.route = s.place(s.slot, e)
	}
	if s.row == nil {
		return e
	}
	s.route = s.row.place
	switch {
	case old == nil:
		return &entry{Path: s.row.place.path, Labels: s.row.labels, Opened: s.in.At, Members: map[string]*member{}}
	case old.Over: // it comes back: a new problem, which still must not come too soon after the last message
		return &entry{
			Path: s.row.place.path, Labels: s.row.labels, Opened: s.in.At, Members: map[string]*member{},
			Last: old.Last, Before: old.Peak, Outcomes: old.Outcomes,
		}
	}
	if e.Number == 0 && len(e.Members) == 0 {
		e.Opened = s.in.At
	}
	return e
}

// update brings the members up to now.
func (s *step) update() {
	e := s.entry
	for key, x := range s.now {
		m := e.Members[key]
		if m == nil {
			m = &member{}
			e.Members[key] = m
		}
		m.remember(x.Diagnosis, false)
		m.Ended = ""
		switch c := cause(x.Diagnosis); {
		case !m.Told:
		case c == m.Cause || c == "":
			m.Other, m.Seen = "", 0
		case c == m.Other:
			m.Seen = min(m.Seen+1, s.settle())
		default:
			m.Other, m.Seen = c, 1
		}
		s.count(key, m, x.suppressed)
	}
	if e.Over {
		return
	}
	for key, m := range e.Members {
		if s.now[key] != nil {
			continue
		}
		switch how := s.absent(key, m); {
		case how == "" && m.Ended != "": // what had ended has not begun again
		case how == "" && m.Told: // held
			by := ""
			if s.silenced(Labels(m.Diagnosis, s.p.External)) {
				by = bySilence
			}
			s.count(key, m, by)
		case how == "" && s.held[key]:
		case !m.Told:
			delete(e.Members, key)
		default:
			m.Ended = how
		}
	}
	slices.SortFunc(s.visible, s.worstFirst)
}

// count notes whether a member that lasts may be told.
func (s *step) count(key string, m *member, suppressed string) {
	if suppressed != "" {
		if s.now[key] != nil {
			s.out.Suppressed[suppressed]++
		}
		m.Hushed = m.Hushed || m.Told && suppressed == bySilence
		return
	}
	s.visible = append(s.visible, key)
	if s.now[key] != nil {
		s.live++
	}
}

// absent says how a member that does not fire ended; "" when nobody can tell. What is unknown, or whose
// symptoms are pending, has not recovered.
func (s *step) absent(key string, m *member) end {
	if s.held[key] {
		return ""
	}
	if d := s.alive[key]; d != nil {
		if d.Status == model.Unknown || d.Status == model.Degraded || d.Status == model.Down {
			return ""
		}
		return recovered
	}
	if m.Diagnosis.Scope != model.ScopeGroup {
		return gone
	}
	// A healthy group has no diagnosis of its own: its members speak for it.
	for _, h := range s.in.Held {
		if within(h.Target, m.Diagnosis.Target) {
			return ""
		}
	}
	for i := range s.in.Diagnoses {
		if d := &s.in.Diagnoses[i]; d.Scope != model.ScopeGroup && within(d.Target, m.Diagnosis.Target) {
			return recovered
		}
	}
	return gone
}

// send decides on this row's messages.
func (s *step) send() {
	e := s.entry
	e.Last, e.Opened = earlier(e.Last, s.in.At), earlier(e.Opened, s.in.At)
	if by := s.route.quiet(s.in.At); by != "" {
		s.out.Suppressed[by] += s.live
		return
	}
	s.verify()
	if e.Over {
		return
	}
	if reason := s.reason(); reason != "" {
		s.tell(reason)
		return
	}
	if e.Number > 0 && s.ended() && !s.p.Receivers[s.slot.Receiver].SendResolved {
		s.close()
	}
}

// reason says why to send now; "" when there is nothing to say, or not yet.
func (s *step) reason() Reason {
	e, at := s.entry, s.in.At
	worst := s.worst().Rank()
	due := e.Last.IsZero() || !at.Before(e.Last.Add(s.route.GroupInterval))
	switch {
	case e.Number == 0:
		waited := !at.Before(e.Opened.Add(s.route.GroupWait))
		if s.live > 0 && waited && (due || worst > e.Before.Rank()) {
			return First
		}
		return ""
	case s.live > 0 && worst > e.Peak.Rank():
		return Worse
	case !due:
		return ""
	case s.ended():
		if s.p.Receivers[s.slot.Receiver].SendResolved && !s.endSilenced() {
			return Resolved
		}
		return ""
	}
	return s.news(worst)
}

// news says what is to be told of a problem that goes on, once its group_interval has passed.
func (s *step) news(worst int) Reason {
	e := s.entry
	var other, hushed bool
	for _, key := range s.visible {
		m := e.Members[key]
		if s.now[key] == nil {
			continue
		}
		if !m.Told {
			return Worse
		}
		other = other || m.Seen >= s.settle()
		hushed = hushed || m.Hushed
	}
	switch {
	case other:
		return CauseChanged
	case s.live == 0 || !hushed && s.in.At.Before(e.Last.Add(s.route.RepeatInterval)):
		return ""
	}
	if t, ok := s.taken(); ok && worst <= t.Severity.Rank() {
		s.out.Suppressed[byTaken]++
		return ""
	}
	return Reminder
}

// taken finds the acknowledgement of this problem, not of one that was over before.
func (s *step) taken() (Taken, bool) {
	t, ok := s.in.Taken[s.slot.Key]
	return t, ok && !t.At.Before(s.entry.Opened)
}

func (s *step) worst() model.Severity {
	var worst model.Severity
	for _, key := range s.visible {
		if x := s.now[key]; x != nil && severity(x.Diagnosis).Rank() > worst.Rank() {
			worst = severity(x.Diagnosis)
		}
	}
	return worst
}

// ended says that nothing of the row lasts.
func (s *step) ended() bool {
	for _, m := range s.entry.Members {
		if m.Ended == "" {
			return false
		}
	}
	return true
}

// endSilenced says that a silence still covers all of what ended.
func (s *step) endSilenced() bool {
	for _, m := range s.entry.Members {
		if !s.silenced(Labels(m.Diagnosis, s.p.External)) {
			return false
		}
	}
	return true
}

func (s *step) close() {
	s.entry.Over = true
	s.out.Ended = append(s.out.Ended, s.slot.Key)
}

// finished says that nothing is left to remember.
func (s *step) finished() bool {
	e, at := s.entry, s.in.At
	if !e.Over && (e.Number > 0 || len(e.Members) > 0) {
		return false
	}
	if e.Number == 0 {
		return e.Last.IsZero() || !at.Before(e.Last.Add(s.route.GroupInterval))
	}
	return !at.Before(e.Last.Add(max(s.route.GroupInterval, afterlife)))
}

// settle is how many evaluations in a row make another cause news.
func (s *step) settle() int {
	if n := s.p.Settle; n > 0 {
		return n
	}
	return stable
}

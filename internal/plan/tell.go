package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// tell writes a message and what is to be remembered of it.
func (s *step) tell(reason Reason) {
	e := s.entry
	if e.Number == 0 {
		e.Onset = s.onset()
	}
	m := s.message(reason)
	m.Recovered = s.takeRecovered(reason)
	switch reason {
	case Resolved:
		m.Severity, m.Gone = e.Peak, s.allGone()
		m.Diagnoses = s.diagnoses(slices.Collect(maps.Keys(e.Members)))
	default:
		m.Severity = s.worst()
		m.Diagnoses = s.diagnoses(s.visible)
		if m.Severity.Rank() > e.Peak.Rank() {
			e.Peak = m.Severity
		}
		s.told()
	}
	e.Last = s.in.At
	s.out.Messages = append(s.out.Messages, m)
	if reason == Resolved {
		s.close()
	}
}

// message is what all messages have in common; it takes the next number.
func (s *step) message(reason Reason) Message {
	e := s.entry
	e.Number++
	m := Message{
		ID: id(s.slot, e, reason), Receiver: s.slot.Receiver, Key: s.slot.Key, Number: e.Number, Reason: reason,
		At: s.in.At, Onset: e.Onset, GroupLabels: e.Labels, Deadline: s.in.At.Add(cmp.Or(s.p.Deliver, time.Hour)),
	}
	if t, ok := s.taken(); ok {
		m.Acknowledged = &Acknowledgement{By: t.By, At: t.At}
	}
	return m
}

// id names a message by what it says. When the row was opened is part of it: a symptom that never ended may
// give two problems one onset, and the second must not pass for a repetition.
func id(slot Slot, e *entry, reason Reason) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{
		slot.Receiver, slot.Key, fmt.Sprint(e.Onset.UnixNano()), fmt.Sprint(e.Opened.UnixNano()), string(reason), fmt.Sprint(e.Number),
	}, "\x00")))
	return "msg_" + hex.EncodeToString(sum[:16])
}

func (s *step) onset() time.Time {
	out := s.in.At
	for _, key := range s.visible {
		if x := s.now[key]; x != nil {
			if t := begin(x.Diagnosis, s.in.At); t.Before(out) {
				out = t
			}
		}
	}
	return out.UTC()
}

// told notes what the reader knows now.
func (s *step) told() {
	for _, key := range s.visible {
		m, x := s.entry.Members[key], s.now[key]
		if x == nil {
			continue
		}
		m.remember(x.Diagnosis, true)
		m.Told, m.Hushed, m.Cause, m.Other, m.Seen = true, false, cmp.Or(cause(x.Diagnosis), m.Cause), "", 0
	}
}

// takeRecovered names who recovered, once. Those of a problem that goes on are then forgotten.
func (s *step) takeRecovered(reason Reason) []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(s.entry.Members)) {
		m := s.entry.Members[key]
		if m.Ended == recovered {
			out = append(out, name(&m.Diagnosis))
		}
		if m.Ended != "" && reason != Resolved {
			delete(s.entry.Members, key)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *step) allGone() bool {
	for _, m := range s.entry.Members {
		if m.Ended != gone {
			return false
		}
	}
	return true
}

// verify tells what changes came to, at once: somebody asked. While they are silenced, the outcomes wait.
func (s *step) verify() {
	e := s.entry
	if e.Number == 0 {
		return
	}
	var wait []Outcome
	for _, o := range e.Outcomes {
		key := entity(model.ScopeTarget, o.Target)
		member := e.Members[key]
		if member == nil {
			continue
		}
		if x := s.now[key]; x != nil && x.suppressed == bySilence || s.silenced(Labels(member.Diagnosis, s.p.External)) {
			wait = append(wait, o)
			continue
		}
		m := s.message(Verified)
		m.Outcome, m.Over = &o, e.Over || s.ended()
		m.Diagnoses = s.diagnoses([]string{key})
		m.Severity = severity(&m.Diagnoses[0])
		s.out.Messages = append(s.out.Messages, m)
	}
	e.Outcomes = wait
}

// diagnoses gives those of some members, the worst first, each root cause once per group.
func (s *step) diagnoses(keys []string) []model.Diagnosis {
	slices.SortFunc(keys, s.worstFirst)
	out := make([]model.Diagnosis, 0, len(keys))
	for _, key := range keys {
		if x := s.now[key]; x != nil {
			out = append(out, *x.Diagnosis)
		} else {
			out = append(out, s.entry.Members[key].Diagnosis)
		}
	}
	return fold(out)
}

// worstFirst orders members by severity, what is down before the rest, groups before targets, then by name.
func (s *step) worstFirst(a, b string) int {
	x, y := &s.entry.Members[a].Diagnosis, &s.entry.Members[b].Diagnosis
	return cmp.Or(
		cmp.Compare(severity(y).Rank(), severity(x).Rank()),
		first(x.Status == model.Down, y.Status == model.Down),
		first(x.Scope == model.ScopeGroup, y.Scope == model.ScopeGroup),
		strings.Compare(a, b),
	)
}

func first(a, b bool) int {
	switch {
	case a && !b:
		return -1
	case b && !a:
		return 1
	}
	return 0
}

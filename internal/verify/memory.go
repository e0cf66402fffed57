package verify

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/notifiers"
)

// Memory is what came of earlier changes, the newest first. It is read-only.
type Memory struct {
	// Now and Hold say which of them still keep a suggestion back: those of the last Hold, 90 days if 0.
	Now     time.Time
	Hold    time.Duration
	entries []entry
}

// Kept is a stored outcome with the id that answers refer to.
type Kept struct {
	ID int64
	Record
}

// Said is a person's word on an outcome, or, where Outcome is 0, on what was done about a cause of a
// target. Kind is Applied, Helped or DidNotHelp; others are left out.
type Said struct {
	Outcome int64
	Target  map[string]string
	Kind    notifiers.AnswerKind
	Cause   string
	By      string
	At      time.Time
}

func (s Said) helped() bool { return s.Kind == notifiers.Helped }

type entry struct {
	kept

	id      int64
	told    time.Time
	cause   string
	verdict compare.Verdict
	said    *Said
}

// Recall builds the memory from what was stored and said. A stored change that can't be read is left
// out and reported.
func Recall(records []Kept, said []Said, now time.Time) (Memory, error) {
	m := Memory{Now: now}
	var first error
	for _, r := range records {
		e := entry{id: r.ID, told: r.At, cause: r.Cause, verdict: compare.Verdict(r.Verdict)}
		if err := json.Unmarshal(r.Change, &e.kept); err != nil {
			if first == nil {
				first = fmt.Errorf("read the change of outcome %d: %w", r.ID, err)
			}
			continue
		}
		if e.Target == nil {
			e.Target = r.Target
		}
		m.entries = append(m.entries, e)
	}
	for _, s := range said { // what a change was for comes before what came of it
		if s.Kind == notifiers.Applied {
			m.meant(s)
		}
	}
	for _, s := range said {
		if s.Kind == notifiers.Helped || s.Kind == notifiers.DidNotHelp {
			m.hear(s)
		}
	}
	slices.SortStableFunc(m.entries, func(a, b entry) int { return b.told.Compare(a.told) })
	return m, first
}

// The word on a change may come so long after it: that it was applied, and whether it helped.
const (
	appliedWithin = time.Hour
	judgedWithin  = 24 * time.Hour
)

// meant gives a change that was seen and that nobody had suggested the cause that somebody names afterwards.
func (m *Memory) meant(s Said) {
	i := m.find(s, appliedWithin, func(e entry) bool { return e.cause == "" })
	if i >= 0 {
		m.entries[i].cause = s.Cause
	}
}

// hear keeps the latest word on an outcome; one on no outcome stands for itself.
func (m *Memory) hear(s Said) {
	i := m.find(s, judgedWithin, func(e entry) bool { return e.cause == s.Cause })
	if i < 0 {
		if s.Outcome == 0 {
			m.entries = append(m.entries, entry{kept: kept{Target: s.Target}, told: s.At, cause: s.Cause, verdict: compare.CannotTell, said: &s})
		}
		return
	}
	if was := m.entries[i].said; was == nil || was.At.Before(s.At) {
		m.entries[i].said = &s
	}
}

// find is the outcome that is spoken of: the one that is named, else the latest fitting change of the
// target, not longer ago than the limit. -1 is none.
func (m *Memory) find(s Said, limit time.Duration, fits func(entry) bool) int {
	best := -1
	for i, e := range m.entries {
		if s.Outcome != 0 {
			if e.id == s.Outcome {
				return i
			}
			continue
		}
		ago := s.At.Sub(e.At)
		if e.id == 0 || keyOf(e.Target) != keyOf(s.Target) || ago < 0 || ago > limit || !fits(e) {
			continue
		}
		if best < 0 || m.entries[best].At.Before(e.At) {
			best = i
		}
	}
	return best
}

// about is what is known of the target of a diagnosis, or of another server of its group.
func (m Memory) about(d model.Diagnosis) []entry {
	var out []entry
	for _, e := range m.entries {
		if e.here(d) || includes(d.Target, e.Group) {
			out = append(out, e)
		}
	}
	return out
}

func (e entry) here(d model.Diagnosis) bool { return keyOf(e.Target) == keyOf(d.Target) }

func includes(all, some map[string]string) bool {
	for k, v := range some {
		if all[k] != v {
			return false
		}
	}
	return len(some) > 0
}

func (m Memory) holds(e entry) bool {
	hold := m.Hold
	if hold == 0 {
		hold = 90 * 24 * time.Hour
	}
	return m.Now.Sub(e.told) <= hold
}

// helped and failed take the measured verdict, and a person's word where the figures could not tell.
// Where the two disagree neither is held to be true.
func (e entry) helped() bool {
	if e.said != nil {
		return e.said.helped() && (e.verdict == compare.Improved || e.verdict == compare.CannotTell)
	}
	return e.verdict == compare.Improved
}

func (e entry) failed() bool {
	measured := e.verdict == compare.Worse || e.verdict == compare.Unchanged
	if e.said != nil {
		return !e.said.helped() && (measured || e.verdict == compare.CannotTell)
	}
	return measured
}

// sentence is "--max-num-seqs 8 -> 64 on 2026-11-20 improved it here: TTFT P99 13 s -> 0.3 s".
func (e entry) sentence(d model.Diagnosis) string {
	what := e.Text
	if what == "" {
		what = "what was done about it"
	}
	on := e.At
	if on.IsZero() {
		on = e.told
	}
	return what + " on " + on.UTC().Format(time.DateOnly) + " " + e.came(d)
}

func (e entry) came(d model.Diagnosis) string {
	where := "here"
	if !e.here(d) {
		where = "on " + name(e.Target)
	}
	out := map[compare.Verdict]string{
		compare.Improved: "improved it " + where, compare.Worse: "made it worse " + where,
		compare.Unchanged: "changed nothing " + where, compare.CannotTell: "could not be judged " + where,
	}[e.verdict]
	switch {
	case len(e.Lines) > 0 && e.verdict != compare.CannotTell:
		out += ": " + e.Lines[0]
	case e.Why != "":
		out += ": " + e.Why
	}
	if e.said == nil {
		return out
	}
	word := e.said.By + " says that it helped"
	if !e.said.helped() {
		word = e.said.By + " says that it did not help"
	}
	if e.Text == "" {
		return where + ": " + word
	}
	return out + "; " + word
}

func name(target map[string]string) string {
	return model.Entity{Labels: model.LabelsFrom(target)}.Name()
}

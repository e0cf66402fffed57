package verify

import (
	"slices"
	"time"
)

// notice compares a frame with what was known, and begins, extends or replaces the target's trial. A
// trial that is replaced is returned.
func (w *Watch) notice(x *Watched, now look, at time.Time) (Trial, bool) {
	restart := x.restarted(now)
	turns := w.turns(*x, now, restart || x.late(at, w.o.Late) && x.Trial.Change.Restart)
	if !restart && len(turns) == 0 {
		return Trial{}, false
	}
	shown := now.answered
	if shown.IsZero() {
		shown = at
	}
	was := x.Trial
	switch {
	case was != nil && !was.Change.visible():
		t := w.begin(x, Change{Turns: turns, Restart: restart, By: was.Change.By, At: shown}, x.Answered, shown.Add(w.o.Warmup))
		t.ID, t.Key = was.ID, was.Key
		if t.Cause == "" {
			t.Cause = was.Cause
		}
		t.Before.From = later(was.Before.From, t.Before.To.Add(-w.o.Before))
		x.Trial = &t
	case x.late(at, w.o.Late):
		t := was.clone()
		t.Change.Restart = t.Change.Restart || restart
		t.Change.Turns = joined(t.Change.Turns, turns)
		if cause := x.meantFor(t.Change.Turns); cause != "" {
			t.Cause = cause
		} else if len(t.Change.Turns) == 0 && t.Change.By == "" { // turned back at once
			t.Cause = ""
		}
		if restart || !was.Change.Restart { // flags that show after the restart that set them move nothing
			t.After.From = shown.Add(w.o.Warmup)
			t.Due, t.Looks = t.After.From.Add(w.o.Looks[0]), 0
			x.Changed = t.After.From
		}
		x.Trial = &t
	default:
		t := w.begin(x, Change{Turns: turns, Restart: restart, At: shown}, x.Answered, shown.Add(w.o.Warmup))
		x.Trial = &t
		if was != nil {
			return ended(*was, x.Answered, "another change followed before enough was seen: "+t.Change.String()), true
		}
	}
	return Trial{}, false
}

// late says that what is seen now still belongs to the change of the running trial.
func (x Watched) late(at time.Time, limit time.Duration) bool {
	return x.Trial != nil && x.Trial.Change.visible() && at.Sub(x.Trial.Change.At) <= limit
}

// joined adds turns to others; a flag that is turned twice goes from its first value to its last, and
// one that is back where it was is no turn.
func joined(old, more []Turn) []Turn {
	out := slices.Clone(old)
	for _, t := range more {
		if i := slices.IndexFunc(out, func(o Turn) bool { return o.Knob == t.Knob }); i >= 0 {
			out[i].To = t.To
			continue
		}
		out = append(out, t)
	}
	out = slices.DeleteFunc(out, func(t Turn) bool { return equal(t.From, t.To) })
	if len(out) == 0 {
		return nil
	}
	return out
}

// begin makes a trial. Before ends at until, which is the last scrape that was answered before the
// change: the gap of a restart belongs to neither side. It begins with the harm, where there was some,
// and never before what the change before brought about.
func (w *Watch) begin(x *Watched, c Change, until, from time.Time) Trial {
	start := until.Add(-w.o.Before)
	if !x.Harm.To.IsZero() && until.Sub(x.Harm.To) <= harmGap && x.Harm.From.Before(x.Harm.To) {
		until = earlier(until, x.Harm.To) // a server is often drained first
		start = later(until.Add(-w.o.Before), x.Harm.From)
	}
	start = earlier(later(start, x.Changed), until)
	x.Changed = from
	return Trial{
		ID: trialID(keyOf(x.Target), c.At), Target: x.Target, Group: x.Group, Cause: x.meantFor(c.Turns), Change: c,
		Before: Span{start, until}, After: Span{From: from}, Due: from.Add(w.o.Looks[0]),
	}
}

// press takes somebody's word that a change was applied: it names the cause of a change that was seen,
// or begins a trial of one that was not seen yet.
func (w *Watch) press(s State, p Pressed, at time.Time) {
	key := keyOf(p.Target)
	x, ok := s.Targets[key]
	if !ok {
		return
	}
	pressed := earlier(p.At.UTC().Round(0), at)
	if x.Trial != nil {
		t := x.Trial.clone()
		if t.Cause == "" {
			t.Cause = p.Cause
		}
		t.Change.By, t.Key = p.User, p.Key
		x.Trial = &t
		s.Targets[key] = x
		return
	}
	if pressed.Sub(x.Changed) < w.o.Looks[len(w.o.Looks)-1] { // about the last change, which is settled
		return
	}
	until := earlier(x.Answered, pressed.Add(-w.o.Unseen))
	t := w.begin(&x, Change{By: p.User, At: pressed}, until, pressed.Add(w.o.Unseen))
	t.Cause, t.Key = p.Cause, p.Key
	// A rollout takes its time: what follows the word is waited for a while longer.
	t.Due = t.After.From.Add(w.o.Looks[min(1, len(w.o.Looks)-1)])
	x.Trial = &t
	s.Targets[key] = x
}

package verify

import (
	"github.com/inferdx/inferdx/internal/model"
)

// against is why an action must not be suggested again, "" when nothing speaks against it; caution is
// what to know before one that stays. The newest outcome of a flag decides: what was tried in vain may
// come back once it has helped.
func (m Memory) against(d model.Diagnosis, c model.Cause, a model.Action, past []entry) (why, caution string) {
	if a.Kind != model.KindKnob {
		return "", ""
	}
	for _, e := range past {
		t, ok := e.turn(a.Knob)
		if !ok || !m.holds(e) {
			continue
		}
		switch {
		case repeats(a, t) && caution != "" && e.cause == c.ID:
			return "it goes back and forth: " + e.sentence(d) + "; then " + caution, ""
		case repeats(a, t) && e.helped():
			return "", caution
		case repeats(a, t) && e.failed() && len(e.Turns) == 1:
			return "it was tried: " + e.sentence(d), ""
		case takesBack(a, t) && e.helped():
			if e.cause == c.ID || e.cause == "" || a.Why == "" {
				return "it would take back what helped: " + e.sentence(d), ""
			}
			if caution == "" {
				caution = e.sentence(d)
			}
		}
	}
	return "", caution
}

func (e entry) turn(knob string) (Turn, bool) {
	for _, t := range e.Turns {
		if t.Knob == knob {
			return t, true
		}
	}
	return Turn{}, false
}

// points is the direction of an action from the value that a turn began or ended with.
func points(a model.Action, from string) int {
	if a.To != nil {
		return direction(from, *a.To)
	}
	return way2([]string{way(a)}, 0)
}

// repeats says that an action leads where a turn led, or past it.
func repeats(a model.Action, t Turn) bool {
	went := direction(t.From, t.To)
	if a.To == nil {
		return went != 0 && points(a, "") == went
	}
	if equal(*a.To, t.To) {
		return a.From == nil || !equal(*a.From, t.To)
	}
	// Past the value that was tried, from before it: one that stands there now may go on.
	past := direction(t.To, *a.To)
	return went != 0 && past == went && (a.From == nil || direction(*a.From, t.To) == went)
}

// takesBack says that an action leads from where a turn led back towards where it began.
func takesBack(a model.Action, t Turn) bool {
	went := direction(t.From, t.To)
	if went == 0 {
		return a.To != nil && equal(*a.To, t.From)
	}
	if points(a, t.To) != -went {
		return false
	}
	return a.From == nil || direction(*a.From, t.To) != went // it was taken back already
}

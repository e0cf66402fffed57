package verify

import (
	"maps"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Watch notices changes. It is read-only and safe for concurrent use.
type Watch struct {
	o     Options
	knobs Knobs
}

// NewWatch makes one over a catalogue of launch flags.
func NewWatch(knobs Knobs, o Options) *Watch { return &Watch{o.withDefaults(), knobs} }

// Input is one evaluation. Diagnoses are those of the frame, before Annotate.
type Input struct {
	At        time.Time
	Frame     *model.Frame
	Diagnoses []model.Diagnosis
	Pressed   []Pressed
}

// Pressed is a person's word that a suggestion was applied to a target.
type Pressed struct {
	Target map[string]string
	Cause  string
	User   string
	Key    string // of the message
	At     time.Time
}

// retry is when a trial that was given out and never came back is given out again.
const retry = 2 * time.Minute

// back is how far the clock may be set back before the running trials are given up.
const back = time.Minute

// Observe takes in one evaluation and gives the trials to look at now, and those that have ended
// undecided. A frame that is not younger than the one before only brings what was pressed.
func (w *Watch) Observe(s State, in Input) (State, []Trial) {
	at := in.At.UTC().Round(0)
	var out []Trial
	next := s.clone()
	jumped := !s.At.IsZero() && s.At.Sub(at) >= back
	if jumped {
		out = next.giveUp(at)
	}
	if s.At.IsZero() || at.After(s.At) || jumped {
		next.At = at
		out = append(out, w.frame(next, in, at)...)
	}
	for _, p := range in.Pressed {
		w.press(next, p, at)
	}
	return next, append(out, w.due(next, at)...)
}

// giveUp ends what was running when the clock was set back: before and after lie on two clocks.
func (s State) giveUp(at time.Time) []Trial {
	var out []Trial
	for _, key := range slices.Sorted(maps.Keys(s.Targets)) {
		x := s.Targets[key]
		if x.Trial != nil {
			out = append(out, ended(*x.Trial, at, "the clock was set back meanwhile, so that before and after can't be told apart"))
			x.Trial = nil
		}
		x.Seen, x.Answered, x.Changed = earlier(x.Seen, at), earlier(x.Answered, at), earlier(x.Changed, at)
		x.Harm = Span{}
		x.Advice = slices.Clone(x.Advice)
		for i := range x.Advice {
			x.Advice[i].Seen = earlier(x.Advice[i].Seen, at)
		}
		s.Targets[key] = x
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func ended(t Trial, at time.Time, why string) Trial {
	t = t.clone()
	t.Ended, t.After.To = why, later(t.After.From, at)
	return t
}

func (w *Watch) frame(s State, in Input, at time.Time) []Trial {
	var out []Trial
	diagnoses := map[string]model.Diagnosis{}
	for _, d := range in.Diagnoses {
		if d.Scope == model.ScopeTarget {
			diagnoses[keyOf(d.Target)] = d
		}
	}
	for _, e := range in.Frame.Entities.All() {
		if e.Scope != model.ScopeTarget {
			continue
		}
		labels := e.Labels.Map()
		key, now := keyOf(labels), w.look(in.Frame, e)
		x, known := s.Targets[key]
		if !known {
			x = Watched{Target: labels, Group: group(in.Frame, e)}
		} else if t, ok := w.notice(&x, now, at); ok {
			out = append(out, t)
		}
		x.remember(at, now)
		if d, ok := diagnoses[key]; ok {
			x.hear(at, d, w.o.Advice)
		}
		s.Targets[key] = x
	}
	for key, x := range s.Targets {
		if at.Sub(x.Seen) > w.o.Forget {
			if x.Trial != nil {
				out = append(out, ended(*x.Trial, at, "the target is not seen any more"))
			}
			delete(s.Targets, key)
		}
	}
	return out
}

func group(f *model.Frame, e model.Entity) map[string]string {
	if e.Parent == model.NoEntity || f.Entities.Get(e.Parent).Scope != model.ScopeGroup {
		return nil
	}
	if labels := f.Entities.Get(e.Parent).Labels.Map(); len(labels) > 0 {
		return labels
	}
	return nil
}

// due gives out what is to be looked at, and holds it back for a while so that it is given out once.
func (w *Watch) due(s State, at time.Time) []Trial {
	var out []Trial
	for _, key := range slices.Sorted(maps.Keys(s.Targets)) {
		x := s.Targets[key]
		if x.Trial == nil || x.Trial.Due.After(at) {
			continue
		}
		t := x.Trial.clone()
		t.After.To = earlier(at, w.o.deadline(t))
		out = append(out, t)
		held := t.clone()
		held.After.To, held.Due = time.Time{}, at.Add(retry)
		x.Trial = &held
		s.Targets[key] = x
	}
	return out
}

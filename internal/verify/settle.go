package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/compare"
	"github.com/inferdx/inferdx/internal/plan"
	"github.com/inferdx/inferdx/internal/units"
)

// Record is an outcome as it is kept. Change and Comparison are JSON; Recall reads it back.
type Record struct {
	At            time.Time
	Target        map[string]string
	Cause         string
	Change        json.RawMessage
	Before, After Span
	Verdict       string
	Comparison    json.RawMessage
}

// Concluded is a trial that is over, as it is told and as it is kept.
type Concluded struct {
	Trial   Trial
	Outcome plan.Outcome
	Record  Record
}

// patience is how long after its deadline a trial that can't be read is tried again.
const patience = time.Hour

// Settle takes in what was found by looking, and gives what is to be told. A trial that can't tell yet
// is looked at again until its deadline, one that could not be read for another hour. A look at a trial
// that another change has replaced or moved meanwhile counts for nothing.
func (w *Watch) Settle(s State, looks []Look, at time.Time) (State, []Concluded) {
	next := s.clone()
	var out []Concluded
	for _, l := range looks {
		if l.Trial.Ended != "" {
			out = append(out, Conclude(l.Trial, l.Result, at))
			continue
		}
		key := keyOf(l.Trial.Target)
		x, ok := next.Targets[key]
		if !ok || x.Trial == nil || x.Trial.ID != l.Trial.ID || !x.Trial.After.From.Equal(l.Trial.After.From) {
			continue
		}
		l.Trial = latest(l.Trial, *x.Trial)
		if r, over := w.over(l, at); over {
			x.Trial = nil
			out = append(out, Conclude(l.Trial, r, at))
		} else if l.Err == nil {
			t := x.Trial.clone()
			for t.Looks < len(w.o.Looks) && !t.After.From.Add(w.o.Looks[t.Looks]).After(at) {
				t.Looks++
			}
			if t.Looks < len(w.o.Looks) {
				t.Due = t.After.From.Add(w.o.Looks[t.Looks])
			}
			x.Trial = &t
		}
		next.Targets[key] = x
	}
	return next, out
}

// latest is a trial that was looked at, with what became known of the change meanwhile.
func latest(looked, kept Trial) Trial {
	kept = kept.clone()
	kept.After.To = looked.After.To
	return kept
}

func (w *Watch) over(l Look, at time.Time) (compare.Result, bool) {
	deadline := w.o.deadline(l.Trial)
	if l.Err != nil {
		why := "it could not be compared: " + l.Err.Error()
		return compare.Result{Version: "1", Verdict: compare.CannotTell, Why: why}, at.After(deadline.Add(patience))
	}
	return l.Result, l.Result.Verdict != compare.CannotTell || !l.Trial.After.To.Before(deadline)
}

// Conclude writes what came of a trial, to be told and to be kept.
func Conclude(t Trial, r compare.Result, at time.Time) Concluded {
	o := plan.Outcome{
		Target: maps.Clone(t.Target), Cause: t.Cause, Change: t.Change.String(),
		Verdict: string(r.Verdict), Why: why(t, r), Lines: lines(r),
	}
	change, _ := json.Marshal(kept{t.Change, t.Target, t.Group, o.Change, o.Why, o.Lines}) // plain data always encodes
	comparison, err := json.Marshal(r)
	if err != nil { // a figure that is no number; the words are kept beside the change
		comparison = json.RawMessage("null")
	}
	return Concluded{t, o, Record{
		At: at.UTC().Round(0), Target: o.Target, Cause: t.Cause, Change: change,
		Before: t.Before, After: t.After, Verdict: o.Verdict, Comparison: comparison,
	}}
}

// kept is what is stored as a record's change.
type kept struct {
	Change

	Target map[string]string `json:"target"`
	Group  map[string]string `json:"group,omitempty"`
	Text   string            `json:"text"`
	Why    string            `json:"why"`
	Lines  []string          `json:"lines,omitempty"`
}

// why is the comparison's reason with what was compared.
func why(t Trial, r compare.Result) string {
	out := r.Why
	if t.Ended != "" || r.Before.From == nil || r.After.From == nil {
		return out
	}
	if r.Load.Note != "" && !r.Load.Matched {
		out += "; " + r.Load.Note
	}
	seen := func(s compare.Seen) string { return units.Duration(s.To.Sub(*s.From)) }
	out += fmt.Sprintf(". Compared: %s before with %s after", seen(r.Before), seen(r.After))
	if t.Change.Restart {
		out += " the restart"
	}
	if !t.Change.visible() {
		out += fmt.Sprintf("; no change was seen on the server itself since %s", t.Change.At.UTC().Format("15:04 MST"))
	}
	return out
}

// lines are the figures that decided, and the cost where there is a price.
func lines(r compare.Result) []string {
	out := slices.Clone(r.Lines)
	for _, m := range r.Metrics {
		if !strings.HasPrefix(m.Signal, "cost_") || m.Before == nil || m.After == nil {
			continue
		}
		out = append(out, m.Name+" "+units.Format(*m.Before, m.Unit, m.BeforeBound)+" -> "+units.Format(*m.After, m.Unit, m.AfterBound))
	}
	return out
}

package render

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// turnView is one thing to do.
type turnView struct {
	knob  string // "--max-num-seqs 8 -> 64"; "" where the action is no knob
	words string // the action in words where it is no knob
	price string
	why   string
	undo  string
	then  string // what must move, where that differs from the first action's
}

// checkHint is how any action is checked.
const checkHint = "check: diagnose again under the same load"

func (v *view) addTurns(d model.Diagnosis, c model.Cause) {
	for i, a := range c.Changes {
		if i == maxActions {
			v.turns = append(v.turns, turnView{words: fmt.Sprintf("%d more", len(c.Changes)-i) + elsewhere})
			break
		}
		t := newTurn(a)
		if e := expectOf(d, c, a.Verify); i == 0 {
			v.expect = e
		} else if e != "" && e != v.expect {
			t.then = "expect: " + e
		}
		v.turns = append(v.turns, t)
	}
}

func newTurn(a model.Action) turnView {
	t := turnView{why: text(a.Why)}
	if a.Rollback != "" {
		t.undo = "undo: " + text(a.Rollback)
	}
	switch {
	case a.Kind == model.KindKnob && inWords(a):
		t.words = text(a.Text)
	case a.Kind == model.KindKnob:
		t.knob = name(cmp.Or(a.Flag, a.Knob)) + " " + fromOf(a) + " -> " + nameOr(a.To, "?")
	default:
		t.words = text(cmp.Or(a.Text, a.Kind))
	}
	t.price = priceOf(a)
	return t
}

// inWords says that a change reads better in words than as a value turned into another.
func inWords(a model.Action) bool {
	return a.Text != "" && (a.To == nil || *a.To == "true" || *a.To == "false" || *a.To == "unset")
}

func fromOf(a model.Action) string {
	from := nameOr(a.From, "?")
	switch {
	case a.From == nil:
	case a.FromSource == "inferred":
		return "~" + from
	case strings.HasPrefix(a.FromSource, "default"):
		return from + " (default)"
	}
	return from
}

func nameOr(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return name(*s)
}

func priceOf(a model.Action) string {
	var parts []string
	switch {
	case a.Restart:
		parts = append(parts, "restart")
	case a.When == "now":
		parts = append(parts, "can be done now")
	case a.When == "rollout":
		parts = append(parts, "with the next rollout")
	}
	if a.ChangesOutput && !strings.Contains(strings.ToLower(a.Cost), "answers ") { // the price says how
		parts = append(parts, "answers may change")
	}
	if a.Cost != "" && a.Cost != "none" {
		parts = append(parts, text(a.Cost))
	}
	return strings.Join(parts, "; ")
}

// expectOf names the signal that must move, and where it is now if the evidence says so.
func expectOf(d model.Diagnosis, c model.Cause, want *model.Verify) string {
	if want == nil || want.Signal == "" {
		return ""
	}
	s := name(want.Signal) + " goes " + text(want.Expect)
	all := append([]model.Evidence{}, c.For...)
	for _, sy := range d.Symptoms {
		all = append(all, sy.Evidence...)
	}
	for _, e := range all {
		if e.Signal == want.Signal && e.Value != nil && isNumber(*e.Value) {
			return s + " (now " + units.Format(*e.Value, e.Unit, boundOf(e.Bound)) + ")"
		}
	}
	return s
}

func boundOf(s string) model.Bound {
	switch s {
	case model.AtMost.String():
		return model.AtMost
	case model.AtLeast.String():
		return model.AtLeast
	default:
		return model.Exact
	}
}

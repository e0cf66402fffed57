package render

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
)

const noneKnown = "none of the causes known to inferdx"

// addCauses tells the primary cause and what to do about it, or that none can be named.
func (v *view) addCauses(d model.Diagnosis) {
	cs := slices.Clone(d.Causes)
	slices.SortStableFunc(cs, func(a, b model.Cause) int { return -cmp.Compare(a.Score, b.Score) })
	i := slices.IndexFunc(cs, func(c model.Cause) bool { return c.Primary })
	if i < 0 {
		v.abstain(d, cs)
		return
	}
	main := cs[i]
	folded := consequences(cs, main.ID)
	c := newCauseView(main)
	for _, f := range folded {
		c.hence = append(c.hence, titleOf(f)+" "+scoreOf(f.Score))
	}
	c.hence = few(c.hence, maxEvidence)
	v.cause = &c
	v.addTurns(d, main)
	for _, o := range cs {
		if o.ID != main.ID && o.Score >= 0.005 && !slices.ContainsFunc(folded, func(f model.Cause) bool { return f.ID == o.ID }) {
			v.also = append(v.also, scoreOf(o.Score)+" "+titleOf(o))
		}
	}
	v.also = few(v.also, maxCandidates)
	if d.UnknownScore >= 0.05 {
		v.also = append(v.also, scoreOf(d.UnknownScore)+" "+noneKnown)
	}
}

// abstain lists candidates with what would tell them apart. Only harm asks for a cause.
func (v *view) abstain(d model.Diagnosis, cs []model.Cause) {
	if len(cs) == 0 && d.Status != model.Degraded {
		return
	}
	v.abstained = true
	for _, c := range cs[:min(len(cs), maxCandidates)] {
		v.candidates = append(v.candidates, newCauseView(c))
	}
	if len(cs) > maxCandidates {
		v.more = fmt.Sprintf("%d more", len(cs)-maxCandidates) + elsewhere
	}
	if d.UnknownScore >= 0.005 {
		v.otherwise = scoreOf(d.UnknownScore)
	}
}

func newCauseView(c model.Cause) causeView {
	v := causeView{
		id: name(c.ID), title: text(cmp.Or(c.Title, c.ID)), score: scoreOf(c.Score),
		why: sentences(c.For), against: sentences(c.Against), missing: sentences(c.Unseen),
	}
	switch {
	case c.RecordingsBehind <= 0:
		v.thin = "no recording with this cause known stands behind the score"
	case c.RecordingsBehind < 3:
		v.thin = "only " + plural(c.RecordingsBehind, "recording") + " with this cause known behind the score"
	}
	return v
}

// sentences puts the weightiest first.
func sentences(es []model.Evidence) []string {
	es = slices.Clone(es)
	slices.SortStableFunc(es, func(a, b model.Evidence) int {
		return -cmp.Compare(math.Abs(a.Weight), math.Abs(b.Weight))
	})
	var out []string
	for _, e := range es {
		if t := text(e.Text); t != "" && !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return few(out, maxEvidence)
}

// consequences lists the causes that follow from one, directly or through another.
func consequences(cs []model.Cause, id string) []model.Cause {
	in := map[string]bool{id: true}
	var out []model.Cause
	for grown := true; grown; {
		grown = false
		for _, c := range cs {
			if c.ConsequenceOf != "" && in[c.ConsequenceOf] && !in[c.ID] {
				in[c.ID], grown = true, true
				out = append(out, c)
			}
		}
	}
	return out
}

// titleOf names a cause in a list, with the id under which its page and its JSON are found.
func titleOf(c model.Cause) string {
	if c.Title == "" || c.Title == c.ID {
		return name(c.ID)
	}
	return text(c.Title) + " (" + name(c.ID) + ")"
}

// scoreOf never claims certainty that rounding made up.
func scoreOf(v float64) string {
	switch {
	case !isNumber(v):
		return "?"
	case v >= 0.995:
		return ">0.99"
	case v > 0 && v < 0.005:
		return "<0.01"
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

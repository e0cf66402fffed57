package verify

import (
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// mostNotes bounds what is told of one cause's past.
const mostNotes = 2

// Annotate adds what is remembered to diagnoses: notes on what helped, and suggestions held back that
// were tried in vain or would undo what helped. Causes keep their scores and order, and a diagnosis its
// fingerprint. The diagnoses given are not changed.
func Annotate(ds []model.Diagnosis, m Memory) []model.Diagnosis {
	out := slices.Clone(ds)
	for i := range out {
		if past := m.about(out[i]); len(past) > 0 && len(out[i].Causes) > 0 {
			out[i] = m.annotate(out[i], past)
		}
	}
	return out
}

func (m Memory) annotate(d model.Diagnosis, past []entry) model.Diagnosis {
	turned := ""
	if len(d.Causes[0].Changes) > 0 {
		turned = d.Causes[0].Changes[0].Text
	}
	d.Causes, d.Notes = slices.Clone(d.Causes), slices.Clone(d.Notes)
	for i := range d.Causes {
		c := &d.Causes[i]
		kept, held, cautions := m.sift(d, *c, past)
		told := m.earlier(d, *c, past, held)
		for _, n := range slices.Concat(held, cautions, told) {
			if !slices.Contains(d.Notes, n) {
				d.Notes = append(d.Notes, n)
			}
		}
		if len(kept) == 0 && len(held) > 0 {
			kept = []model.Action{exhausted(held)}
		}
		c.Changes = kept
	}
	if d.Causes[0].Primary && turned != "" {
		if rest, ok := strings.CutSuffix(d.Summary, "; "+turned); ok {
			d.Summary = rest + "; " + d.Causes[0].Changes[0].Text
		}
	}
	return d
}

// sift parts the changes of a cause from those held back; each of those leaves a note, and so does one
// that stays although it takes back what helped against another cause.
func (m Memory) sift(d model.Diagnosis, c model.Cause, past []entry) (kept []model.Action, held, cautions []string) {
	if c.Changes == nil {
		return nil, nil, nil
	}
	kept = []model.Action{}
	for _, a := range c.Changes {
		why, caution := m.against(d, c, a, past)
		if why != "" {
			held = append(held, a.Text+" is not suggested: "+why)
			continue
		}
		if caution != "" {
			cautions = append(cautions, a.Text+" takes back what helped against another cause: "+caution)
		}
		kept = append(kept, a)
	}
	return kept, held, cautions
}

// earlier tells of the latest changes that were made for this cause, unless a note above does already.
func (m Memory) earlier(d model.Diagnosis, c model.Cause, past []entry, held []string) []string {
	var out []string
	for _, e := range past {
		if e.cause != c.ID || len(out) == mostNotes {
			continue
		}
		s := e.sentence(d)
		if !slices.ContainsFunc(held, func(h string) bool { return strings.Contains(h, s) }) {
			out = append(out, c.Title+": "+s)
		}
	}
	return out
}

// exhausted stands where every change of a cause is held back, so that the cause does not look as if
// there were nothing to know.
func exhausted(held []string) model.Action {
	return model.Action{
		Kind: "fix", When: "now", Cost: "none",
		Text: "look at another cause: what is usually turned for this one was tried",
		Why:  strings.Join(held, "; "),
	}
}

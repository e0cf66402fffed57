package eval

import (
	"maps"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
)

// Advice compares the change that was suggested for a recording with the one that cured it: the recording of
// fixed_by is the same load with one setting put right.
type Advice struct {
	Recording string `json:"recording"`
	FixedBy   string `json:"fixed_by"`
	Knob      string `json:"knob"` // that the cure turned; "" where it turned none that is known
	Cured     string `json:"cured"`
	Suggested string `json:"suggested"` // "" where the named cause suggests no value for that knob
	// Verdict is right (the same direction), wrong (the other one), other (another change) or none (no cause was named).
	Verdict string `json:"verdict"`
}

// advise judges what was suggested for every recording that has a cure.
func advise(c *content.Content, os []Outcome, all []*Recording) []Advice {
	byID := map[string]*Recording{}
	for _, r := range all {
		byID[r.ID] = r
	}
	var out []Advice
	for _, o := range os {
		cure := byID[o.R.FixedBy]
		if cure == nil {
			continue
		}
		a := Advice{Recording: o.R.ID, FixedBy: cure.ID, Verdict: "other"}
		before, after := settings(c, o, o.R), settings(c, o, cure)
		if o.Primary() == "" {
			a.Verdict = "none"
		}
		for _, x := range o.actions {
			was, known := before[x.Knob]
			b, ok := after[x.Knob]
			if !ok { // a default that is not known: all that can be said is that the old value is no longer set
				b = model.Fact{Text: "left out"}
			}
			if x.To == nil || !known || was.Text == b.Text || !ok && was.IsNum && was.Text != "true" && was.Text != "false" {
				continue
			}
			a.Knob, a.Cured, a.Suggested, a.Verdict = x.Knob, was.Text+" -> "+b.Text, *x.To, "wrong"
			if same(was, b, *x.To) || !ok && *x.To != was.Text {
				a.Verdict = "right"
			}
			break
		}
		out = append(out, a)
	}
	return out
}

// settings are those of a recording's launch, with the defaults of the server that was looked at.
func settings(c *content.Content, o Outcome, r *Recording) map[string]model.Fact {
	out := maps.Clone(o.defaults)
	maps.Copy(out, c.Knobs.FromArgs(r.Engine, r.Args).Facts)
	return out
}

// defaults are the defaults that a frame knows of its servers' settings.
func defaults(f *model.Frame) map[string]model.Fact {
	out := map[string]model.Fact{}
	for _, e := range f.Entities.All() {
		for name, fact := range f.AllFacts(e.ID) {
			if id, ok := strings.CutSuffix(name, "_default"); ok {
				out[id] = fact
			}
		}
	}
	return out
}

// same says whether a suggested value lies on the side of the old one where the cure is. To take a limit away
// is to raise it.
func same(was, cure model.Fact, suggested string) bool {
	if suggested == "unset" && was.IsNum {
		return !cure.IsNum || cure.Num > was.Num
	}
	to, err := strconv.ParseFloat(suggested, 64)
	if err != nil || !was.IsNum || !cure.IsNum {
		return suggested == cure.Text
	}
	return (to-was.Num)*(cure.Num-was.Num) > 0
}

// clipped keeps a table narrow.
func clipped(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

func (t *tables) advice(all []Advice) {
	if len(all) == 0 {
		return
	}
	n := map[string]int{}
	for _, a := range all {
		n[a.Verdict]++
	}
	t.title("\nadvice against the change that cured the same load: %d the same direction, %d the other one, %d another change, %d none named\n",
		n["right"], n["wrong"], n["other"], n["none"])
	t.row("recording", "cured by", "the cure", "suggested", "verdict")
	for _, a := range all {
		t.row(a.Recording, a.FixedBy, clipped(a.Knob+" "+a.Cured), a.Suggested, a.Verdict)
	}
}

package eval

import (
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
)

// IncidentAdvice compares what the playbook of the confirmed cause suggests on a report's figures with the setting that
// cured the incident. The cause need not be named for that: most reports have too few figures.
type IncidentAdvice struct {
	ID        string `json:"id"`
	Cause     string `json:"cause"`
	Knob      string `json:"knob"`
	Cure      string `json:"cure"`      // up, down, on, off or set
	Suggested string `json:"suggested"` // "" where the playbook suggests nothing for that knob
	// Verdict is right (the same direction), wrong (the other one) or other (another change).
	Verdict string `json:"verdict"`
}

// advice judges the incidents that a setting cured.
func (c catalogue) advice(list []Incident, causes map[string]string) ([]IncidentAdvice, error) {
	var out []IncidentAdvice
	for _, in := range list {
		if in.Fix.Knob == "" {
			continue
		}
		p, ok := c.Playbooks.Get(causes[in.Class])
		if !ok {
			continue
		}
		f, err := in.still(c, in.Bad)
		if err != nil {
			return nil, err
		}
		a := IncidentAdvice{ID: in.ID, Cause: p.ID, Knob: in.Fix.Knob, Cure: in.Fix.Direction, Verdict: "other"}
		for _, x := range c.engine.Suggest(f, f.Entities.All()[0].ID, p.ID) {
			if x.Knob != in.Fix.Knob {
				continue
			}
			way, said := wayOf(x, p)
			a.Suggested, a.Verdict = said, "wrong"
			if way == in.Fix.Direction {
				a.Verdict = "right"
			}
			break
		}
		out = append(out, a)
	}
	return out, nil
}

// wayOf is the direction of a suggested change - up, down, on, off or set, "" where it cannot be told - and the change in words.
func wayOf(x model.Action, p *playbooks.Playbook) (way, said string) {
	if x.To == nil {
		for _, c := range p.Changes {
			if c.Knob == x.Knob && c.Direction != "" {
				return c.Direction, c.Direction
			}
		}
		return "", "?"
	}
	switch *x.To {
	case "true":
		return "on", *x.To
	case "false", "unset":
		return "off", *x.To
	}
	to, err := strconv.ParseFloat(*x.To, 64)
	if err != nil {
		return "", *x.To
	}
	if x.From == nil {
		return "set", *x.To
	}
	from, err := strconv.ParseFloat(*x.From, 64)
	switch {
	case err != nil || from == to:
		return "", *x.To
	case to > from:
		return "up", *x.From + " -> " + *x.To
	}
	return "down", *x.From + " -> " + *x.To
}

package eval

import (
	"slices"
	"strings"
)

// Basis is what stands behind one cause: on how many recordings of real servers it was the right answer and
// came first there, under the first condition; on how many simulated ones; and how many incidents that others
// reported have it. A cause with none of them rests on the tests beside its playbook alone.
type Basis struct {
	ID        string `json:"id"`
	Real      Share  `json:"real"`
	Simulated Share  `json:"simulated"`
	Incidents int    `json:"incidents"`
}

// Rests says in a word what a cause rests on: recordings, simulation, incidents or tests.
func (b Basis) Rests() string {
	switch {
	case b.Real.N > 0:
		return "recordings"
	case b.Simulated.N > 0:
		return "simulation"
	case b.Incidents > 0:
		return "incidents"
	}
	return "tests"
}

// basis gathers it for every cause, in order of name.
func (r *Report) basis(causes []string) []Basis {
	out := make([]Basis, len(causes))
	for i, id := range causes {
		out[i].ID = id
		for _, s := range r.Splits {
			to := &out[i].Real
			if s.Name == Simulated {
				to = &out[i].Simulated
			}
			for _, c := range s.first() {
				if c.ID == id {
					*to = share(to.Hits+c.First.Hits, to.N+c.First.N)
				}
			}
		}
		if r.Incidents == nil {
			continue
		}
		for _, x := range r.Incidents.Results {
			if x.Cause == id {
				out[i].Incidents++
			}
		}
	}
	slices.SortFunc(out, func(a, b Basis) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// first are the causes under the first condition.
func (s Split) first() []Cause {
	if len(s.Conditions) == 0 {
		return nil
	}
	return s.Conditions[0].Causes
}

func (t *tables) basis(all []Basis) {
	alone := map[string][]string{}
	t.title("\nwhat each cause rests on: recordings of real servers, simulated ones, incidents that others reported\n")
	t.row("cause", "recordings, AC@1", "simulated, AC@1", "incidents")
	for _, b := range all {
		if b.Rests() == "tests" {
			alone["tests"] = append(alone["tests"], b.ID)
			continue
		}
		t.row(b.ID, b.Real, b.Simulated, b.Incidents)
		if b.Rests() != "recordings" {
			alone[b.Rests()] = append(alone[b.Rests()], b.ID)
		}
	}
	t.title("")
	for _, of := range []struct{ key, words string }{
		{"simulation", "on simulation alone"}, {"incidents", "on reported incidents alone"}, {"tests", "on the tests beside their playbooks alone"},
	} {
		if ids := alone[of.key]; len(ids) > 0 {
			t.title("%s (%d): %s", of.words, len(ids), strings.Join(ids, ", "))
		}
	}
}

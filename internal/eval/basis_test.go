package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSimulationAndReportsAreNoRecordings(t *testing.T) {
	of := func(name, cause string, hits float64, n int) Split {
		return Split{Name: name, Conditions: []Summary{{Causes: []Cause{{ID: cause, First: share(hits, n)}}}}}
	}
	r := &Report{
		Splits:    []Split{of(Given, "a", 1, 2), of(Probe, "a", 1, 1), of(Simulated, "a", 0, 3), of(Simulated, "b", 1, 1)},
		Incidents: &IncidentSummary{Results: []IncidentResult{{Cause: "c"}, {Cause: "c"}}},
	}
	got := map[string]string{}
	for _, b := range r.basis([]string{"d", "c", "b", "a"}) {
		got[b.ID] = b.Rests()
		if b.ID == "a" && (b.Real.Hits != 2 || b.Real.N != 3 || b.Simulated.N != 3) {
			t.Errorf("a has %+v", b)
		}
	}
	want := map[string]string{"a": "recordings", "b": "simulation", "c": "incidents", "d": "tests"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

package eval

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/inferdx/inferdx/corpus"
	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/model"
)

// recordings are read once for all tests; nobody changes them.
var recordings = sync.OnceValues(func() ([]*Recording, error) { return Load(corpus.Recordings()) })

func all(t *testing.T) []*Recording {
	t.Helper()
	rs, err := recordings()
	if err != nil {
		t.Fatal(err)
	}
	return Select(rs, Given, Dev, Heldout)
}

// open are the recordings whose outcome may be looked at one by one: the held-out ones may not.
func open(t *testing.T) []*Recording { return Select(all(t), Given, Dev) }

// shared is the built-in content for tests that only read it.
var shared = sync.OnceValues(func() (*content.Content, error) { return content.Load(content.Options{}) })

func builtin(t *testing.T) *content.Content {
	t.Helper()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func run(t *testing.T, condition string, rs []*Recording) []Outcome {
	t.Helper()
	cs, err := Pick(condition)
	if err != nil {
		t.Fatal(err)
	}
	return Run(builtin(t), engine.Fit{}, cs[0], rs, all(t))
}

func (o Outcome) name() string {
	if o.Of == "" {
		return o.Recording
	}
	return o.Recording + " (" + o.Of + ")"
}

// explain lists the outcomes of which bad holds.
func explain(t *testing.T, os []Outcome, bad func(Outcome) bool) {
	t.Helper()
	for _, o := range os {
		if bad(o) {
			t.Logf("%s: wanted %s %v, got %s; symptoms %v", o.name(), o.R.Status, o.R.Causes, o.got(), o.Symptoms)
		}
	}
}

// The bars of the given recordings. Under every condition no healthy or idle server may be accused.
func TestGivenRecordingsReachTheRequiredAccuracy(t *testing.T) {
	for _, c := range []struct {
		condition    string
		first, three float64
	}{
		{"args", 0.93, 1},
		{"no-args", 0.85, 0},
		{"dcgm-default", 0, 0.9},
		{"dcgm-default-no-args", 0, 0.9},
		{"engine-only", 0, 0.8},
		{"engine-only-no-args", 0, 0.8},
		{"foreign-args", 0, 0},
	} {
		t.Run(c.condition, func(t *testing.T) {
			os := run(t, c.condition, Select(all(t), Given))
			s := Summarize(c.condition, os)
			if s.First.P < c.first {
				t.Errorf("AC@1 is %s, required is %.2f", s.First, c.first)
				explain(t, os, func(o Outcome) bool { return o.R.Faulty() && o.Rank() != 1 })
			}
			if s.Three.P < c.three {
				t.Errorf("AC@3 is %s, required is %.2f", s.Three, c.three)
				explain(t, os, func(o Outcome) bool { return o.R.Faulty() && (o.Rank() == 0 || o.Rank() > 3) })
			}
			if s.Listed.Hits > 0 {
				t.Errorf("causes are listed on %s healthy or idle looks", s.Listed.count())
				explain(t, os, func(o Outcome) bool { return o.unwanted(0) != "" })
			}
		})
	}
}

func TestStatusIsRightWhereTheTruthIsClear(t *testing.T) {
	for _, condition := range []string{"args", "no-args"} {
		for _, o := range run(t, condition, open(t)) {
			if certainStatus(o.R) && o.Status != o.R.Status {
				t.Errorf("%s, %s: %s, want %s; TTFT P99 at the client %g s", condition, o.name(), o.Status, o.R.Status, o.R.Client["ttft_p99"])
			}
		}
	}
}

// With another server's arguments a cause may be named only if the server shows it.
func TestForeignArgumentsNameNoCauseThatTheServerDoesNotShow(t *testing.T) {
	for _, o := range run(t, "foreign-args", open(t)) {
		if p := o.Primary(); p != "" && !o.R.Accepts(p) {
			t.Errorf("%s: names %s (%.2f), the truth is %v", o.name(), p, o.Causes[0].Score, o.R.Causes)
		}
	}
}

// A recording that nobody tuned on may fail no bar either, but it is not looked at one by one.
func TestHeldOutRecordingsAccuseNobody(t *testing.T) {
	rs := Select(all(t), Heldout)
	if len(rs) == 0 {
		t.Skip("no recording is held out")
	}
	for _, c := range Accuracy() {
		if s := Summarize(c.Name, run(t, c.Name, rs)); s.Listed.Hits > 0 {
			t.Errorf("%s: causes are listed on %s healthy or idle looks", c.Name, s.Listed.count())
		}
	}
}

func TestEveryCauseOfTheCorpusIsAnswerable(t *testing.T) {
	c := builtin(t)
	for _, r := range all(t) {
		if r.Faulty() && !slices.ContainsFunc(r.Causes, func(id string) bool { _, ok := c.Playbooks.Get(id); return ok }) {
			t.Errorf("%s: no playbook for any of %v", r.ID, r.Causes)
		}
		if r.Quiet() && r.Faulty() || r.Status == model.Degraded && !r.Faulty() {
			t.Errorf("%s: status %s does not go with causes %v", r.ID, r.Status, r.Causes)
		}
		if !strings.HasPrefix(r.Family, r.Rig+"/") {
			t.Errorf("%s: family %s is not of rig %s", r.ID, r.Family, r.Rig)
		}
		if r.FixedBy != "" && !slices.ContainsFunc(all(t), func(o *Recording) bool { return o.ID == r.FixedBy && o.Family == r.Family }) {
			t.Errorf("%s: its cure %s is no recording of the family %s", r.ID, r.FixedBy, r.Family)
		}
	}
}

// Incidents are few and reported in other people's words: the bar is that none of them is blamed on
// something else.
func TestIncidentsAreNotBlamedOnSomethingElse(t *testing.T) {
	s, err := measureIncidents(builtin(t), corpus.Recordings())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Results {
		if r.Covered && r.Wrong() {
			t.Errorf("%s: names %s, the cause is %s", r.ID, r.Causes[0].ID, r.Cause)
		}
	}
}

package pipeline

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/torchtrace"
	"github.com/inferdx/inferdx/internal/model"
)

func TestAProfileSaysInMillisecondsWhatEagerModeCosts(t *testing.T) {
	p, st, at := open(t, "eager-c8")
	profile, err := torchtrace.Open("../../corpus/eager-c8/profile.trace.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	d := p.Diagnose(st, Request{At: at, Window: 5 * time.Minute, Measured: profile.Facts(), Notes: []string{"of the evidence"}}).Targets[0]
	const want = "of its 31 ms the GPU waits 25 ms for launches"
	if len(d.Causes) == 0 || d.Causes[0].ID != "cuda-graph-disabled" || !slices.ContainsFunc(d.Causes[0].For, func(e model.Evidence) bool { return strings.Contains(e.Text, want) }) {
		t.Errorf("%+v", d.Causes)
	}
	if !slices.Contains(d.Notes, "of the evidence") {
		t.Errorf("notes %q", d.Notes)
	}
}

// A profile without a GPU, as of a server on the CPU, moves no cause.
func TestAProfileOfTheHostAloneAccusesNobodyOfEagerMode(t *testing.T) {
	profile, err := torchtrace.Open("../evidence/torchtrace/testdata/cpu.pt.trace.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"eager-c8", "base-cpu-starved", "seqs2-c12"} {
		p, st, at := open(t, id)
		without := p.Diagnose(st, Request{At: at, Window: 5 * time.Minute}).Targets[0]
		with := p.Diagnose(st, Request{At: at, Window: 5 * time.Minute, Measured: profile.Facts()}).Targets[0]
		for i, c := range without.Causes {
			if len(with.Causes) != len(without.Causes) || with.Causes[i].ID != c.ID || with.Causes[i].Score != c.Score {
				t.Errorf("%s: %+v with the profile, %+v without", id, with.Causes, without.Causes)
				break
			}
		}
	}
}

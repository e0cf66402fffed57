package eval

import (
	"testing"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// A profile of a server whose kernels come out of CUDA graphs, and one of an eager server, under the same load.
func TestAProfileMovesTheRankingWhereItShouldAndNowhereElse(t *testing.T) {
	rs := all(t)
	var graphs, eager map[string]model.Fact
	for _, r := range rs {
		switch r.ID {
		case "base-c8":
			graphs = r.Profile
		case "eager-c8":
			eager = r.Profile
		}
	}
	if graphs == nil || eager == nil {
		t.Fatal("the profiles are not there")
	}
	p := pipeline.New(builtin(t), nil, engine.Fit{})
	look := func(r *Recording, profile map[string]model.Fact) Outcome {
		req := request(r, nil)
		req.Measured = profile
		f, notes := p.Frame(r.Store, req)
		return seen{r: r, frame: f, notes: notes, books: p.Content.Playbooks}.outcome(p.Engine)
	}
	score := func(o Outcome, cause string) float64 {
		for _, c := range o.Causes {
			if c.ID == cause {
				return c.Score
			}
		}
		return 0
	}
	for _, r := range Select(rs, Given) {
		before := look(r, nil)
		if r.ID == "eager-c8" {
			after, wrong := look(r, eager), look(r, graphs)
			if after.Primary() != "cuda-graph-disabled" || score(after, "cuda-graph-disabled") <= score(before, "cuda-graph-disabled") {
				t.Errorf("eager: %v with its profile, %v without", after.Causes, before.Causes)
			}
			if score(wrong, "cuda-graph-disabled") >= score(before, "cuda-graph-disabled") {
				t.Errorf("eager: a profile with graphs speaks against, got %v, without %v", wrong.Causes, before.Causes)
			}
			continue
		}
		after := look(r, graphs)
		if after.Primary() != before.Primary() || after.Status != before.Status {
			t.Errorf("%s: %s %q with the profile of a sound server, %s %q without", r.ID, after.Status, after.Primary(), before.Status, before.Primary())
		}
		if r.ID == "base-cpu-starved" && score(after, "cpu-bottleneck")-score(after, "cuda-graph-disabled") < score(before, "cpu-bottleneck")-score(before, "cuda-graph-disabled") {
			t.Errorf("starved host: %v with the profile, %v without", after.Causes, before.Causes)
		}
	}
}

package replay_test

import (
	"testing"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/replay"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/source/recording"
)

const corpus = "../../corpus/"

func builtin(t testing.TB) *pipeline.Pipeline {
	t.Helper()
	c, err := content.Load(content.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return pipeline.New(c, nil, engine.Fit{})
}

func load(t testing.TB, p *pipeline.Pipeline, id string) *samples.Store {
	t.Helper()
	wanted := map[string]bool{}
	for _, n := range p.Content.Signals.Metrics() {
		wanted[n] = true
	}
	st, err := recording.Open(corpus+id+"/metrics.om.gz", func(n string) bool { return wanted[n] })
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// over are the options for all of a recording, at its own pace.
func over(p *pipeline.Pipeline, st *samples.Store) replay.Options {
	first, last, _ := st.Bounds()
	step := time.Minute
	if d, ok := replay.Interval(st); ok {
		step = min(step, d)
	}
	return replay.Options{Pipeline: p, Source: replay.Held{Store: st}, From: time.UnixMilli(first), To: time.UnixMilli(last), Step: step}
}

func run(t testing.TB, o replay.Options) *replay.Result {
	t.Helper()
	r, err := replay.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

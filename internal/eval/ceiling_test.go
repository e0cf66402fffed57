package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
	"github.com/inferdx/inferdx/internal/shape"
)

// onH200 are the recordings of the machine whose model's shape is known.
func onH200(t *testing.T) []*Recording {
	t.Helper()
	var out []*Recording
	for _, r := range all(t) {
		if strings.Contains(r.Hardware, "H200") {
			out = append(out, r)
		}
	}
	if len(out) < 18 {
		t.Fatalf("only %d recordings of an H200", len(out))
	}
	return out
}

// shaped is a request with the model's configuration.
func shaped(t *testing.T, r *Recording, args bool) pipeline.Request {
	t.Helper()
	m, err := shape.Open("../../corpus/models/llama-8b-dummy.json")
	if err != nil {
		t.Fatal(err)
	}
	req := request(r, nil)
	req.Model = func(model.Labels) *shape.Shape { return m }
	if args {
		req.Args = r.Args
	}
	return req
}

func server(t *testing.T, f *model.Frame) model.EntityID {
	t.Helper()
	for _, x := range f.Entities.All() {
		if x.Scope == model.ScopeTarget {
			return x.ID
		}
	}
	t.Fatal("no server")
	return 0
}

// The physics on every real step: it never takes less than its floor, and what is far from the ceiling is what somebody made so.
func TestNoStepIsFasterThanTheHardwareAllows(t *testing.T) {
	p := pipeline.New(builtin(t), nil, engine.Fit{})
	far := []string{"eager-c8", "base-cpu-starved", "base-gpu-contention"}
	for _, r := range onH200(t) {
		f, notes := p.Frame(r.Store, shaped(t, r, true))
		if len(notes) > 0 {
			t.Errorf("%s: %v", r.ID, notes)
		}
		_, symptoms := p.Engine.Judge(nil, f)
		d, _ := about(r, p.Engine.Diagnose(f, symptoms))
		c := d.Ceiling
		if c == nil {
			t.Errorf("%s: no ceiling", r.ID)
			continue
		}
		if c.Ratio <= 0 || c.Ratio > 1 || c.FloorSeconds > c.StepSeconds {
			t.Errorf("%s: a step of %.4g s and a floor of %.4g s", r.ID, c.StepSeconds, c.FloorSeconds)
		}
		if c.Far != slices.Contains(far, r.ID) {
			t.Errorf("%s: far from the ceiling is %v, %.2f of it reached", r.ID, c.Far, c.Ratio)
		}
		if gen, ok := f.Get(server(t, f), "gen_tokens_per_s"); !ok || gen.V > *c.DecodeMost {
			t.Errorf("%s: %.0f tokens/s are generated, %.0f the most", r.ID, gen.V, *c.DecodeMost)
		}
		// The memory interface reads what the formula says that a step reads, as far as decode is all that it does.
		busy, ok := f.Get(server(t, f), "dram_active_ratio")
		if pauses, _ := f.Get(server(t, f), "running_p25"); pauses.V < 1 {
			ok = false
		}
		if reads := *c.MemorySeconds / c.StepSeconds; ok && *c.ComputeSeconds < 0.1*c.StepSeconds && reads > 0.4 && (reads > 1.15*busy.V || reads < 0.85*busy.V) {
			t.Errorf("%s: reading is %.2f of a step, the memory interface is busy %.2f of the time", r.ID, reads, busy.V)
		}
		t.Logf("%-20s %-7s step %6.2f ms, reading %6.2f, arithmetic %6.2f: %.2f by %s, far %v", r.ID, c.Phase, 1e3*c.StepSeconds, 1e3**c.MemorySeconds, 1e3**c.ComputeSeconds, c.Ratio, c.Limit, c.Far)
	}
}

func TestProfiledStepsStayAboveTheFloor(t *testing.T) {
	p := pipeline.New(builtin(t), nil, engine.Fit{})
	seen := 0
	for _, r := range onH200(t) {
		step, ok := r.Profile["profile_step_s"]
		if !ok {
			continue
		}
		seen++
		f, _ := p.Frame(r.Store, shaped(t, r, true))
		floor, ok := f.Get(server(t, f), "step_memory_s")
		if !ok || floor.V > step.Num {
			t.Errorf("%s: profiled %.4g s, floor %.4g s, %v", r.ID, step.Num, floor.V, ok)
		}
		t.Logf("%s: %.1f ms profiled, %.1f ms is the floor: %.2f", r.ID, 1e3*step.Num, 1e3*floor.V, floor.V/step.Num)
	}
	if seen < 2 {
		t.Errorf("%d profiles", seen)
	}
}

// A configuration helps, and moves no answer that was right without it.
func TestTheModelsShapeKeepsEveryAnswer(t *testing.T) {
	c := builtin(t)
	p := pipeline.New(c, nil, engine.Fit{})
	for _, r := range onH200(t) {
		for _, args := range []bool{true, false} {
			f, notes := p.Frame(r.Store, shaped(t, r, args))
			o := seen{r: r, frame: f, notes: notes, books: c.Playbooks}.outcome(p.Engine)
			switch {
			case r.Faulty() && !r.Right(o.Primary()):
				t.Errorf("%s, args %v: %q is named, want %v: %v", r.ID, args, o.Primary(), r.Causes, o.Causes)
			case r.Quiet() && o.FalseAlarm() != "":
				t.Errorf("%s, args %v: false alarm %s", r.ID, args, o.FalseAlarm())
			}
		}
	}
}

func TestAnotherModelsConfigurationIsFoundOut(t *testing.T) {
	p := pipeline.New(builtin(t), nil, engine.Fit{})
	for _, r := range onH200(t) {
		if r.Log == nil {
			t.Fatalf("%s has no log", r.ID)
		}
		for _, other := range []string{"llama-3.1-8b", "qwen2.5-7b", "llama-3.1-70b", "qwen3-30b-a3b"} {
			m, err := shape.Open("../shape/testdata/" + other + ".json")
			if err != nil {
				t.Fatal(err)
			}
			req := request(r, nil)
			req.Log, req.Model = r.Log, func(model.Labels) *shape.Shape { return m }
			f, notes := p.Frame(r.Store, req)
			if _, ok := f.Get(server(t, f), "step_floor_s"); ok || len(notes) != 1 || !strings.Contains(notes[0], "not this server's") {
				t.Errorf("%s with the configuration of %s: floor %v, notes %v", r.ID, other, ok, notes)
			}
		}
	}
}

// Package pipeline is the one path from samples to a report. Everything that diagnoses - the
// command, the service, replay, test and eval - goes through it and differs only in where the
// samples come from.
package pipeline

import (
	"slices"
	"sync"
	"time"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/hardware"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/samples"
	"github.com/inferdx/inferdx/internal/shape"
	"github.com/inferdx/inferdx/rules/signals"
)

// Pipeline holds the content and the engine over it. It is safe for concurrent use.
type Pipeline struct {
	Content *content.Content
	Engine  *engine.Engine

	history    *signals.History
	remembered sync.Map // knob defaults by version and circumstances
}

// New builds the engine over a content. recordings counts, by cause, the recordings behind it.
func New(c *content.Content, recordings map[string]int, fit engine.Fit) *Pipeline {
	return &Pipeline{Content: c, history: c.History(), Engine: engine.New(engine.Options{
		Rules: c.Rules, Playbooks: c.Playbooks, Meanings: c, Knobs: c, RecordingsBehind: recordings, Fit: fit,
	})}
}

// Request is one look at some samples.
type Request struct {
	At     time.Time
	Window time.Duration
	// Args are the launch arguments of every target, as the process was started; nil is unknown.
	Args []string
	// ArgsOf gives the launch arguments of one target, where they differ; nil of it is unknown. What it
	// knows of a target wins over Args.
	ArgsOf func(model.Labels) []string
	// Log are facts read from the server's log; nil is unknown.
	Log map[string]model.Fact
	// LogOf gives the facts of one target's log, where they differ; nil of it is unknown. What it knows of a target wins over Log.
	LogOf func(model.Labels) map[string]model.Fact
	// Measured are facts read from profiles, traces and benchmark results of the server; nil is unknown.
	Measured map[string]model.Fact
	// Benchmark gives what results of benchmarks tell of the time that was watched, and what to say of them; nil is unknown.
	Benchmark func(from, to time.Time) (facts map[string]model.Fact, notes []string)
	// MeasuredOf gives facts that were measured of one target, as of its traces; nil of it is unknown. They win over Measured.
	MeasuredOf func(model.Labels) map[string]model.Fact
	// Examples gives traced requests of a target, or of a group by its labels, that show what hurts; nil knows none.
	Examples func(target map[string]string, hurts model.Harm) []model.Example
	// TraceLink is where a trace can be looked at, with {trace_id} in it; "" nowhere.
	TraceLink string
	// Model gives the shape of the model that a target serves; nil, and nil of it, is unknown.
	Model func(model.Labels) *shape.Shape
	// GPU is the device of a target, where its name is not in the table or in no metric; nil, and nil of it, leaves it to the metrics.
	GPU func(model.Labels) *hardware.GPU
	// Notes are what the user should know of this evidence; they stand among those of every target.
	Notes []string
	// Server gives what a target's own endpoints say of it, and whether its settings are among that;
	// nil asks nobody.
	Server func(model.Labels) (facts map[string]model.Fact, configured bool)
	// Settings are the objectives of a target; nil uses the defaults.
	Settings func(model.Labels) map[string]float64
	Join     signals.Join
	Faults   []model.Fault
	Group    []string
	// Known names targets that do not answer any more, see signals.Request; nil knows none.
	Known func(instance model.Labels) (model.Labels, bool)
	// Binding is kept by who asks again and again over one store, see signals.Binding; nil for one look.
	Binding *signals.Binding
	// Without hides signals, for tests of what is said when they are missing.
	Without []string
	// PromQL evaluates users' own signals over the samples of the frame, see signals.Request. It is
	// needed only where the catalogue's Own lists any.
	PromQL func(query string, at time.Time) (map[string]float64, error)
	// Earlier are the samples of earlier windows where the store does not hold them, see History.
	Earlier []signals.Earlier
}

// History is the plan of the earlier windows that the content compares with: what a source must keep,
// or read beside the present.
func (p *Pipeline) History() *signals.History { return p.history }

// Frame evaluates the catalogue and everything known beside the metrics.
func (p *Pipeline) Frame(st *samples.Store, r Request) (*model.Frame, []string) {
	notes := slices.Clone(r.Notes)
	var said []string
	r.Measured, said = p.benchmarked(st, r)
	notes = append(notes, said...)
	f := p.Content.Signals.Frame(st, signals.Request{
		At: r.At, Window: r.Window, Settings: r.Settings, Join: r.Join, Faults: r.Faults, Group: r.Group, Without: r.Without, PromQL: r.PromQL, Binding: r.Binding, Known: r.Known,
		Facts: func(t signals.Target) (own, shared map[string]model.Fact) {
			own, shared, ns := p.facts(t, r)
			for _, n := range ns {
				if !slices.Contains(notes, n) {
					notes = append(notes, n)
				}
			}
			return own, shared
		},
		Past: p.history, Earlier: r.Earlier,
	})
	return f, notes
}

// Diagnose answers once, from a first look.
func (p *Pipeline) Diagnose(st *samples.Store, r Request) *model.Report {
	f, notes := p.Frame(st, r)
	_, symptoms := p.Engine.Judge(nil, f)
	report := engine.Report(f, p.Engine.Diagnose(f, symptoms))
	for i := range report.Targets {
		report.Targets[i].Notes = append(report.Targets[i].Notes, notes...)
	}
	Show(r, report.Targets)
	return report
}

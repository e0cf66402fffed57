// Package engine turns frames into symptoms and symptoms into ranked causes with the change to make.
// It is pure: time comes from the frames, and state is a value that the caller keeps.
package engine

import (
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
	"github.com/inferdx/inferdx/rules"
)

// Meanings tells the engine how a signal is written.
type Meanings interface {
	Unit(name string) string
	Title(name string) string
	OfGPU(name string) bool
}

// Options are the engine's parts. Rules, Playbooks, Meanings and Knobs must be set.
type Options struct {
	Rules     *rules.Set
	Playbooks *playbooks.Set
	Meanings  Meanings
	Knobs     Knobs
	// RecordingsBehind counts, by cause, the recordings on which the cause was seen.
	RecordingsBehind map[string]int
	Fit              Fit
}

// Fit are the only two numbers fitted to recordings, by leaving whole fault families out.
type Fit struct {
	Temperature float64 // divides the evidence; above 1 makes scores less sure
	Unknown     float64 // log-odds of "none of these"
}

// DefaultFit is chosen, not the optimum: with whole load families left out the likelihood asks for
// temperature 0.3 to 0.4 and unknown 3.25 to 3.5, because the recordings separate by the rules that were
// written on them. A server never seen deserves less certainty (one decisive item alone reads 0.92), and
// so large a bias would leave one right answer in eight unnamed. `inferdx eval --fit` prints what these
// values cost beside the optimum.
var DefaultFit = Fit{Temperature: 0.7, Unknown: 2.25}

// Engine judges and diagnoses. It is read-only and safe for concurrent use.
type Engine struct {
	o Options
	// explained lists the playbooks that compete for each symptom.
	explained map[string][]*playbooks.Playbook
	vitals    []rules.Template
	// uncounted is said where nobody counts preemptions and the KV cache speaks for them.
	uncounted rules.Template
}

// New indexes the content.
func New(o Options) *Engine {
	if o.Fit == (Fit{}) {
		o.Fit = DefaultFit
	}
	e := &Engine{
		o: o, explained: map[string][]*playbooks.Playbook{}, vitals: vitals(),
		uncounted: rules.ParseTemplate("preemptions are not counted, KV cache at most {kv_used_max_ratio_uncounted} used"),
	}
	for _, p := range o.Playbooks.All() {
		for _, s := range p.Explains {
			e.explained[s] = append(e.explained[s], p)
		}
	}
	return e
}

func (e *Engine) unit(name string) string { return e.o.Meanings.Unit(name) }

// byScope sorts the entities by what rules and playbooks are about. A group of one is its target.
func byScope(f *model.Frame) map[model.Scope][]model.Entity {
	out := map[model.Scope][]model.Entity{}
	for _, x := range f.Entities.All() {
		if x.Scope == model.ScopeGroup && len(f.Entities.Children(x.ID, model.ScopeTarget)) < 2 {
			continue
		}
		out[x.Scope] = append(out[x.Scope], x)
	}
	return out
}

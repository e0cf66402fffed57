// Package rules holds the symptoms: what harm looks like in the signals. A symptom is one YAML file
// under symptoms/<area>/, its id the file's name; it says that something hurts, never why.
package rules

import (
	"time"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// Rule is one checked symptom rule.
type Rule struct {
	ID       string
	File     string
	Area     string
	Title    string
	Scope    model.Scope
	Severity model.Severity
	// When is judged over the window of a frame. For gates paging only.
	When          *expression.Expr
	For           time.Duration
	KeepFiringFor time.Duration
	Why           string
	Evidence      []Template
	// Onset is a signal with a trend: the harm began when it last rose above a quarter of its level.
	Onset string
	// OnsetStop is a signal with a trend: the harm began when its longest stretch at zero did.
	OnsetStop string
	// OnsetAt is a signal that holds the epoch second at which the harm began.
	OnsetAt string
	// Held is a signal that says for how many seconds the harm has lasted; it wins over Onset.
	Held string
	// Status is what the entity's status becomes; degraded when empty.
	Status model.Status
	// ExplainedAs is a symptom whose causes explain this one, too; empty when only playbooks say what does.
	ExplainedAs string
	// Note marks something worth a line that harms nobody.
	Note bool
}

// file is the YAML form.
type file struct {
	Title         yamlpos.Text   `yaml:"title"`
	Scope         yamlpos.Text   `yaml:"scope"`
	Severity      yamlpos.Text   `yaml:"severity"`
	When          yamlpos.Text   `yaml:"when"`
	For           yamlpos.Text   `yaml:"for"`
	KeepFiringFor yamlpos.Text   `yaml:"keep_firing_for"`
	Why           yamlpos.Text   `yaml:"why"`
	Evidence      []yamlpos.Text `yaml:"evidence"`
	Onset         yamlpos.Text   `yaml:"onset"`
	OnsetStop     yamlpos.Text   `yaml:"onset_stop"`
	OnsetAt       yamlpos.Text   `yaml:"onset_at"`
	Held          yamlpos.Text   `yaml:"held"`
	Status        yamlpos.Text   `yaml:"status"`
	ExplainedAs   yamlpos.Text   `yaml:"explained_as"`
	Disabled      bool           `yaml:"disabled"`
}

// Set is all rules in order of id. It is read-only.
type Set struct {
	rules []*Rule
	byID  map[string]*Rule
	// disabled were taken away by the user; playbooks may still name them.
	disabled map[string]bool
}

// All lists the rules in order of id.
func (s *Set) All() []*Rule { return s.rules }

// Get returns a rule by id.
func (s *Set) Get(id string) (*Rule, bool) {
	r, ok := s.byID[id]
	return r, ok
}

// ExplainedAs lists the rules that the causes of a rule explain, too, in order of id.
func (s *Set) ExplainedAs(id string) []string {
	var out []string
	for _, r := range s.rules {
		if r.ExplainedAs == id {
			out = append(out, r.ID)
		}
	}
	return out
}

// Known says whether a rule of that id exists, or did before the user took it away.
func (s *Set) Known(id string) bool { return s.byID[id] != nil || s.disabled[id] }

// IDs lists the ids, sorted.
func (s *Set) IDs() []string {
	out := make([]string, len(s.rules))
	for i, r := range s.rules {
		out[i] = r.ID
	}
	return out
}

// Package playbooks holds the causes: what explains which symptom, on what evidence, and what to turn.
// A cause is one YAML file under causes/<group>/, its id the file's name.
package playbooks

import (
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// Playbook is one checked cause.
type Playbook struct {
	ID    string
	File  string
	Group string
	Title string
	Layer string
	// State marks what is no cause: it may stand as the answer only where nothing deeper was seen.
	State bool
	Is    string
	// Impact says in a sentence who is hurt and how; "" where nobody wrote it.
	Impact    string
	ToldApart string
	// Scope is target or group, or "both" where the evidence reads members that either has.
	Scope    model.Scope
	Explains []string
	Prior    float64 // log-odds before any evidence; 0 unless the cause is rare
	// Requires must hold for the cause to be a candidate; while it is unknown the cause cannot be primary.
	Requires *expression.Expr
	// RulesOut takes the candidate away when it is true.
	RulesOut *expression.Expr
	// DecidedBy lists the kinds of evidence of which one must speak for the cause before it can be primary.
	DecidedBy    []string
	For          []Item
	Against      []Item
	Unseen       []Unseen
	ExplainsAway []string
	Changes      []Change
	Sources      []string
}

// Item is one piece of evidence. Weight is in log-odds, always positive; of a group only the
// strongest true item counts.
type Item struct {
	When   *expression.Expr
	Weight float64
	Group  string
	By     string // metrics, gpu, host, args, log, profile, trace
	Text   rules.Template
}

// Unseen is evidence that would help to tell, with the way to get it.
type Unseen struct {
	Signal string
	// Engine is the only server that has it, "" where each may.
	Engine string
	Needs  string
}

// Change is something to do about the cause.
type Change struct {
	Kind string // knob, scale, route, drain, client, fix
	When string // now, rollout
	// Engine is the only server that the change is for, as its words name; "" is every one that has the knob.
	Engine string
	Knob   string
	// From infers the present value where nobody told it, as a cap from its plateau.
	From *expression.Expr
	To   *expression.Expr // nil: a direction without a number
	Set  string           // a fixed word instead of To: "fp8", "true"
	// Direction is up or down: a value on the wrong side of the current one is never suggested.
	Direction string
	If        *expression.Expr // suggested unless this is false
	Text      rules.Template
	Why       rules.Template
	Cost      string
	Verify    *model.Verify
}

// The shared scale of evidence, in log-odds.
var weights = map[string]float64{"decisive": 4, "strong": 2, "moderate": 1, "weak": 0.4}

// Set is all playbooks in order of id. It is read-only.
type Set struct {
	list []*Playbook
	byID map[string]*Playbook
	// disabled were taken away by the user; others may still name them.
	disabled map[string]bool
}

// All lists the playbooks in order of id.
func (s *Set) All() []*Playbook { return s.list }

// Get returns a playbook by id.
func (s *Set) Get(id string) (*Playbook, bool) {
	p, ok := s.byID[id]
	return p, ok
}

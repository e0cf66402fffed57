package model

import "time"

// Status is the answer for one entity.
type Status string

// The statuses. Unknown means that not enough was seen to tell; it is never a quiet healthy.
const (
	Healthy  Status = "healthy"
	Idle     Status = "idle"
	Degraded Status = "degraded"
	Down     Status = "down"
	Unknown  Status = "unknown"
)

// Severity ranks symptoms.
type Severity string

// The severities, as Prometheus users know them.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Rank orders severities; an unknown one ranks lowest.
func (s Severity) Rank() int {
	switch s {
	case Info:
		return 1
	case Warning:
		return 2
	case Critical:
		return 3
	}
	return 0
}

// Report is the whole answer of one run, the root of the JSON contract.
type Report struct {
	Version       string      `json:"version"`
	GeneratedAt   time.Time   `json:"generated_at"`
	WindowSeconds float64     `json:"window_seconds"`
	Partial       bool        `json:"partial"`
	Faults        []string    `json:"faults,omitempty"`
	Targets       []Diagnosis `json:"targets"`
}

// EngineInfo is the engine as the contract shows it. Version may start with ">=" when inferred.
type EngineInfo struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Diagnosis is the answer for one entity.
type Diagnosis struct {
	Target       map[string]string `json:"target"`
	Scope        Scope             `json:"scope"`
	Engine       EngineInfo        `json:"engine"`
	Status       Status            `json:"status"`
	Summary      string            `json:"summary"`
	UnknownScore float64           `json:"unknown_score"`
	Fingerprint  string            `json:"fingerprint"`
	BoundBy      *string           `json:"bound_by"`
	Ceiling      *Ceiling          `json:"ceiling,omitempty"`
	Onset        *time.Time        `json:"onset"`
	Changed      []Change          `json:"changed"`
	Impact       Impact            `json:"impact"`
	Symptoms     []Symptom         `json:"symptoms"`
	Causes       []Cause           `json:"causes"`
	Missing      []Missing         `json:"missing"`
	Notes        []string          `json:"notes"`
	// Examples are traced requests that show the harm, the worst first.
	Examples []Example `json:"examples,omitempty"`

	// For people only: not part of the contract.
	Name   string             `json:"-"`
	Span   Span               `json:"-"`
	Trends map[string][]Point `json:"-"`
}

// Ceiling is what the hardware allows a step of the engine at best, and how near the server comes to it. It is there only where
// the GPU and the model's shape are known. A nil field could not be computed.
type Ceiling struct {
	// Phase is what most of the step is for: decode or prefill.
	Phase string `json:"phase"`
	// StepSeconds is the mean step; FloorSeconds is what it takes at least, by data sheets: the longest of reading weights
	// and KV cache, arithmetic, and exchange between GPUs. Ratio is the floor over the step, 1 at the ceiling.
	StepSeconds  float64 `json:"step_s"`
	FloorSeconds float64 `json:"floor_s"`
	Ratio        float64 `json:"ratio"`
	// Limit is the longest of the three: bandwidth, compute, interconnect.
	Limit           string   `json:"limit"`
	MemorySeconds   *float64 `json:"memory_s"`
	ComputeSeconds  *float64 `json:"compute_s"`
	ExchangeSeconds *float64 `json:"exchange_s"`
	// DecodeMost is tokens per second at best with the present batch, PoolMost with PoolBatch requests, as many as the KV pool
	// holds; PrefillMost is prompt tokens per second.
	DecodeMost  *float64 `json:"decode_tokens_per_s_most"`
	PoolBatch   *float64 `json:"pool_batch"`
	PoolMost    *float64 `json:"pool_tokens_per_s_most"`
	PrefillMost *float64 `json:"prefill_tokens_per_s_most"`
	// Far says that the hardware explains too little of the step to be what holds the server.
	Far  bool   `json:"far"`
	Says string `json:"says"`
}

// Change is something that was different from the onset on. From and To hold a number or a text.
type Change struct {
	What string    `json:"what"`
	From any       `json:"from"`
	To   any       `json:"to"`
	At   time.Time `json:"at"`
}

// Impact says who is hurt. A nil field could not be computed.
type Impact struct {
	RequestsPerSecondHurt *float64 `json:"requests_per_s_hurt"`
	TokensPerSecondLost   *float64 `json:"tokens_per_s_lost"`
}

// SymptomState is where a symptom stands in its rule's `for`.
type SymptomState string

// The states of a symptom.
const (
	Pending SymptomState = "pending"
	Firing  SymptomState = "firing"
)

// Symptom is harm that was seen.
type Symptom struct {
	ID          string       `json:"id"`
	Title       string       `json:"title"`
	Severity    Severity     `json:"severity"`
	State       SymptomState `json:"state"`
	Since       time.Time    `json:"since"`
	HeldSeconds float64      `json:"held_seconds"`
	Scope       Scope        `json:"scope"`
	Members     []string     `json:"members"`
	Evidence    []Evidence   `json:"evidence"`

	Entity EntityID `json:"-"`
	// Traced says that the beginning was seen; else Since is when the observation began.
	Traced bool `json:"-"`
}

// Evidence is one sentence and, where it rests on one signal, that signal's value.
type Evidence struct {
	Text   string   `json:"text"`
	Signal string   `json:"signal,omitempty"`
	Value  *float64 `json:"value,omitempty"`
	Bound  string   `json:"bound,omitempty"`
	Unit   string   `json:"unit,omitempty"`
	// Weight is the support on the shared scale, in log-odds; 0 for a symptom's evidence.
	Weight float64 `json:"weight,omitempty"`
}

// Cause is a candidate explanation. At most one of a diagnosis is primary.
type Cause struct {
	ID               string     `json:"id"`
	Title            string     `json:"title"`
	Layer            string     `json:"layer"`
	Score            float64    `json:"score"`
	Primary          bool       `json:"primary"`
	Explains         []string   `json:"explains"`
	ConsequenceOf    string     `json:"consequence_of,omitempty"`
	RecordingsBehind int        `json:"recordings_behind"`
	For              []Evidence `json:"for"`
	Against          []Evidence `json:"against"`
	Unseen           []Evidence `json:"unseen"`
	Changes          []Action   `json:"changes"`
}

// Action is one thing to do about a cause.
type Action struct {
	Kind          string  `json:"kind"` // knob, scale, route, drain, client, fix
	When          string  `json:"when"` // now, rollout
	Knob          string  `json:"knob,omitempty"`
	Flag          string  `json:"flag,omitempty"`
	From          *string `json:"from,omitempty"`
	FromSource    string  `json:"from_source,omitempty"`
	To            *string `json:"to,omitempty"`
	Text          string  `json:"text"`
	Why           string  `json:"why"`
	Cost          string  `json:"cost"`
	Rollback      string  `json:"rollback,omitempty"`
	Restart       bool    `json:"restart"`
	ChangesOutput bool    `json:"changes_output"`
	Verify        *Verify `json:"verify"`
}

// Verify says which signal must move, and which way, when the action helped.
type Verify struct {
	Signal string `json:"signal"`
	Expect string `json:"expect"` // up, down
}

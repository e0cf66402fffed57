package model

import "time"

// Harm is what single requests can be examples of.
type Harm string

// The harms that single requests show.
const (
	SlowFirstToken Harm = "slow first token"
	SlowTokens     Harm = "slow tokens"
	SlowWhole      Harm = "slow request"
)

// Example is one traced request that shows the harm. A nil field was not told.
type Example struct {
	TraceID string `json:"trace_id"`
	// Link is where the trace can be looked at, "" where nobody said.
	Link string `json:"link,omitempty"`
	// Shows is what it is an example of: slow first token, slow tokens, slow request.
	Shows Harm       `json:"shows"`
	At    *time.Time `json:"at,omitempty"`

	TTFT         *float64 `json:"ttft_seconds,omitempty"`
	Queue        *float64 `json:"queue_seconds,omitempty"`
	Prefill      *float64 `json:"prefill_seconds,omitempty"`
	Decode       *float64 `json:"decode_seconds,omitempty"`
	E2E          *float64 `json:"e2e_seconds,omitempty"`
	PromptTokens *float64 `json:"prompt_tokens,omitempty"`
	OutputTokens *float64 `json:"output_tokens,omitempty"`
}

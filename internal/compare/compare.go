// Package compare answers whether a change helped: it compares what a server was seen doing before
// and after, with intervals. It is pure: no I/O, no clock, and the same input gives the same answer.
package compare

import (
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// Verdict is the answer in a word.
type Verdict string

// The verdicts. CannotTell means that the figures do not decide; it is never a quiet unchanged.
const (
	Improved   Verdict = "improved"
	Unchanged  Verdict = "unchanged"
	Worse      Verdict = "worse"
	CannotTell Verdict = "cannot-tell"
)

// Options say what counts. The zero value uses the defaults.
type Options struct {
	// TTFT, TPOT and E2E are the objectives of the P99 in seconds; 2, 0.1 and none by default.
	TTFT, TPOT, E2E float64
	// CostPerHour of the server adds the cost per million output tokens.
	CostPerHour float64
	// Level is the confidence of the intervals, 0.95 by default.
	Level float64
	// Effect is the least relative change that counts, 0.1 by default: the same server under the same
	// load differs by some per cent from start to start, which no interval of one run knows of, and
	// less than a tenth is not worth a restart.
	Effect float64
	// Resamples and Seed of the bootstrap; 2000 and 1 by default.
	Resamples int
	Seed      uint64
}

func (o Options) withDefaults() Options {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	set(&o.TTFT, 2)
	set(&o.TPOT, 0.1)
	set(&o.Level, 0.95)
	set(&o.Effect, 0.1)
	if o.Resamples == 0 {
		o.Resamples = 2000
	}
	if o.Seed == 0 {
		o.Seed = 1
	}
	return o
}

// Result is the answer, as the JSON contract has it.
type Result struct {
	Version string   `json:"version"`
	Verdict Verdict  `json:"verdict"`
	Why     string   `json:"why"`
	Metrics []Metric `json:"metrics"`
	Load    Load     `json:"load"`
	Before  Seen     `json:"before"`
	After   Seen     `json:"after"`
	// Lines are the figures that decided, the most telling first, ready to read in a message.
	Lines []string `json:"lines"`
	Notes []string `json:"notes"`
}

// Metric is one figure before and after. A bound says that the value is only known to be at most or
// at least that, and a null end of the interval that nothing bounds it there.
type Metric struct {
	Signal      string       `json:"signal"`
	Name        string       `json:"name"`
	Unit        string       `json:"unit"`
	Before      *float64     `json:"before"`
	BeforeBound model.Bound  `json:"before_bound,omitzero"`
	After       *float64     `json:"after"`
	AfterBound  model.Bound  `json:"after_bound,omitzero"`
	Ratio       *float64     `json:"ratio"`
	RatioBound  model.Bound  `json:"ratio_bound,omitzero"`
	Interval    *[2]*float64 `json:"interval"`
	Outcome     Outcome      `json:"outcome"`
	// Decides is false where the figure is shown and takes no part in the verdict.
	Decides bool `json:"decides"`
}

// Outcome says where one figure went.
type Outcome string

// The outcomes: Same is known to have moved by less than a quarter, Unclear is not known.
const (
	Better  Outcome = "better"
	Poorer  Outcome = "worse"
	Same    Outcome = "same"
	Unclear Outcome = "unclear"
)

// Load says whether both sides had the same work to do.
type Load struct {
	Matched bool   `json:"matched"`
	Note    string `json:"note"`
}

// Seen is what was looked at on one side, after what was left out.
type Seen struct {
	Target      map[string]string `json:"target"`
	Engine      string            `json:"engine"`
	From        *time.Time        `json:"from"`
	To          *time.Time        `json:"to"`
	Scrapes     int               `json:"scrapes"`
	FirstTokens int               `json:"first_tokens"`
	// Benchmark is the run in words where a benchmark's results are compared; then nothing was scraped.
	Benchmark string `json:"benchmark,omitempty"`
}

// Run compares two sides.
func Run(before, after Side, o Options) Result {
	o = o.withDefaults()
	j := &judge{o: o, whole: [2]Side{before, after}, sides: [2]Side{before.trim(), after.trim()}}
	r := Result{Version: "1", Before: j.sides[0].seen(), After: j.sides[1].seen(), Metrics: []Metric{}, Lines: []string{}, Notes: j.notes()}
	if j.sides[0].Len() > 0 && j.sides[1].Len() > 0 {
		j.measure()
		r.Load = j.load()
	} else {
		r.Load.Note = "nothing to compare on one side"
	}
	r.Verdict, r.Why = j.verdict()
	r.Metrics, r.Lines = j.metrics(), j.lines()
	return r
}

func (s Side) seen() Seen {
	out := Seen{Target: s.Target.Map(), Engine: s.Engine}
	n := s.Len()
	if n == 0 {
		return out
	}
	from, to := time.UnixMilli(s.From[0]).UTC(), time.UnixMilli(s.To[n-1]).UTC()
	out.From, out.To = &from, &to
	out.Scrapes = n + 1
	for i := range n {
		out.FirstTokens += int(s.observations(ttft, i) + 0.5)
	}
	return out
}

package otlp

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// shows is how much of a harm a request shows.
func shows(h model.Harm, r request) float64 {
	switch h {
	case model.SlowTokens:
		if r.output < 2 || unknown(r.output) {
			return math.NaN()
		}
		return r.decode / (r.output - 1)
	case model.SlowWhole:
		return r.e2e
	}
	return r.ttft
}

// Examples are the requests that show a harm best, the worst first.
func (t *Traces) Examples(harm model.Harm, n int) []model.Example {
	return examples(t.requests, harm, n)
}

func examples(rs []request, harm model.Harm, n int) []model.Example {
	rs = slices.DeleteFunc(slices.Clone(rs), func(r request) bool { return unknown(shows(harm, r)) || !r.trace.known() })
	slices.SortStableFunc(rs, func(a, b request) int { return cmp.Compare(shows(harm, b), shows(harm, a)) })
	var out []model.Example
	for _, r := range rs[:min(n, len(rs))] {
		x := model.Example{
			TraceID: r.trace.String(), Shows: harm, TTFT: told(r.ttft), Queue: told(r.queue), Prefill: told(r.prefill), Decode: told(r.decode),
			E2E: told(r.e2e), PromptTokens: told(r.prompt), OutputTokens: told(r.output),
		}
		if !unknown(r.start) {
			at := time.Unix(0, int64(r.start*1e9)).UTC().Truncate(time.Millisecond)
			x.At = &at
		}
		out = append(out, x)
	}
	return out
}

func told(v float64) *float64 {
	if unknown(v) {
		return nil
	}
	return &v
}

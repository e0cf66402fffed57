package pipeline

import (
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// MostExamples is how many examples a diagnosis carries at most.
const MostExamples = 3

// Show adds traced requests to what hurts, so that people can look at some.
func Show(r Request, ds []model.Diagnosis) {
	if r.Examples == nil {
		return
	}
	for i := range ds {
		if d := &ds[i]; len(d.Symptoms) > 0 && (d.Scope == model.ScopeTarget || d.Scope == model.ScopeGroup) {
			d.Examples = r.Examples(d.Target, harmOf(d.Symptoms))
			for j := range d.Examples {
				d.Examples[j].Link = LinkOf(r.TraceLink, d.Examples[j].TraceID)
			}
		}
	}
}

// LinkOf is the address of a trace; "" where nobody said.
func LinkOf(template, id string) string {
	if template == "" {
		return ""
	}
	return strings.ReplaceAll(template, "{trace_id}", id)
}

// harmOf says what a request must show to be an example of the worst symptom that times of requests can show. Whoever waits
// or is preempted waits for the first token.
func harmOf(symptoms []model.Symptom) model.Harm {
	best, rank := model.SlowFirstToken, -1
	for _, s := range symptoms {
		if h, ok := harmBy(s); ok && s.Severity.Rank() > rank {
			best, rank = h, s.Severity.Rank()
		}
	}
	return best
}

// harmBy tells by the signals that a symptom rests on.
func harmBy(s model.Symptom) (model.Harm, bool) {
	for _, e := range s.Evidence {
		for prefix, h := range map[string]model.Harm{"ttft": model.SlowFirstToken, "queue": model.SlowFirstToken, "waiting": model.SlowFirstToken, "tpot": model.SlowTokens, "itl": model.SlowTokens, "e2e": model.SlowWhole} {
			if strings.HasPrefix(e.Signal, prefix) {
				return h, true
			}
		}
	}
	return "", false
}

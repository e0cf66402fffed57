package engine

import (
	"fmt"
	"slices"

	"github.com/inferdx/inferdx/internal/model"
)

// needed are the signals without which a server can't be called healthy or idle.
var needed = []string{"running", "waiting", "gen_tokens_per_s", "preemptions_per_s", "requests_started"}

// status answers for one entity. Healthy is said only when everything needed for it was seen.
func (e *Engine) status(f *model.Frame, x model.Entity, harm []model.Symptom) model.Status {
	for _, s := range harm {
		if r, ok := e.o.Rules.Get(s.ID); ok && r.Status == model.Down {
			return model.Down
		}
	}
	if x.Scope == model.ScopeGroup {
		return model.Degraded
	}
	if x.Engine.Name == "" || f.Span(x.ID).Scrapes < 2 {
		return model.Unknown
	}
	for _, s := range harm {
		if s.Severity.Rank() >= model.Warning.Rank() {
			return model.Degraded
		}
	}
	if frozen(f, x.ID) {
		return model.Unknown
	}
	if len(unseen(f, x.ID)) > 0 {
		return model.Unknown
	}
	if busy(f, x.ID) {
		return model.Healthy
	}
	return model.Idle
}

// roomy is the use of a KV cache below which nobody is preempted: what runs grows by a token a step, so the last fifth of a pool
// does not fill and empty between two scrapes. Of fewer than five scrapes the fullest may have been missed.
const roomy, roomyScrapes = 0.8, 5

// unseen are the needed signals that are not there. Engines that count no preemptions (SGLang before 0.5.7, TensorRT-LLM) are
// believed to have had none while their KV cache kept room; of one that counts them (vLLM) a missing counter is a hole.
func unseen(f *model.Frame, id model.EntityID) []string {
	var out []string
	for _, s := range needed {
		if _, ok := f.Get(id, s); ok {
			continue
		}
		kv, ok := f.Get(id, "kv_used_max_ratio_uncounted")
		if s == "preemptions_per_s" && ok && kv.V < roomy && f.Span(id).Scrapes >= roomyScrapes {
			continue
		}
		out = append(out, s)
	}
	return out
}

// busy says that somebody was served or waited. A request of the canary is nobody: it is taken off what
// is counted, and it may be the one that a scrape happened to see.
func busy(f *model.Frame, id model.EntityID) bool {
	more := func(than float64, signals ...string) bool {
		return slices.ContainsFunc(signals, func(s string) bool {
			v, ok := f.Get(id, s)
			return ok && v.V > than
		})
	}
	if sent, ok := f.Get(id, "canary_sent"); ok && sent.V > 0 {
		return more(1, "running_max", "waiting_max") || more(0, "users_started", "users_tokens")
	}
	return more(0, "running_max", "waiting_max", "gen_tokens_per_s", "requests_started", "prompt_tokens_per_s")
}

// frozen says that requests run and nothing came of it in all that was seen: too short a look to call
// it a stall, and nothing to call healthy.
func frozen(f *model.Frame, id model.EntityID) bool {
	running, okR := f.Get(id, "running_last")
	tokens, okT := f.Get(id, "gen_tokens_per_s")
	prompts, okP := f.Get(id, "prompt_tokens_per_s")
	return okR && okT && okP && running.V > 0 && tokens.V == 0 && prompts.V == 0
}

// notEnough says why nothing could be told.
func notEnough(f *model.Frame, x model.Entity) []string {
	span := f.Span(x.ID)
	switch {
	case x.Engine.Name == "":
		return []string{"no series of a known engine were read: is this the engine's own /metrics, and was it started without --disable-log-stats?"}
	case span.Scrapes == 0:
		return []string{"no scrape was answered"}
	case span.Scrapes == 1:
		return []string{"only one scrape was read: rates need two, so nothing about load or latency can be said"}
	}
	var out []string
	if frozen(f, x.ID) {
		out = append(out, "requests run and not one token came out in what was seen; it is too short to call a stall: look longer")
	}
	for _, s := range unseen(f, x.ID) {
		out = append(out, fmt.Sprintf("%s was not seen: without it the server can't be called healthy", s))
	}
	return out
}

// boundBy says what holds the server at its present speed, where the GPU's counters show it, or what its hardware allows is known.
// 0.6 of the cycles is high for either unit (facts: full prefill reads 0.71 to 0.77 tensor activity
// on an H200, decode at batch 8 to 64 reads 0.42 to 0.60 of the memory interface; 0.8 to 0.9 is the
// practical ceiling of both). Steps are held by launches only where both are low: that decode at 0.42 to 0.60 is
// reading, its profile shows (matrix products at 0.85 of the memory's bandwidth, GPU busy 0.95 of a step).
func boundBy(f *model.Frame, id model.EntityID, c *model.Ceiling) *string {
	get := func(s string) float64 {
		v, _ := f.Get(id, s)
		return v.V
	}
	out := boundByCeiling(c)
	busy, ok := f.Get(id, "gpu_busy_best")
	works := get("running_p25") >= 1
	switch {
	case get("tensor_active_ratio") >= 0.6:
		out = "compute"
	case get("dram_active_ratio") >= 0.6:
		out = "bandwidth"
	case ok && busy.V < 0.5 && works:
		out = "host"
	case out == "" && ok && works && get("tensor_active_ratio") < 0.4 && get("dram_active_ratio") < 0.4:
		out = "latency"
	}
	if out == "" {
		return nil
	}
	return &out
}

// impact says who is hurt, as far as it can be computed.
func impact(f *model.Frame, id model.EntityID) model.Impact {
	var out model.Impact
	if over, ok := f.Get(id, "ttft_over_slo"); ok {
		if s := f.Span(id).Observed().Seconds(); s > 0 && over.V > 0 {
			v := round(over.V / s)
			out.RequestsPerSecondHurt = &v
		}
	}
	if p, ok := f.Get(id, "preemptions_per_s"); ok && p.V > 0 {
		// A preempted request is computed again: its prompt and, on average, half of its output.
		prompt, okP := f.Get(id, "prompt_mean")
		output, okO := f.Get(id, "output_mean")
		if okP && okO {
			v := round(p.V * (prompt.V + output.V/2))
			out.TokensPerSecondLost = &v
		}
	}
	return out
}

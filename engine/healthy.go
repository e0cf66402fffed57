package engine

import (
	"strings"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/rules"
)

// vitals are the sentences that a healthy verdict rests on, in the order of saying; one whose quantity
// is absent is not said.
func vitals() []rules.Template {
	var out []rules.Template
	for _, s := range []string{
		"{requests_finished_per_s} finished", "TTFT P50 {ttft_p50_s}", "P99 {ttft_p99_s}", "{itl_mean_s} a token",
		"{waiting} waiting", "{preemptions:preemption|preemptions}",
	} {
		out = append(out, rules.ParseTemplate(s))
	}
	return out
}

// healthy says what was looked at and found well, and what nobody could look at: an engine's own page
// shows neither its GPU nor its host, and a server slow for their sake can look well on it.
func (e *Engine) healthy(f *model.Frame, id model.EntityID) string {
	var parts []string
	for _, t := range e.vitals {
		if s, ok := t.Fill(expression.Of(f, id), e.unit); ok {
			parts = append(parts, s)
		}
	}
	out := strings.Join(parts, ", ")
	if _, counted := f.Get(id, "preemptions_per_s"); !counted && len(unseen(f, id)) == 0 {
		if s, ok := e.uncounted.Fill(expression.Of(f, id), e.unit); ok {
			out += ", " + s
		}
	}
	if blind := unlooked(f, id); len(blind) > 0 {
		out += "; not looked at: " + strings.Join(blind, ", ")
	}
	return strings.TrimPrefix(out, "; ")
}

// unlooked names the parts of the machine of which no series was read.
func unlooked(f *model.Frame, id model.EntityID) []string {
	seen := func(names ...string) bool {
		for _, n := range names {
			if _, ok := f.Get(id, n); ok {
				return true
			}
		}
		return false
	}
	var out []string
	if hasGPU(f, id) && !seen("gpu_util_ratio", "gr_active_ratio", "tensor_active_ratio", "dram_active_ratio") {
		out = append(out, "GPU counters")
	}
	if !seen("host_idle_cores", "host_load1", "host_cpu_pressure_ratio", "core_cpu_cores", "worker_cpu_cores", "container_cpu_cores") {
		out = append(out, "host series")
	}
	return out
}

// hasGPU is false only of a server that is known to compute on its CPU.
func hasGPU(f *model.Frame, id model.EntityID) bool {
	p, _ := f.Fact(id, "processor")
	return p.Text != "cpu"
}

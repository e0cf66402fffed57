package bench

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Facts are what playbooks weigh of a run that went against a server.
func (r *Run) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	if r.Kind != Serving {
		return out
	}
	put := func(name string, v *float64) {
		if v != nil {
			out["bench_"+name] = model.Fact{Text: strconv.FormatFloat(*v, 'g', 6, 64), Num: *v, IsNum: true, From: "benchmark"}
		}
	}
	put("rate_asked", r.Rate)
	put("rate", r.RequestsS)
	put("cap", r.Cap)
	put("in_flight", r.InFlight)
	put("completed", r.Completed)
	put("failed", r.Failed)
	put("prompt_mean", r.Input.Mean)
	put("output_mean", r.Output.Mean)
	put("output_per_s", r.OutputS)
	if r.Failed != nil && r.Completed != nil && *r.Failed+*r.Completed > 0 {
		put("failed_ratio", ptr(r.lost()))
	}
	switch {
	case r.Capped():
		put("capped", ptr(1))
	case r.Rate != nil && r.RequestsS != nil && !r.missed():
		put("capped", ptr(0))
	}
	if r.Held != nil {
		put("held_mean_s", r.Held.Mean)
	}
	for name, t := range map[string]*Times{"ttft": r.TTFT, "tpot": r.TPOT, "e2e": r.E2E} {
		r.carried(name, t, put)
	}
	if r.Workload != "" {
		out["bench_workload"] = model.Fact{Text: r.Workload, From: "benchmark"}
	}
	return out
}

// Summary is the run in one line, for a diagnosis.
func (r *Run) Summary() string {
	parts := []string{r.Tool}
	if r.Name != "" {
		parts[0] += " " + r.Name
	}
	if r.Workload != "" {
		parts[0] += " with " + r.Workload
	}
	parts = append(parts, r.asked(), say("%s in flight", r.InFlight, count), r.headline())
	if n := r.failures("", "%s failed"); n != "" {
		parts = append(parts, n)
	}
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return shown(fmt.Sprint("the client of ", strings.Join(out, ", ")))
}

package compare

import (
	"fmt"
	"math"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// Client is one run of a benchmark as its client saw it. Nil and NaN are unknown.
type Client struct {
	// Name is the run's, as its file; Words say what it was.
	Name, Words, Tool, Model, Workload string
	From, To                           *time.Time
	// Rate is what was asked for, in requests/s, Cap the most in flight; Unlimited says that requests went as fast as they could.
	Rate, Cap *float64
	Unlimited bool
	// Prompt and Output are mean lengths in tokens.
	Prompt, Output    *float64
	Completed, Failed *float64
	// Figures are what the file says, by signal: ttft_p99_s, gen_tokens_per_s, …
	Figures map[string]float64
	// Requests are single latencies by their kind (ttft, tpot, e2e), in the order in which the requests were sent.
	Requests map[string][]float64
}

// summaryEffect is the factor from which on a figure without an interval counts as moved. Run to run the figures of a benchmark differ by
// some per cent, P99s of some hundred requests by some ten; half as much again is beyond that.
const summaryEffect = 1.5

// Clients compares two runs of a benchmark. Intervals come of single requests, and are missing where a file has none.
func Clients(before, after Client, o Options) Result {
	o = o.withDefaults()
	j := &judge{o: o, ratio: map[string]ratio{}}
	r := Result{Version: "1", Before: before.seen(), After: after.seen(), Metrics: []Metric{}, Lines: []string{}, Notes: []string{}}
	sides := [2]Client{before, after}
	for _, f := range clientFigures(o) {
		if x, ok := compareFigure(f, sides, o); ok {
			j.figures, j.ratio[f.signal] = append(j.figures, f.figure), x
		}
	}
	j.lost = lostRequests(before, after, o)
	r.Load = j.clientLoad(sides)
	r.Verdict, r.Why = j.clientVerdict(sides)
	r.Metrics, r.Lines = j.metrics(), j.lines()
	if n := j.withoutIntervals(); n != "" {
		r.Notes = append(r.Notes, n)
	}
	return r
}

func (c Client) seen() Seen {
	s := Seen{Target: map[string]string{"instance": c.Name}, Engine: c.Tool, From: c.From, To: c.To, Benchmark: c.Words}
	if c.Model != "" {
		s.Target["model_name"] = c.Model
	}
	if c.Workload != "" {
		s.Target["workload"] = c.Workload
	}
	if c.Completed != nil {
		s.FirstTokens = int(*c.Completed)
	}
	return s
}

// clientFigure is a figure and the statistic of single requests that it is; p is 0 for a mean.
type clientFigure struct {
	figure

	of string
	p  float64
}

func clientFigures(o Options) []clientFigure {
	var out []clientFigure
	for _, l := range []struct {
		id, name  string
		objective float64
	}{{"ttft", "TTFT", o.TTFT}, {"tpot", "TPOT", o.TPOT}, {"itl", "ITL", 0}, {"e2e", "E2E", o.E2E}} {
		for _, q := range []struct {
			id, name string
			p        float64
		}{{"p99", "P99", 0.99}, {"p90", "P90", 0.9}, {"p50", "P50", 0.5}, {"mean", "mean", 0}} {
			f := clientFigure{figure{signal: l.id + "_" + q.id + "_s", name: l.name + " " + q.name, unit: "s"}, l.id, q.p}
			if q.p == 0.99 {
				f.objective = l.objective
			}
			out = append(out, f)
		}
	}
	rates := []figure{
		{signal: "gen_tokens_per_s", name: "output", unit: "tokens/s", more: true},
		{signal: "tokens_per_s", name: "prompts and answers", unit: "tokens/s", more: true},
		{signal: "requests_finished_per_s", name: "finished", unit: "requests/s", more: true},
		{signal: "requests_good_per_s", name: "within the objectives", unit: "requests/s", more: true},
	}
	if o.CostPerHour > 0 {
		rates = append(rates, figure{signal: "cost_per_million_output_tokens", name: "cost per million output tokens"})
	}
	for _, f := range rates {
		out = append(out, clientFigure{figure: f})
	}
	return out
}

// figureOf is what a side says of a figure.
func (c Client) figureOf(f clientFigure, o Options) (float64, bool) {
	if f.signal == "cost_per_million_output_tokens" {
		v, ok := c.Figures["gen_tokens_per_s"]
		return o.CostPerHour / 3600 / v * 1e6, ok && v > 0
	}
	if f.p > 0 && c.Completed != nil && *c.Completed < float64(leastRequests(f.p)) {
		return 0, false
	}
	v, ok := c.Figures[f.signal]
	return v, ok && v >= 0 && !math.IsInf(v, 0)
}

// compareFigure gives the ratio of one figure; it is not ok where neither side has it.
func compareFigure(f clientFigure, sides [2]Client, o Options) (ratio, bool) {
	r := ratio{figure: f.figure, summary: true}
	var v [2]float64
	var ok [2]bool
	for i, c := range sides {
		v[i], ok[i] = c.figureOf(f, o)
	}
	r.before, r.okBefore = model.Known(v[0]), ok[0]
	r.after, r.okAfter = model.Known(v[1]), ok[1]
	if !r.known() {
		return r, ok[0] || ok[1]
	}
	r.lo, r.hi = v[1]/v[0], v[1]/v[0]
	if f.of != "" {
		r.drawRequests(sides[0].Requests[f.of], sides[1].Requests[f.of], f.p, o)
	}
	return r, true
}

// lostRequests compares the shares of failed requests, each as sure as its number of requests makes it.
func lostRequests(before, after Client, o Options) ratio {
	r := ratio{figure: figure{signal: "requests failed"}, blocks: 100}
	share := func(c Client) (p, n float64, ok bool) {
		if c.Failed == nil || c.Completed == nil || *c.Failed+*c.Completed < 1 {
			return 0, 0, false
		}
		n = *c.Failed + *c.Completed
		return *c.Failed / n, n, true
	}
	pb, nb, okB := share(before)
	pa, na, okA := share(after)
	r.before, r.after, r.okBefore, r.okAfter = model.Known(pb), model.Known(pa), okB, okA
	if !r.known() {
		return r
	}
	spread := math.Sqrt(pb*(1-pb)/nb + pa*(1-pa)/na)
	r.lots = float64(o.Resamples)
	for i := range o.Resamples {
		r.apart = append(r.apart, pa-pb+spread*normal((float64(i)+0.5)/r.lots))
	}
	return r
}

// clientLoad says whether both clients asked for the same: workload, rate, limit in flight, lengths.
func (j *judge) clientLoad(s [2]Client) Load {
	var parts []string
	var dirs []direction
	add := func(name, unit string, b, a *float64, tolerance float64) {
		if b == nil || a == nil {
			return
		}
		d := alike
		switch {
		case *a > *b*tolerance:
			d = heavier
		case *b > *a*tolerance:
			d = lighter
		}
		if d != alike {
			dirs = append(dirs, d)
		}
		parts = append(parts, fmt.Sprintf("%s %s -> %s", name, units.Format(*b, unit, model.Exact), units.Format(*a, unit, model.Exact)))
	}
	b, a := s[0], s[1]
	if b.Workload != "" && a.Workload != "" {
		parts = append(parts, "workload "+b.Workload+" -> "+a.Workload)
		if b.Workload != a.Workload {
			dirs = append(dirs, different)
		}
	}
	if (b.Rate == nil) != (a.Rate == nil) || (b.Cap == nil) != (a.Cap == nil) {
		parts, dirs = append(parts, "requests were sent in another way"), append(dirs, different)
	}
	const same = 1.05
	add("rate asked", "requests/s", b.Rate, a.Rate, same)
	add("at most in flight", "requests", b.Cap, a.Cap, same)
	add("prompts", "tokens", b.Prompt, a.Prompt, 1.25)
	add("answers", "tokens", b.Output, a.Output, 1.25)
	j.closed = b.Unlimited && a.Unlimited
	j.direction = together(dirs)
	said := map[direction]string{alike: "the same load: ", heavier: "more load after: ", lighter: "less load after: ", different: "another load after: "}
	note := said[j.direction]
	for i, p := range parts {
		if i > 0 {
			note += "; "
		}
		note += p
	}
	if len(parts) == 0 {
		note = "neither file says what was asked for: it is taken for the same load"
	}
	return Load{Matched: j.direction == alike, Note: note}
}

package bench

import "math"

// How InFlight is known.
const (
	measured  = "measured"
	byE2E     = "rate x mean E2E"
	estimated = "rate x (TTFT + TPOT x (n - 1)), an estimate"
)

// derive fills in what follows from what the file says, and takes away what cannot be.
func (r *Run) derive() {
	r.sane()
	r.complete()
	r.sane() // what follows from figures at the edge of what there is
	for _, t := range []**Times{&r.TTFT, &r.TPOT, &r.ITL, &r.E2E, &r.Held} {
		if (*t).empty() {
			*t = nil
		}
	}
}

func (r *Run) complete() {
	if q := r.Requests; q != nil {
		r.TTFT, r.TPOT, r.E2E = r.TTFT.complete(times(q.TTFT)), r.TPOT.complete(times(q.TPOT)), r.E2E.complete(times(q.E2E))
	}
	if r.Rate == nil { // clients that wait for their answer have no time to be late against
		r.Held = nil
	}
	mean := func(t *Tokens) {
		if t.Mean == nil && t.Total != nil && r.Completed != nil && *r.Completed > 0 {
			t.Mean = ptr(*t.Total / *r.Completed)
		}
	}
	mean(&r.Input)
	mean(&r.Output)
	if r.RequestsS == nil && r.Completed != nil && r.Seconds != nil && *r.Seconds > 0 {
		r.RequestsS = ptr(*r.Completed / *r.Seconds)
	}
	if r.OutputS == nil && r.Output.Total != nil && r.Seconds != nil && *r.Seconds > 0 && r.Kind == Serving {
		r.OutputS = ptr(*r.Output.Total / *r.Seconds)
	}
	if r.InFlight == nil && r.Kind == Serving {
		r.little()
	}
}

// silent says that a run has no figure at all.
func (r *Run) silent() bool {
	return r.Completed == nil && r.RequestsS == nil && r.TotalS == nil && r.TTFT == nil && r.E2E == nil
}

// little tells how many requests were in flight on average by Little's law.
func (r *Run) little() {
	switch {
	case r.RequestsS == nil:
	case r.E2E != nil && r.E2E.Mean != nil:
		r.InFlight, r.InFlightBy = ptr(*r.RequestsS**r.E2E.Mean), byE2E
	case r.TTFT != nil && r.TTFT.Mean != nil && r.TPOT != nil && r.TPOT.Mean != nil && r.Output.Mean != nil:
		e2e := *r.TTFT.Mean + *r.TPOT.Mean*math.Max(*r.Output.Mean-1, 0)
		r.InFlight, r.InFlightBy = ptr(*r.RequestsS*e2e), estimated
	}
}

// beyond is what no figure of a benchmark reaches.
const beyond = 1e15

// sane takes away figures below 0, and quantities of nothing: a tool writes 0 for the times of a run without any answer.
func (r *Run) sane() {
	drop := func(least float64, vs ...**float64) {
		for _, v := range vs {
			if *v != nil && !(**v >= least && **v < beyond) {
				*v = nil
			}
		}
	}
	const some = math.SmallestNonzeroFloat64
	drop(0, &r.Completed, &r.Failed, &r.Incomplete, &r.Input.Total, &r.Input.Mean, &r.Output.Total, &r.Output.Mean, &r.RequestsS, &r.OutputS, &r.TotalS, &r.GoodS, &r.InFlight, &r.Peak)
	drop(some, &r.Rate, &r.Cap, &r.Burstiness, &r.Seconds)
	nothing := r.Completed != nil && *r.Completed == 0
	for _, t := range []*Times{r.TTFT, r.TPOT, r.ITL, r.E2E} {
		if t == nil {
			continue
		}
		drop(some, &t.Mean, &t.P50, &t.P90, &t.P95, &t.P99)
		if nothing {
			*t = Times{}
		}
	}
	if r.Held != nil {
		drop(0, &r.Held.Mean, &r.Held.P50, &r.Held.P90, &r.Held.P95, &r.Held.P99)
	}
}

package bench

import (
	"fmt"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// short is by how much a rate must have been missed to be called so: a run ends with its last answers, in which nothing is sent any more.
const short = 1.25

// Capped says that the client's own limit of concurrency kept requests back: it was reached, and what was asked for was not sent.
func (r *Run) Capped() bool {
	return r.missed() && r.Cap != nil && r.InFlight != nil && *r.InFlight >= 0.9**r.Cap
}

// missed says that fewer requests were answered than asked for by a rate.
func (r *Run) missed() bool {
	return r.Rate != nil && r.RequestsS != nil && *r.RequestsS > 0 && *r.Rate > short**r.RequestsS
}

// AllAtOnce says that every request was sent at the start.
func (r *Run) AllAtOnce() bool { return r.Kind == Serving && r.Unlimited && r.Cap == nil }

// Finding is what an engineer wants to know first, in a sentence.
func (r *Run) Finding() string {
	switch {
	case r.Completed != nil && *r.Completed == 0:
		return "no request was answered" + r.failures(": ", "%s failed")
	case r.lost() >= 0.01:
		return fmt.Sprintf("%s of %s requests failed: the figures are those of the others", count(*r.Failed), count(*r.Failed+*r.Completed))
	case r.Capped():
		held := ""
		if r.Held != nil && r.Held.Mean != nil && *r.Held.Mean > 0 {
			held = fmt.Sprintf(", where each had waited %s in the client on average", seconds(*r.Held.Mean))
		}
		return fmt.Sprintf("the client held requests back: %s asked, %s sent with its limit of %s in flight%s; the server may take more",
			perSecond(*r.Rate), perSecond(*r.RequestsS), count(*r.Cap), held)
	case r.missed():
		return fmt.Sprintf("%s asked, %s answered: what is beyond them piled up", perSecond(*r.Rate), perSecond(*r.RequestsS))
	case r.AllAtOnce():
		return "all requests were sent at once: the time to the first token is that of the queue, and the rate is the most that the server does"
	case r.Kind == Serving && r.TTFT.tail() > 10:
		return fmt.Sprintf("first tokens come after %s in the median, and after %s for one in a hundred", seconds(*r.TTFT.P50), seconds(*r.TTFT.P99))
	}
	return r.headline()
}

// headline are the figures that a run is quoted by.
func (r *Run) headline() string {
	out := ""
	add := func(format string, v *float64, write func(float64) string) {
		if v == nil {
			return
		}
		if out != "" {
			out += ", "
		}
		out += fmt.Sprintf(format, write(*v))
	}
	add("%s", r.RequestsS, perSecond)
	if r.OutputS != nil {
		add("%s of output", r.OutputS, tokensPerSecond)
	} else {
		add("%s", r.TotalS, tokensPerSecond)
	}
	for _, x := range []struct {
		name string
		t    *Times
	}{{"TTFT", r.TTFT}, {"TPOT", r.TPOT}, {"E2E", r.E2E}} {
		if x.t == nil || x.name == "E2E" && r.TTFT != nil {
			continue
		}
		add(x.name+" P50 %s", x.t.P50, seconds)
		add("P99 %s", x.t.P99, seconds)
	}
	return out
}

// lost is the share of requests that failed.
func (r *Run) lost() float64 {
	if r.Failed == nil || r.Completed == nil || *r.Failed+*r.Completed == 0 {
		return 0
	}
	return *r.Failed / (*r.Failed + *r.Completed)
}

func (r *Run) failures(before, format string) string {
	if r.Failed == nil || *r.Failed == 0 {
		return ""
	}
	return before + fmt.Sprintf(format, count(*r.Failed))
}

// tail is P99 by P50; 0 is unknown.
func (t *Times) tail() float64 {
	if t == nil || t.P99 == nil || t.P50 == nil {
		return 0
	}
	return *t.P99 / *t.P50
}

func seconds(v float64) string         { return units.Format(v, "s", model.Exact) }
func count(v float64) string           { return units.Format(v, "count", model.Exact) }
func perSecond(v float64) string       { return units.Format(v, "requests/s", model.Exact) }
func tokensPerSecond(v float64) string { return units.Format(v, "tokens/s", model.Exact) }

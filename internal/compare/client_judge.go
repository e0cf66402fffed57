package compare

import (
	"fmt"
	"slices"
	"strings"
)

// clientVerdict asks as verdict does: was enough answered, were more requests lost, and what did latencies and rates do.
func (j *judge) clientVerdict(s [2]Client) (Verdict, string) {
	for i, name := range []string{"before", "after"} {
		if c := s[i].Completed; c != nil && *c < leastMiddle && s[i].Figures["ttft_mean_s"] > 0 {
			return CannotTell, fmt.Sprintf("%s has %.0f answers, and %d are needed", name, *c, leastMiddle)
		}
	}
	j.choose()
	j.preferSure()
	if len(j.deciders) == 0 { // no server was between: a batch after the other, or all at once
		j.takeFirst("e2e_p99_s", "e2e_p90_s", "e2e_mean_s")
	}
	if len(j.deciders) == 0 || j.closed {
		if _, ok := j.ratio["gen_tokens_per_s"]; !ok {
			j.takeFirst("tokens_per_s", "requests_finished_per_s")
		}
	}
	j.weigh()
	if len(j.deciders) == 0 {
		return CannotTell, "the files have no figure in common that a verdict could rest on"
	}
	if j.moreLost() {
		return Worse, "more requests fail: " + strings.Replace(j.lostWords(), "are refused or fail", "fail", 1)
	}
	switch {
	case j.direction == heavier && len(j.gains) > 0 && len(j.losses) == 0:
		return Improved, j.said(j.gains) + ", and that under more load"
	case j.direction == lighter && len(j.losses) > 0 && len(j.gains) == 0:
		return Worse, j.said(j.losses) + ", although there was less load"
	case j.direction != alike:
		return CannotTell, "the load was another one after: run the same benchmark with the same arguments"
	case len(j.gains)+len(j.losses) == 0 && j.anySummary():
		return CannotTell, "no figure moved by half or more, and without single requests there is no telling less"
	}
	if id := j.coarse(); id != "" && len(j.gains)+len(j.losses) == 0 {
		return CannotTell, "the runs are too short to tell: " + j.couldBe(j.ratio[id]) + ": send more requests"
	}
	verdict, why := j.underTheSameLoad()
	return verdict, strings.Replace(why, "record longer", "send more requests", 1)
}

// coarse is a figure that may have moved by half or more unseen, where that would hurt; "" is none.
func (j *judge) coarse() string {
	for _, id := range j.deciders {
		r := j.ratio[id]
		if lo, hi, ok := r.interval(j.o.Level); ok && (lo < 1/summaryEffect || hi > summaryEffect) && !j.harmless(r) {
			return id
		}
	}
	return ""
}

// preferSure puts figures of single requests in the place of those that say the same without an interval: the time per token for the gaps
// between chunks, and the time of a request, which in a closed loop sets the rate, for the rate of tokens.
func (j *judge) preferSure() {
	sure := func(id string) bool { r, ok := j.ratio[id]; return ok && r.known() && !r.summary }
	if sure("tpot_p99_s") || sure("tpot_p50_s") {
		j.deciders = without(j.deciders, "itl_mean_s")
	}
	if sure("e2e_mean_s") && slices.Contains(j.deciders, "gen_tokens_per_s") {
		j.deciders = append(without(j.deciders, "gen_tokens_per_s"), "e2e_mean_s")
	}
}

func (j *judge) anySummary() bool {
	for _, id := range j.deciders {
		if j.ratio[id].summary {
			return true
		}
	}
	return false
}

// withoutIntervals says why figures have no interval.
func (j *judge) withoutIntervals() string {
	var without []string
	for _, f := range j.figures {
		if r := j.ratio[f.signal]; r.known() && r.summary {
			without = append(without, f.name)
		}
	}
	if len(without) == 0 {
		return ""
	}
	which := strings.Join(without, ", ")
	if len(without) == len(j.figures) {
		which = "any figure"
	}
	return fmt.Sprintf("no interval for %s: it takes the single requests of both runs (vLLM: --save-detailed, SGLang: --output-details); without one a figure counts as moved from %.1f times on",
		which, summaryEffect)
}

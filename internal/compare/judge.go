package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// judge holds what one comparison found out on its way to the verdict.
type judge struct {
	o         Options
	whole     [2]Side // as they were given
	sides     [2]Side // what is compared of them
	figures   []figure
	ratio     map[string]ratio
	lost      ratio // share refused or failed
	hurt      ratio // share late, refused or failed
	excess    ratio
	closed    bool
	growing   [2]bool
	direction direction
	// deciders are the signals that take part in the verdict, level the confidence each needs.
	deciders []string
	level    float64
	gains    []string
	losses   []string
}

// The least a side must hold: with fewer steps there is nothing to resample, with fewer first tokens
// no median.
const (
	leastSteps  = 5
	leastTokens = leastMiddle
)

func (j *judge) measure() {
	j.growing = [2]bool{j.sides[0].growing(), j.sides[1].growing()}
	b, a := newSample(j.sides[0]), newSample(j.sides[1])
	j.figures = figures(b.whole, a.whole, j.o)
	all := append(slices.Clone(j.figures), arrivalRate, inHand, promptMean, outputMean,
		excess(j.waits()), hurt(j.o.TTFT), figure{signal: "requests refused or failed", of: lostShare})
	j.ratio = map[string]ratio{}
	for _, r := range draws(b, a, all, j.o) {
		j.ratio[r.signal] = r
	}
	j.excess, j.hurt, j.lost = j.ratio[all[len(all)-3].signal], j.ratio[all[len(all)-2].signal], j.ratio[all[len(all)-1].signal]
}

// waits are the latencies with an objective; where a queue grows on both sides, without those that
// depend on how long it has been growing.
func (j *judge) waits() []figure {
	return slices.DeleteFunc(slices.Clone(j.figures), func(f figure) bool {
		return f.objective == 0 || j.overloaded() && f.signal != "tpot_p99_s" && f.signal != "tpot_p50_s"
	})
}

// overloaded says that the queue grew throughout on both sides.
func (j *judge) overloaded() bool { return j.growing[0] && j.growing[1] }

// verdict asks, in this order: does it answer, was enough seen, does it stand still, are requests lost,
// and then what the latencies and the throughput did under the load that there was.
func (j *judge) verdict() (Verdict, string) {
	if v, why, ok := j.down(); ok {
		return v, why
	}
	if need := j.tooLittle(); need != "" {
		return CannotTell, need
	}
	if still := j.sides[1].stalled(); still >= 10 && j.sides[0].stalled() < 10 {
		return Worse, fmt.Sprintf("the server stood still for %.0f s with requests in hand, which it did not before", still)
	}
	j.decide()
	if j.moreLost() && !j.worthIt() {
		return Worse, "more requests are refused or fail: " + j.lostWords()
	}
	switch j.direction {
	case alike:
		return j.underTheSameLoad()
	case heavier:
		if len(j.gains) > 0 && len(j.losses) == 0 {
			return Improved, j.said(j.gains) + ", and that under more load"
		}
		return CannotTell, "there was more load after, so that what got slower may be the load: compare under the same load"
	case lighter:
		if len(j.losses) > 0 && len(j.gains) == 0 {
			return Worse, j.said(j.losses) + ", although there was less load"
		}
		return CannotTell, "there was less load after, so that what got faster may be the load: compare under the same load"
	default:
		return CannotTell, "the load was another one after: compare under the same load"
	}
}

func (j *judge) down() (Verdict, string, bool) {
	before, after := j.whole[0], j.whole[1]
	switch {
	case before.Down && after.Down:
		return CannotTell, "the server did not answer at the end of either side", true
	case after.Down:
		return Worse, "the server does not answer any more: its last scrapes failed", true
	case before.Down && j.sides[1].seen().FirstTokens > 0:
		return Improved, "the server answers again and serves requests; before, its last scrapes had failed", true
	}
	return "", "", false
}

func (j *judge) tooLittle() string {
	for i, name := range []string{"before", "after"} {
		s := j.sides[i]
		n := s.seen().FirstTokens
		switch {
		case len(j.whole[i].From) == 0:
			return fmt.Sprintf("%s holds no two scrapes of an inference server: at least %d scrapes under load are needed", name, leastSteps+2)
		case s.Len() == 0 || n == 0:
			return name + " saw no request: nothing can be said of a server that nobody asks"
		case s.Len() < leastSteps:
			return fmt.Sprintf("%s has %d scrapes under load, and %d are needed: record longer or scrape more often", name, s.Len()+1, leastSteps+1)
		case n < leastTokens:
			more := s.Seconds() * (leastTokens - float64(n)) / float64(n)
			return fmt.Sprintf("%s has %d first tokens, and %d are needed: about %.0f s more at this rate", name, n, leastTokens, math.Ceil(more))
		}
	}
	return ""
}

// decide chooses the figures that take part and sorts them into gains and losses.
func (j *judge) decide() {
	j.choose()
	j.weigh()
}

// choose takes the figures that take part.
func (j *judge) choose() {
	if !j.overloaded() {
		j.takeFirst("ttft_p99_s", "ttft_p90_s")
		if r := j.ratio["ttft_p50_s"]; r.before.Bound == model.Exact && r.after.Bound == model.Exact {
			j.takeFirst("ttft_p50_s", "ttft_mean_s")
		} else {
			j.takeFirst("ttft_mean_s")
		}
	}
	if j.growing[0] != j.growing[1] { // a queue that grows no more is a cure, however short the stretch
		j.takeFirst(waiting)
	}
	j.takeFirst("tpot_p99_s", "tpot_p50_s")
	j.takeFirst("itl_mean_s")
	if j.o.E2E > 0 && !j.overloaded() {
		j.takeFirst("e2e_p99_s")
	}
	// With room to spare, an open loop gets as many tokens as it asks for: a rate says something of the
	// server where clients wait for it or a queue grows.
	if j.closed || j.growing[0] || j.growing[1] {
		j.takeFirst("gen_tokens_per_s")
	}
}

// weigh sorts what was chosen into gains and losses. Each must be sure at a level that keeps all of them together at the wanted one
// (Bonferroni).
func (j *judge) weigh() {
	j.level = 1 - (1-j.o.Level)/float64(max(len(j.deciders), 1))
	for _, id := range j.deciders {
		switch j.outcome(j.ratio[id]) {
		case Better:
			j.gains = append(j.gains, id)
		case Poorer:
			if !j.inherited(id) {
				j.losses = append(j.losses, id)
			}
		}
	}
}

// inherited says that a longer wait is no fault of the change: the queue grew before, and would have
// brought it anyway.
func (j *judge) inherited(id string) bool {
	return j.growing[0] && (strings.HasPrefix(id, "ttft_") || id == waiting)
}

// takeFirst takes the first of these figures that both sides have.
func (j *judge) takeFirst(ids ...string) {
	for _, id := range ids {
		if r, ok := j.ratio[id]; ok && r.known() {
			j.deciders = append(j.deciders, id)
			return
		}
	}
}

// outcome is Better or Poorer when the whole interval lies beyond the least effect.
func (j *judge) outcome(r ratio) Outcome {
	level := j.level
	if level == 0 {
		level = j.o.Level
	}
	up, down := Poorer, Better
	if r.more {
		up, down = Better, Poorer
	}
	lo, hi, ok := r.interval(level)
	switch {
	case r.known() && r.before == r.after && r.before.V == 0:
		return Same
	case r.summary && r.known() && r.after.V >= summaryEffect*r.before.V:
		return up
	case r.summary && r.known() && r.before.V >= summaryEffect*r.after.V:
		return down
	case !ok:
		return Unclear
	}
	switch {
	case lo > 1+j.o.Effect:
		return up
	case hi < 1/(1+j.o.Effect):
		return down
	}
	if lo, hi, _ := r.interval(j.o.Level); lo > 1/1.25 && hi < 1.25 {
		return Same
	}
	return Unclear
}

func (j *judge) underTheSameLoad() (Verdict, string) {
	switch {
	case len(j.gains) > 0 && len(j.losses) > 0:
		return j.trade()
	case len(j.gains) > 0:
		return Improved, j.said(j.gains) + j.lostPrice()
	case len(j.losses) > 0:
		return Worse, j.said(j.losses)
	}
	for _, id := range j.deciders {
		r := j.ratio[id]
		if j.inherited(id) && j.outcome(r) == Poorer {
			return CannotTell, "the queue was growing before already, and " + r.change() + " is what that brings: compare from an empty server on"
		}
		point := math.Abs(math.Log(r.after.V / r.before.V))
		if j.harmless(r) && point < math.Log(1.5) {
			continue
		}
		if j.outcome(r) == Unclear && point > math.Log(1+j.o.Effect) {
			return CannotTell, "nothing moved that noise does not explain, but " + j.couldBe(r) + ": record longer"
		}
	}
	return Unchanged, j.resolution()
}

// harmless says that a latency meets its objective before, and after even at the far end of its interval.
func (j *judge) harmless(r ratio) bool {
	bar := r.objective
	switch {
	case bar > 0:
	case strings.HasPrefix(r.signal, "ttft_"):
		bar = j.o.TTFT
	case strings.HasPrefix(r.signal, "itl_"), strings.HasPrefix(r.signal, "tpot_"):
		bar = j.o.TPOT
	}
	if r.before.Bound == model.AtMost { // nothing bounds the ratio above, but the value itself is known
		return r.before.V <= bar && r.after.Bound != model.AtLeast && r.after.V*1.5 <= bar
	}
	_, hi, ok := r.interval(j.o.Level)
	return ok && r.before.V <= bar && r.before.V*hi <= bar
}

// trade judges a change that made something better and something else worse. Where a queue grows on both
// sides everybody waits for capacity, and the rate of tokens decides first. Else it is the latency that
// is worst by its objective, where any misses it, then the rate where it takes part, then the whole
// request.
func (j *judge) trade() (Verdict, string) {
	const rate, whole = "gen_tokens_per_s", "e2e_mean_s"
	order := []ratio{j.ratio[rate], j.ratio[whole]}
	if !slices.Contains(j.deciders, rate) {
		order = order[1:]
	}
	if j.excess.known() && max(j.excess.before.V, j.excess.after.V) > 1 {
		order = slices.Insert(order, 0, j.excess)
		if j.overloaded() {
			order[0], order[1] = order[1], order[0]
		}
	}
	for _, r := range order {
		switch j.outcome(r) {
		case Better:
			return Improved, j.said(j.gains, r.signal) + j.price()
		case Poorer:
			return Worse, j.said(j.losses, r.signal) + "; better is " + j.said(j.gains)
		}
	}
	return CannotTell, "a trade that the figures do not decide: better is " + j.said(j.gains) + "; worse is " + j.said(j.losses)
}

// moreLost says that the share of requests that are refused or fail rose by a hundredth or more, surely.
func (j *judge) moreLost() bool {
	lo, _, ok := j.lost.difference(j.o.Level)
	return ok && lo > 0 && j.lost.after.V-j.lost.before.V >= 0.01
}

// lessLost is the opposite.
func (j *judge) lessLost() bool {
	_, hi, ok := j.lost.difference(j.o.Level)
	return ok && hi < 0 && j.lost.after.V-j.lost.before.V <= -0.01
}

// worthIt says that refused requests are the price of a gain: of all requests at most half as many as
// before come late, are refused or fail.
func (j *judge) worthIt() bool {
	return len(j.gains) > 0 && j.hurt.known() && j.hurt.after.V <= j.hurt.before.V/2
}

package eval

import (
	"math"
	"slices"
	"sort"

	"github.com/inferdx/inferdx/internal/model"
)

// Share is a count of successes with its Wilson interval at 95 %.
type Share struct {
	Hits float64 `json:"hits"`
	N    int     `json:"n"`
	P    float64 `json:"p"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// share computes the interval. Half hits are possible for baselines that are expectations.
func share(hits float64, n int) Share {
	s := Share{Hits: hits, N: n, Low: 0, High: 1}
	if n == 0 {
		return s
	}
	const z = 1.959964
	total := float64(n)
	s.P = hits / total
	mid := (s.P + z*z/(2*total)) / (1 + z*z/total)
	half := z * math.Sqrt(s.P*(1-s.P)/total+z*z/(4*total*total)) / (1 + z*z/total)
	s.Low, s.High = max(mid-half, 0), min(mid+half, 1)
	return s
}

// Summary is the accuracy under one condition.
type Summary struct {
	Condition string `json:"condition"`
	// Named counts recordings whose primary is right; First those with a right cause at the first place,
	// named or not; Three those with one among the first three.
	Named Share   `json:"ac1_named"`
	First Share   `json:"ac1"`
	Three Share   `json:"ac3"`
	MRR   float64 `json:"mrr"`
	// Abstained counts recordings with a cause on which none was named.
	Abstained Share `json:"abstained"`
	// FalseAlarms counts healthy and idle looks on which a cause that is not acceptable was named, or
	// listed with a score of one half or more; Listed those with any such cause at all.
	FalseAlarms Share `json:"false_alarms"`
	Listed      Share `json:"listed_on_quiet"`
	// Status counts the right ones where the truth is certain: see certainStatus.
	Status Share `json:"status"`
	// ECE is the calibration error of the named cause's score, in five bins; Brier its mean squared error.
	ECE    float64 `json:"ece"`
	Brier  float64 `json:"brier"`
	Causes []Cause `json:"causes"`
}

// Cause is the accuracy on the recordings of one right answer.
type Cause struct {
	ID    string `json:"id"`
	First Share  `json:"ac1"`
	Three Share  `json:"ac3"`
	// Instead lists what came first where it was wrong; "nothing" when no cause was listed.
	Instead []string `json:"instead"`
}

// Summarize counts outcomes.
func Summarize(condition string, os []Outcome) Summary {
	s := Summary{Condition: condition}
	var faulty, quiet, certain int
	var named, first, three, abstained, alarms, listed, status float64
	for _, o := range os {
		switch {
		case o.R.Faulty():
			faulty++
			rank := o.Rank()
			first += yes(rank == 1)
			named += yes(rank == 1 && o.Primary() != "")
			three += yes(rank >= 1 && rank <= 3)
			abstained += yes(o.Primary() == "")
			if rank > 0 {
				s.MRR += 1 / float64(rank)
			}
		case o.R.Quiet():
			quiet++
			alarms += yes(o.FalseAlarm() != "")
			listed += yes(o.unwanted(0) != "")
		}
		if certainStatus(o.R) {
			certain++
			status += yes(o.Status == o.R.Status)
		}
	}
	s.Named, s.First, s.Three = share(named, faulty), share(first, faulty), share(three, faulty)
	s.Abstained, s.FalseAlarms, s.Listed, s.Status = share(abstained, faulty), share(alarms, quiet), share(listed, quiet), share(status, certain)
	s.MRR /= float64(max(faulty, 1))
	s.ECE, s.Brier = calibration(os)
	s.Causes = byCause(os)
	return s
}

func yes(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// FalseAlarm is the cause that a healthy or idle server is accused of, or its status where it is called
// ill without one and nothing acceptable stands beside it; "" when it is left in peace.
func (o Outcome) FalseAlarm() string {
	if p := o.Primary(); o.R.Quiet() && p != "" && !o.R.Accepts(p) {
		return p
	}
	if c := o.unwanted(0.5); c != "" {
		return c
	}
	ill := o.Status == model.Degraded || o.Status == model.Down
	if o.R.Quiet() && ill && len(o.R.AlsoAcceptable) == 0 {
		return "called " + string(o.Status)
	}
	return ""
}

// unwanted is the first cause of at least a score that a quiet recording must not show.
func (o Outcome) unwanted(score float64) string {
	if !o.R.Quiet() {
		return ""
	}
	for _, c := range o.Causes {
		if c.Score >= score && !o.R.Accepts(c.ID) {
			return c.ID
		}
	}
	return ""
}

// certainStatus says that the status is beyond dispute: idle, down, or the client's TTFT P99 clearly
// good or clearly bad against any objective near two seconds.
func certainStatus(r *Recording) bool {
	if r.Status == model.Idle || r.Status == model.Down {
		return true
	}
	p99, ok := r.Client["ttft_p99"]
	return ok && p99 > 0 && (p99 < 1 || p99 > 4)
}

const bins = 5

// calibration compares the score of the named cause with how often it is right.
func calibration(os []Outcome) (ece, brier float64) {
	var n, score, right [bins]float64
	total := 0.0
	for _, o := range os {
		p := o.Primary()
		if p == "" {
			continue
		}
		conf, ok := o.Causes[0].Score, yes(o.R.Right(p))
		b := min(int(conf*bins), bins-1)
		n[b]++
		score[b] += conf
		right[b] += ok
		brier += (conf - ok) * (conf - ok)
		total++
	}
	if total == 0 {
		return 0, 0
	}
	for b := range n {
		ece += math.Abs(score[b]-right[b]) / total
	}
	return ece, brier / total
}

func byCause(os []Outcome) []Cause {
	group := map[string][]Outcome{}
	for _, o := range os {
		if o.R.Faulty() {
			group[o.R.Causes[0]] = append(group[o.R.Causes[0]], o)
		}
	}
	var out []Cause
	for id, list := range group {
		c := Cause{ID: id}
		var first, three float64
		for _, o := range list {
			rank := o.Rank()
			first += yes(rank == 1)
			three += yes(rank >= 1 && rank <= 3)
			if rank == 1 {
				continue
			}
			instead := "nothing"
			if len(o.Causes) > 0 {
				instead = o.Causes[0].ID
			}
			if !slices.Contains(c.Instead, instead) {
				c.Instead = append(c.Instead, instead)
			}
		}
		c.First, c.Three = share(first, len(list)), share(three, len(list))
		sort.Strings(c.Instead)
		out = append(out, c)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

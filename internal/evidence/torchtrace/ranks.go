package torchtrace

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// Ranks are the profiles of several ranks of one model over the same time.
type Ranks struct {
	Profiles []*Profile `json:"-"`
	// Straggler is the rank that others wait for: it spends the least time in collectives, because it comes last
	// to each of them. -1 where there are no collectives to tell by.
	Straggler int `json:"straggler"`
	// Wait is the share of the GPU's time that the rank which waits most spends longer in collectives than the straggler.
	Wait float64 `json:"wait_ratio"`
	// Skew is the median time between the first and the last rank's end of a step; nil where steps or clocks do not fit.
	Skew *float64 `json:"step_skew_seconds,omitempty"`
	// Experts is the time in experts' kernels of the rank with most over that of the one with least; 0 where not all have experts.
	Experts float64 `json:"expert_spread_ratio,omitempty"`
	// Apart says why the profiles were not compared; "" where they were.
	Apart string `json:"not_compared,omitempty"`
	// Versus compares the decode steps of two profiles that are not ranks of one model; nil where that cannot be.
	Versus *Versus `json:"versus,omitempty"`

	gc float64
}

// Together compares the profiles of several ranks; of one it only carries the profile. Those without a GPU are left out
// where others have one: vLLM writes a trace of its API server beside those of the ranks.
func Together(ps []*Profile) *Ranks {
	r := &Ranks{Straggler: -1}
	for _, p := range ps {
		r.gc = max(r.gc, p.Facts()["profile_gc_ratio"].Num)
		if p.GPU != nil {
			r.Profiles = append(r.Profiles, p)
		}
	}
	if len(r.Profiles) == 0 {
		r.Profiles = slices.Clone(ps)
	}
	slices.SortStableFunc(r.Profiles, func(a, b *Profile) int { return cmp.Compare(a.Rank, b.Rank) })
	if len(r.Profiles) < 2 || r.Profiles[0].GPU == nil {
		return r
	}
	if r.Apart = apart(r.Profiles); r.Apart != "" {
		r.Versus = versus(r.Profiles)
		return r
	}
	least, most := math.Inf(1), 0.0
	for _, p := range r.Profiles {
		share := p.exchange()
		if share < least {
			least, r.Straggler = share, p.Rank
		}
		most = max(most, share)
	}
	if most == 0 {
		r.Straggler = -1
	} else {
		r.Wait = most - least
	}
	r.Skew = skew(r.Profiles)
	r.Experts = expertSpread(r.Profiles)
	return r
}

// apart says why profiles are not those of the ranks of one model over the same time; "" where they are. They must be sorted by rank.
func apart(ps []*Profile) string {
	from, to, shortest := math.Inf(-1), math.Inf(1), math.Inf(1)
	for i, p := range ps {
		switch {
		case p.Rank < 0:
			return "one of them does not say which rank it is"
		case i > 0 && p.Rank == ps[i-1].Rank:
			return fmt.Sprintf("two of them are of rank %d", p.Rank)
		case p.World != ps[0].World:
			return fmt.Sprintf("one is of %d ranks, another of %d", ps[0].World, p.World)
		}
		from, to, shortest = max(from, p.from), min(to, p.to), min(shortest, p.to-p.from)
	}
	if to-from < shortest/2 {
		return "they were taken at different times"
	}
	return ""
}

// exchange is the share of all exchange between GPUs.
func (p *Profile) exchange() float64 {
	sum := 0.0
	for _, c := range p.Classes {
		if c.Class.Exchanges() {
			sum += c.Share
		}
	}
	return min(1, sum)
}

// share is that of a class, of the GPU's time.
func (p *Profile) share(class kernels.Class) float64 {
	for _, c := range p.Classes {
		if c.Class == class {
			return c.Share
		}
	}
	return 0
}

// fewEnds is how many steps all ranks must have ended to speak of a skew.
const fewEnds = 3

// skew matches each end of a step of the first rank with the nearest of every other.
func skew(ps []*Profile) *float64 {
	var spreads []float64
	for _, end := range ps[0].ends {
		first, last := end, end
		for _, p := range ps[1:] {
			at, ok := p.nearest(end)
			if !ok || p.host != ps[0].host {
				return nil
			}
			first, last = min(first, at), max(last, at)
		}
		if step := ps[0].stepLength(); step == 0 || last-first < step/2 { // else it is another step
			spreads = append(spreads, (last-first)/1e6)
		}
	}
	if len(spreads) < fewEnds || len(spreads) < len(ps[0].ends)/2 {
		return nil
	}
	m := median(spreads)
	return &m
}

// stepLength is that of a usual step in microseconds; 0 is unknown.
func (p *Profile) stepLength() float64 {
	switch {
	case p.Decode != nil:
		return p.Decode.Seconds * 1e6
	case p.Prefill != nil:
		return p.Prefill.Seconds * 1e6
	}
	return 0
}

func (p *Profile) nearest(at float64) (float64, bool) {
	i, _ := slices.BinarySearch(p.ends, at)
	switch {
	case len(p.ends) == 0:
		return 0, false
	case i == len(p.ends):
		return p.ends[i-1], true
	case i > 0 && at-p.ends[i-1] < p.ends[i]-at:
		return p.ends[i-1], true
	}
	return p.ends[i], true
}

func expertSpread(ps []*Profile) float64 {
	least, most := math.Inf(1), 0.0
	for _, p := range ps {
		s := p.share(kernels.MoE)
		least, most = min(least, s), max(most, s)
	}
	if least <= 0 {
		return 0
	}
	return most / least
}

// Facts are those of the busiest profile, and what only several ranks show.
func (r *Ranks) Facts() map[string]model.Fact {
	if len(r.Profiles) == 0 {
		return nil
	}
	out := slices.MaxFunc(r.Profiles, func(a, b *Profile) int { return cmp.Compare(size(a), size(b)) }).Facts()
	if r.gc > 0 {
		out["profile_gc_ratio"] = number(r.gc)
	}
	if r.Straggler >= 0 {
		out["profile_rank_wait_ratio"] = number(r.Wait)
		out["profile_straggler_rank"] = number(float64(r.Straggler))
	}
	if r.Skew != nil {
		out["profile_step_skew_s"] = number(*r.Skew)
	}
	if r.Experts > 0 {
		out["profile_expert_spread_ratio"] = number(r.Experts)
	}
	return out
}

func size(p *Profile) int {
	if p.GPU == nil {
		return 0
	}
	return p.GPU.Kernels
}

// Finding is what the ranks show together, in a line or two; "" of one rank or without collectives.
func (r *Ranks) Finding() string {
	if r.Versus != nil {
		return r.Versus.String()
	}
	if r.Apart != "" {
		return fmt.Sprintf("the %d profiles were not compared: %s", len(r.Profiles), r.Apart)
	}
	if r.Straggler < 0 {
		return ""
	}
	out := fmt.Sprintf("of %d ranks, others wait for rank %d: up to %s of the time in collectives", len(r.Profiles), r.Straggler, units.Percent(r.Wait))
	if r.Skew != nil {
		out += fmt.Sprintf("; steps end within %s of each other", units.Seconds(*r.Skew))
	}
	if r.Experts > 0 {
		out += fmt.Sprintf("\nexperts' kernels take %.2g times as long on one rank as on another", r.Experts)
	}
	return out
}

package torchtrace

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/inferdx/inferdx/internal/evidence/kernels"
	"github.com/inferdx/inferdx/internal/model"
)

// Ranks are the profiles of several ranks of one model over the same time.
type Ranks struct {
	Profiles []*Profile `json:"ranks"`
	// Straggler is the rank that others wait for: it spends the least time in collectives, because it comes last
	// to each of them. -1 where there are no collectives to tell by.
	Straggler int `json:"straggler"`
	// Wait is the share of the GPU's time that the rank which waits most spends longer in collectives than the straggler.
	Wait float64 `json:"wait_ratio"`
}

// Together compares the profiles of several ranks; of one it only carries the profile.
func Together(ps []*Profile) *Ranks {
	r := &Ranks{Profiles: slices.Clone(ps), Straggler: -1}
	slices.SortStableFunc(r.Profiles, func(a, b *Profile) int { return cmp.Compare(a.Rank, b.Rank) })
	least, most := 0.0, 0.0
	for i, p := range r.Profiles {
		share, ok := p.collectives()
		if !ok || p.Rank < 0 {
			return r
		}
		if i == 0 || share < least {
			least, r.Straggler = share, p.Rank
		}
		most = max(most, share)
	}
	if len(ps) < 2 || most == 0 {
		r.Straggler = -1
		return r
	}
	r.Wait = most - least
	return r
}

func (p *Profile) collectives() (float64, bool) {
	if p.GPU == nil {
		return 0, false
	}
	for _, c := range p.Classes {
		if c.Class == kernels.Collective {
			return c.Share, true
		}
	}
	return 0, true
}

// Facts are those of the busiest profile, and what only several ranks show.
func (r *Ranks) Facts() map[string]model.Fact {
	if len(r.Profiles) == 0 {
		return nil
	}
	out := slices.MaxFunc(r.Profiles, func(a, b *Profile) int { return cmp.Compare(size(a), size(b)) }).Facts()
	if r.Straggler >= 0 {
		out["profile_rank_wait_ratio"] = number(r.Wait)
		out["profile_straggler_rank"] = number(float64(r.Straggler))
	}
	return out
}

func size(p *Profile) int {
	if p.GPU == nil {
		return 0
	}
	return p.GPU.Kernels
}

// Finding is one line on what the ranks show together; "" of one rank or without collectives.
func (r *Ranks) Finding() string {
	if r.Straggler < 0 {
		return ""
	}
	return fmt.Sprintf("of %d ranks, others wait for rank %d: up to %s of the time in collectives", len(r.Profiles), r.Straggler, percent(r.Wait))
}

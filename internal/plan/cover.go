package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// shown is how many members of a group a diagnosis names that stands for them.
const shown = 10

// covers holds, for each route and cause, the groups whose diagnosis stands for their members'.
type covers map[string]map[string]*groups

// groups find the group of a member by the labels that groups have.
type groups struct {
	names [][]string
	slots map[string]Slot
}

func (r *round) covers(matched [][]place) covers {
	out := covers{}
	for i, x := range r.problems {
		id := cause(x.Diagnosis)
		if x.Scope != model.ScopeGroup || id == "" || x.suppressed != "" {
			continue
		}
		for _, pl := range matched[i] {
			at := pl.Receiver + pl.path
			if out[at] == nil {
				out[at] = map[string]*groups{}
			}
			if out[at][id] == nil {
				out[at][id] = &groups{slots: map[string]Slot{}}
			}
			slot, _ := r.slot(pl, x)
			out[at][id].add(x.Target, slot)
		}
	}
	return out
}

func (g *groups) add(target map[string]string, slot Slot) {
	names := slices.Sorted(maps.Keys(target))
	if !slices.ContainsFunc(g.names, func(n []string) bool { return slices.Equal(n, names) }) {
		g.names = append(g.names, names)
	}
	g.slots[strings.Join(names, "\xfe")+"\xfd"+values(target, names)] = slot
}

// of finds the row in which the group of a problem tells of the same cause.
func (c covers) of(pl place, x *problem) (Slot, bool) {
	if len(c) == 0 || x.Scope == model.ScopeGroup {
		return Slot{}, false
	}
	g := c[pl.Receiver+pl.path][cause(x.Diagnosis)]
	if g == nil {
		return Slot{}, false
	}
	for _, names := range g.names {
		if slot, ok := g.slots[strings.Join(names, "\xfe")+"\xfd"+values(x.Target, names)]; ok {
			return slot, true
		}
	}
	return Slot{}, false
}

// fold leaves out members of a group whose diagnosis names the same cause, and says so there.
func fold(ds []model.Diagnosis) []model.Diagnosis {
	stands := map[int][]string{}
	var groups []int
	for i := range ds {
		if ds[i].Scope == model.ScopeGroup && cause(&ds[i]) != "" {
			groups = append(groups, i)
		}
	}
	if len(groups) == 0 {
		return ds
	}
	var out []model.Diagnosis
	at := map[int]int{}
	for i := range ds {
		by := slices.IndexFunc(groups, func(g int) bool {
			return ds[i].Scope != model.ScopeGroup && cause(&ds[i]) == cause(&ds[g]) && within(ds[i].Target, ds[g].Target)
		})
		if by >= 0 {
			stands[groups[by]] = append(stands[groups[by]], name(&ds[i]))
			continue
		}
		at[i] = len(out)
		out = append(out, ds[i])
	}
	for g, names := range stands {
		slices.Sort(names)
		more := ""
		if n := len(names) - shown; n > 0 {
			more = fmt.Sprintf(" and %d more", n)
			names = names[:shown]
		}
		d := &out[at[g]]
		d.Notes = append(slices.Clone(d.Notes), "the same cause was found on "+strings.Join(names, ", ")+more)
	}
	return out
}

package expression

import (
	"strings"

	"github.com/inferdx/inferdx/internal/model"
)

// Of reads the quantities of one entity of a frame: its signals, then its facts, then those of the
// entity it belongs to.
func Of(f *model.Frame, id model.EntityID) Env { return entityEnv{f, id} }

type entityEnv struct {
	f  *model.Frame
	id model.EntityID
}

func (e entityEnv) Number(name string) (model.Value, bool) {
	if over, id, ok := member(name); ok {
		return e.fold(over, id)
	}
	if v, ok := e.f.Get(e.id, name); ok {
		return v, true
	}
	if x, ok := e.f.Fact(e.id, name); ok && x.IsNum {
		return model.Known(x.Num), true
	}
	return model.Value{}, false
}

func (e entityEnv) Text(name string) (string, bool) {
	x, ok := e.f.Fact(e.id, name)
	return x.Text, ok
}

func (e entityEnv) Explicit(name string) bool {
	x, ok := e.f.Fact(e.id, name)
	return ok && x.Explicit
}

func member(name string) (over, id string, ok bool) {
	over, rest, ok := strings.Cut(name, "(")
	if !ok || !overMembers(over) {
		return "", "", false
	}
	return over, strings.TrimSuffix(rest, ")"), true
}

// fold combines a signal over the members that have it. Bounds of members are not carried on:
// a member known only as a bound is left out.
func (e entityEnv) fold(over, signal string) (model.Value, bool) {
	var lo, hi, sum, n float64
	for _, scope := range []model.Scope{model.ScopeTarget, model.ScopeRank, model.ScopeGPU} {
		for c := range e.f.Entities.Each(e.id, scope) {
			v, ok := e.f.Get(c, signal)
			if !ok || v.Bound != model.Exact {
				continue
			}
			if n == 0 {
				lo, hi = v.V, v.V
			}
			lo, hi, sum, n = min(lo, v.V), max(hi, v.V), sum+v.V, n+1
		}
	}
	if n == 0 {
		return model.Value{}, false
	}
	switch over {
	case "min":
		return model.Known(lo), true
	case "max":
		return model.Known(hi), true
	case "sum":
		return model.Known(sum), true
	case "avg":
		return model.Known(sum / n), true
	case "spread":
		return model.Known(hi - lo), true
	default:
		return model.Known(n), true
	}
}

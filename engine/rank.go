package engine

import (
	"math"
	"slices"
	"sort"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
)

// candidate is a playbook that may explain something here.
type candidate struct {
	p        *playbooks.Playbook
	logit    float64
	score    float64
	unknown  float64 // share of "none of these" in the competition where the score was won
	explains []string
	pro, con weighed
	// decided says that what the playbook asks for was seen; only then may it be primary.
	decided bool
}

// listed is the lowest score worth a line.
const listed = 0.015

// rank lets the playbooks compete, symptom by symptom, and returns the candidates best first with the
// share left for "unknown".
func (e *Engine) rank(f *model.Frame, id model.EntityID, scope model.Scope, symptoms []model.Symptom) ([]*candidate, float64) {
	env := expression.Of(f, id)
	found := map[string]*candidate{}
	unknown := 1.0
	for _, s := range symptoms {
		cs := e.competitors(s.ID, scope, env, found)
		if len(cs) == 0 {
			continue
		}
		unknown = min(unknown, e.compete(s.ID, cs))
	}
	out := make([]*candidate, 0, len(found))
	for _, c := range found {
		if c.score >= listed && c.pro.sum >= 1 {
			out = append(out, c)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].score != out[j].score {
			return out[i].score > out[j].score
		}
		if out[i].logit != out[j].logit {
			return out[i].logit > out[j].logit
		}
		return out[i].p.ID < out[j].p.ID
	})
	return statesLast(out), unknown
}

// competitors are the playbooks that explain a symptom and are possible here.
func (e *Engine) competitors(symptom string, scope model.Scope, env expression.Env, found map[string]*candidate) []*candidate {
	var out []*candidate
	for _, p := range e.explained[symptom] {
		if p.Scope != scope && p.Scope != "both" {
			continue
		}
		c := found[p.ID]
		if c == nil {
			if c = e.candidate(p, env); c == nil {
				continue
			}
			found[p.ID] = c
		}
		c.explains = append(c.explains, symptom)
		out = append(out, c)
	}
	return out
}

func (e *Engine) candidate(p *playbooks.Playbook, env expression.Env) *candidate {
	required := expression.True
	if p.Requires != nil {
		required = p.Requires.Truth(env)
	}
	if required == expression.False || p.RulesOut != nil && p.RulesOut.Truth(env) == expression.True {
		return nil
	}
	c := &candidate{p: p, pro: e.weigh(p.For, env), con: e.weigh(p.Against, env)}
	c.logit = p.Prior + c.pro.sum - c.con.sum
	c.decided = required == expression.True && (len(p.DecidedBy) == 0 ||
		slices.ContainsFunc(p.DecidedBy, func(k string) bool { return c.pro.kinds[k] }))
	return c
}

// compete shares one symptom out between its candidates and "unknown", by softmax. States do not
// compete: theirs is the share that they would have alone.
func (e *Engine) compete(symptom string, cs []*candidate) (unknown float64) {
	t := e.o.Fit.Temperature
	none := math.Exp(e.o.Fit.Unknown / t)
	total := none
	for _, c := range cs {
		if !c.p.State {
			total += math.Exp(c.logit / t)
		}
	}
	for _, c := range cs {
		share := math.Exp(c.logit / t)
		sum := total
		if c.p.State {
			sum = none + share
		}
		if score := share / sum; score > c.score {
			c.score, c.unknown = score, none/sum
		}
	}
	return none / total
}

// statesLast moves what is no cause behind the causes, unless no cause could stand as the answer. A state whose symptoms are
// all answered by causes is left out: it may stand only where nothing deeper was seen.
func statesLast(cs []*candidate) []*candidate {
	answered := map[string]bool{}
	for _, c := range cs {
		if !c.p.State && answers(c) {
			for _, symptom := range c.explains {
				answered[symptom] = true
			}
		}
	}
	if len(answered) == 0 {
		return cs
	}
	var causes, states []*candidate
	for _, c := range cs {
		switch {
		case !c.p.State:
			causes = append(causes, c)
		case slices.ContainsFunc(c.explains, func(symptom string) bool { return !answered[symptom] }):
			states = append(states, c)
		}
	}
	return append(causes, states...)
}

// answers says whether a candidate may be primary: its evidence decides, and it beats "unknown".
func answers(c *candidate) bool { return c.decided && c.score > c.unknown }

// primary picks the answer among ranked candidates; nil abstains.
func primary(cs []*candidate) *candidate {
	if len(cs) > 0 && answers(cs[0]) {
		return cs[0]
	}
	return nil
}

// fold marks what another, higher ranked cause explains away.
func fold(causes []model.Cause, cs []*candidate) {
	for i, c := range cs {
		for j := i + 1; j < len(cs); j++ {
			if slices.Contains(c.p.ExplainsAway, cs[j].p.ID) && causes[j].ConsequenceOf == "" {
				causes[j].ConsequenceOf = c.p.ID
			}
		}
	}
}

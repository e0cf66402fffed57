package eval

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks"
)

// Baseline is what a simpler method reaches on the same recordings.
type Baseline struct {
	Name  string  `json:"name"`
	Is    string  `json:"is"`
	First Share   `json:"ac1"`
	Three Share   `json:"ac3"`
	MRR   float64 `json:"mrr"`
}

// Baselines computes the four of them; os are the outcomes with everything known.
func Baselines(c *content.Content, os []Outcome) []Baseline {
	var faulty []Outcome
	for _, o := range os {
		if o.R.Faulty() {
			faulty = append(faulty, o)
		}
	}
	return []Baseline{
		random(len(c.Playbooks.All()), faulty),
		ranked("most frequent", "the causes by how often they occur in the other load families", faulty, func(o Outcome) []string { return frequent(faulty, o) }),
		ranked("severity", "the symptoms worst first, and under each every cause that explains it, by name", faulty, func(o Outcome) []string { return bySeverity(c, o) }),
		ranked("flags only", "the same evidence, but from the launch arguments and the defaults alone", faulty, func(o Outcome) []string { return flagsOnly(c, o.R) }),
	}
}

// random is the expectation over all orders of the catalogue.
func random(n int, os []Outcome) Baseline {
	b := Baseline{Name: "random", Is: "the catalogue in random order, its expectation"}
	var first, three float64
	for _, o := range os {
		missed := 1.0 // that none of the right ones was among the places so far
		for k := 1; k <= n; k++ {
			left := float64(n - k + 1)
			hit := missed * math.Min(float64(len(o.R.Causes))/left, 1)
			missed -= hit
			b.MRR += hit / float64(k) / float64(len(os))
			if k == 1 {
				first += hit
			}
			if k <= 3 {
				three += hit
			}
		}
	}
	b.First, b.Three = share(first, len(os)), share(three, len(os))
	return b
}

func ranked(name, is string, os []Outcome, rank func(Outcome) []string) Baseline {
	b := Baseline{Name: name, Is: is}
	var first, three float64
	for _, o := range os {
		i := slices.IndexFunc(rank(o), o.R.Right)
		first += yes(i == 0)
		three += yes(i >= 0 && i < 3)
		if i >= 0 {
			b.MRR += 1 / float64(i+1) / float64(len(os))
		}
	}
	b.First, b.Three = share(first, len(os)), share(three, len(os))
	return b
}

func frequent(os []Outcome, o Outcome) []string {
	n := map[string]int{}
	for _, x := range os {
		if x.R.Family != o.R.Family {
			for _, c := range x.R.Causes {
				n[c]++
			}
		}
	}
	return byCount(n)
}

func byCount[N cmp.Ordered](n map[string]N) []string {
	var ids []string
	for id := range n {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(n[b], n[a]), strings.Compare(a, b)) })
	return ids
}

// bySeverity relies on the outcome's symptoms being listed worst first.
func bySeverity(c *content.Content, o Outcome) []string {
	var out []string
	for _, s := range o.Symptoms {
		for _, p := range c.Playbooks.All() {
			if slices.Contains(p.Explains, s) && !slices.Contains(out, p.ID) {
				out = append(out, p.ID)
			}
		}
	}
	return out
}

// flagsOnly weighs every playbook with nothing known but the launch arguments.
func flagsOnly(c *content.Content, r *Recording) []string {
	facts := c.Knobs.FromArgs(r.Engine, r.Args).Facts
	env := factEnv{}
	for id, f := range c.Knobs.Defaults(r.Engine, r.EngineVersion, facts) {
		env[id] = f
	}
	for id, f := range facts {
		env[id] = f
	}
	sums := map[string]float64{}
	for _, p := range c.Playbooks.All() {
		if p.RulesOut != nil && p.RulesOut.Truth(env) == expression.True {
			continue
		}
		if pro := holds(p.For, env); pro > 0 {
			sums[p.ID] = pro - holds(p.Against, env)
		}
	}
	return byCount(sums)
}

func holds(items []playbooks.Item, env expression.Env) float64 {
	t := 0.0
	for _, it := range items {
		if it.When != nil && it.When.Truth(env) == expression.True {
			t += it.Weight
		}
	}
	return t
}

// factEnv knows facts and no signal.
type factEnv map[string]model.Fact

func (e factEnv) Number(name string) (model.Value, bool) {
	f, ok := e[name]
	return model.Known(f.Num), ok && f.IsNum
}

func (e factEnv) Text(name string) (string, bool) {
	f, ok := e[name]
	return f.Text, ok
}

func (e factEnv) Explicit(name string) bool { return e[name].Explicit }

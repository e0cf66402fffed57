package signals

import (
	"errors"
	"fmt"

	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// formula derives one signal from others.
type formula struct {
	id    string
	expr  *expression.Expr
	least Least
}

// resolve compiles the formulas and orders them so that each comes after those it reads.
func (c *Catalog) resolve(sources map[string]*yamlpos.Source) yamlpos.Problems {
	var faults yamlpos.Problems
	compiled := map[string]formula{}
	for _, id := range c.ids {
		m := c.meanings[id]
		if m.Formula.S == "" {
			continue
		}
		x, err := expression.Parse(m.Formula.S)
		if err != nil {
			faults = append(faults, syntax(sources[id], m.Formula, fmt.Sprintf("signal %s: ", id), err))
			continue
		}
		compiled[id] = formula{id, x, m.Least}
		faults = append(faults, c.checkPast(compiled[id], m.Formula, sources[id])...)
		if of := m.Least.Of; of.S != "" && c.meanings[of.S].Name == "" {
			faults = append(faults, sources[id].Problem(of.Pos, len(of.S), fmt.Sprintf("signal %s: unknown signal %s", id, of.S), ""))
		}
	}
	placed := map[string]bool{}
	for _, id := range c.ids {
		if !c.place(id, compiled, placed, map[string]bool{}) {
			m := c.meanings[id]
			faults = append(faults, sources[id].Problem(m.Formula.Pos, len(m.Formula.S), fmt.Sprintf("signal %s depends on itself", id), ""))
			break
		}
	}
	return faults
}

// place appends a formula after those it depends on; false when there is a cycle.
func (c *Catalog) place(id string, compiled map[string]formula, placed, path map[string]bool) bool {
	f, derived := compiled[id]
	if !derived || placed[id] {
		return true
	}
	if path[id] {
		return false
	}
	path[id] = true
	for _, n := range f.expr.Names() {
		if !c.place(n.ID, compiled, placed, path) {
			return false
		}
	}
	if !c.place(f.least.Of.S, compiled, placed, path) {
		return false
	}
	delete(path, id)
	placed[id] = true
	c.formulas = append(c.formulas, f)
	return true
}

// syntax places an expression's fault inside the YAML text it came from.
func syntax(s *yamlpos.Source, t yamlpos.Text, prefix string, err error) *yamlpos.Problem {
	var se *expression.SyntaxError
	if errors.As(err, &se) {
		return s.Problem(t.At(se.Off), se.Len, prefix+se.Msg, "")
	}
	return s.Problem(t.Pos, len(t.S), prefix+err.Error(), "")
}

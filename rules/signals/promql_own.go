package signals

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/yamlpos"
)

// A user's own signal is a PromQL query over the samples of one target, with these variables in it.
// Each has a stand-in of its own length, so that a fault in the query is told at its place.
var standIns = map[string]string{
	"$match":  `a="bc"`,
	"$by":     "abc",
	"$window": "100000s",
}

var variable = regexp.MustCompile(`\$[A-Za-z_][A-Za-z0-9_]*`)

// expand puts values in the place of the variables.
func expand(query, match, by, window string) string {
	if match == "" { // so that {$match,x="y"} stays a selector
		match = `__name__!=""`
	}
	values := map[string]string{"$match": match, "$by": by, "$window": window}
	return variable.ReplaceAllStringFunc(query, func(v string) string { return values[v] })
}

// checkOwn checks the `promql:` of a meaning and notes which metrics it reads.
func (c *Catalog) checkOwn(id string, m Meaning, s *yamlpos.Source, parse func(string) ([]string, error)) yamlpos.Problems {
	t := m.PromQL
	fault := func(msg, hint string) yamlpos.Problems {
		return yamlpos.Problems{s.Problem(t.Pos, len(t.S), fmt.Sprintf("signal %s: %s", id, msg), hint)}
	}
	switch {
	case m.Formula.S != "" || m.Setting != nil:
		return fault("it has promql and a formula or setting", "keep one of them")
	case m.Scope != model.ScopeTarget:
		return fault("promql gives signals of a target only", "leave scope out")
	case parse == nil:
		return fault("promql is not evaluated here", "")
	}
	var faults yamlpos.Problems
	for _, at := range variable.FindAllStringIndex(t.S, -1) {
		if v := t.S[at[0]:at[1]]; standIns[v] == "" {
			faults = append(faults, s.Problem(t.At(at[0]), len(v), fmt.Sprintf("signal %s: unknown variable %s", id, v), "known: $by, $match, $window"))
		}
	}
	if faults != nil {
		return faults
	}
	names, err := parse(variable.ReplaceAllStringFunc(t.S, func(v string) string { return standIns[v] }))
	if err != nil {
		return yamlpos.Problems{syntax(s, t, fmt.Sprintf("signal %s: ", id), err)}
	}
	c.ownMetrics = append(c.ownMetrics, names...)
	return nil
}

// Own lists the signals that are evaluated by Request.PromQL, sorted. Without any, no frame asks for it.
func (c *Catalog) Own() []string { return c.own }

// evaluate asks for the users' own signals of every target, each over what was observed of it. One
// that cannot be evaluated is a fault of the frame and stays absent.
func (a *assembly) evaluate() {
	for _, id := range a.c.own {
		m := a.c.meanings[id]
		if slices.Contains(a.req.Without, id) {
			continue
		}
		for _, t := range a.targets {
			v, ok, err := a.ask(m.PromQL.S, t)
			if err != nil {
				a.b.AddFault(model.Fault{Source: "signal " + id, Err: err.Error()})
				break
			}
			if ok {
				a.b.Set(t.id, id, model.Known(v))
			}
		}
	}
}

func (a *assembly) ask(query string, t *target) (float64, bool, error) {
	if a.req.PromQL == nil {
		return 0, false, errors.New("promql is not evaluated here")
	}
	var match, by []string
	for _, l := range t.in.Labels {
		match = append(match, l.Name+"="+strconv.Quote(l.Value))
		by = append(by, l.Name)
	}
	w := a.window(t.in)
	text := expand(query, strings.Join(match, ","), strings.Join(by, ", "), fmt.Sprintf("%dms", w.To-w.From))
	got, err := a.req.PromQL(text, time.UnixMilli(a.to))
	if err != nil {
		return 0, false, err
	}
	if v, ok := got[t.in.Labels.Key()]; ok {
		return v, true, nil
	}
	v, ok := got[""]
	if ok && !strings.Contains(query, "$match") {
		return 0, false, fmt.Errorf("the answer to %s does not say whose it is: fold it by ($by), or select {$match}", text)
	}
	return v, ok, nil
}

package eval

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
)

// slot is one condition of the content, where it can be exchanged.
type slot struct {
	owner string // rule or cause
	field string // when, requires, rules_out, for 2, against 1
	scope model.Scope
	at    **expression.Expr
}

// slots lists every condition of a content that decides a diagnosis. Exchanging one changes the
// content: only a copy of one's own may be used so.
func slots(c *content.Content) []slot {
	var out []slot
	put := func(owner, field string, scope model.Scope, at **expression.Expr) {
		if *at != nil {
			out = append(out, slot{owner, field, scope, at})
		}
	}
	for _, r := range c.Rules.All() {
		put(r.ID, "when", r.Scope, &r.When)
	}
	for _, p := range c.Playbooks.All() {
		put(p.ID, "requires", p.Scope, &p.Requires)
		put(p.ID, "rules_out", p.Scope, &p.RulesOut)
		for i := range p.For {
			put(p.ID, fmt.Sprintf("for %d", i+1), p.Scope, &p.For[i].When)
		}
		for i := range p.Against {
			put(p.ID, fmt.Sprintf("against %d", i+1), p.Scope, &p.Against[i].When)
		}
	}
	return out
}

// Threshold is one number in a condition.
type Threshold struct {
	Owner     string  `json:"owner"`
	Field     string  `json:"field"`
	Condition string  `json:"condition"`
	Compares  string  `json:"compares"` // the comparison it stands in
	Value     float64 `json:"value"`

	slot     slot
	from, to int // its place in the condition
}

// String names it for people.
func (t Threshold) String() string {
	return fmt.Sprintf("%s, %s: %g in %s", t.Owner, t.Field, t.Value, t.Compares)
}

// thresholds lists the numbers other than 0 of every condition.
func thresholds(c *content.Content) ([]Threshold, error) {
	var out []Threshold
	for _, s := range slots(c) {
		src := (*s.at).Source()
		tree, err := parser.Parse(src)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", s.owner, s.field, err)
		}
		var walk func(n ast.Node, in *ast.BinaryNode)
		walk = func(n ast.Node, in *ast.BinaryNode) {
			if b, ok := n.(*ast.BinaryNode); ok && compares(b.Operator) {
				in = b
			}
			if v, ok := literal(n); ok && v != 0 && in != nil {
				from := n.Location().From
				out = append(out, Threshold{
					Owner: s.owner, Field: s.field, Condition: src, Compares: in.String(), Value: v,
					slot: s, from: from, to: from + len(digits.FindString(src[from:])),
				})
			}
			for _, c := range children(n) {
				walk(c, in)
			}
		}
		walk(tree.Node, nil)
	}
	return out, nil
}

var digits = regexp.MustCompile(`^[0-9][0-9_]*(\.[0-9]+)?([eE][-+]?[0-9]+)?`)

func compares(op string) bool { return slices.Contains([]string{"<", "<=", ">", ">=", "==", "!="}, op) }

func literal(n ast.Node) (float64, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return float64(n.Value), true
	case *ast.FloatNode:
		return n.Value, true
	}
	return 0, false
}

func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.CallNode:
		return n.Arguments
	case *ast.BuiltinNode:
		return n.Arguments
	}
	return nil
}

// with is the condition with another number in the threshold's place.
func (t Threshold) with(v float64) (string, *expression.Expr, error) {
	src := t.Condition[:t.from] + strconv.FormatFloat(v, 'f', -1, 64) + t.Condition[t.to:]
	x, err := expression.Parse(src)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", t, err)
	}
	return src, x, nil
}

// gap is left less right of the comparison, with another number in the threshold's place.
func (t Threshold) gap(v float64) (*expression.Expr, error) {
	src, _, err := t.with(v)
	if err != nil {
		return nil, err
	}
	tree, err := parser.Parse(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	var found *ast.BinaryNode
	var walk func(n ast.Node, in *ast.BinaryNode)
	walk = func(n ast.Node, in *ast.BinaryNode) {
		if b, ok := n.(*ast.BinaryNode); ok && compares(b.Operator) {
			in = b
		}
		if _, ok := literal(n); ok && n.Location().From == t.from {
			found = in
		}
		for _, c := range children(n) {
			walk(c, in)
		}
	}
	walk(tree.Node, nil)
	if found == nil {
		return nil, fmt.Errorf("%s: no comparison", t)
	}
	x, err := expression.Parse("(" + found.Left.String() + ") - (" + found.Right.String() + ")")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	return x, nil
}

package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/inferdx/inferdx/internal/model"
)

// Leaf is one comparison of a condition, as evidence.
type Leaf struct {
	Source string
	Signal string // the quantity on the left, "" when it is not a single one
	Value  model.Value
	Known  bool
	Truth  Truth
	Names  []string
}

// Leaves lists the comparisons under and, or, not, with their outcome.
func (e *Expr) Leaves(env Env) []Leaf {
	var out []Leaf
	var walk func(n ast.Node, negated bool)
	walk = func(n ast.Node, negated bool) {
		switch n := n.(type) {
		case *ast.UnaryNode:
			if n.Operator == "not" || n.Operator == "!" {
				walk(n.Node, !negated)
				return
			}
		case *ast.BinaryNode:
			switch n.Operator {
			case "and", "&&", "or", "||":
				walk(n.Left, negated)
				walk(n.Right, negated)
				return
			}
		}
		out = append(out, leaf(n, negated, env))
	}
	walk(e.tree, false)
	return out
}

func leaf(n ast.Node, negated bool, env Env) Leaf {
	sub := &Expr{tree: n}
	_ = sub.check(n) // the whole was checked at Parse; this only collects names
	sub.root = sub.compile(n)
	l := Leaf{Source: n.String(), Truth: sub.Truth(env), Names: sub.keys}
	if negated {
		l.Truth = -l.Truth
		l.Source = "not " + l.Source
	}
	if b, ok := n.(*ast.BinaryNode); ok {
		left := sub.compile(b.Left)
		at := look{x: sub, env: env}
		l.Value, l.Known = at.value(&left)
		if id, ok := b.Left.(*ast.IdentifierNode); ok {
			l.Signal = id.Value
		}
	}
	return l
}

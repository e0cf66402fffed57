package expression

import (
	"github.com/expr-lang/expr/ast"

	"github.com/inferdx/inferdx/internal/model"
)

// Truth is three-valued, after Kleene: false and unknown is false, true or unknown is true.
type Truth int8

// The three truths, ordered so that and is the smaller and or the larger.
const (
	False   Truth = -1
	Unknown Truth = 0
	True    Truth = 1
)

// String names the truth.
func (t Truth) String() string {
	return map[Truth]string{False: "false", Unknown: "unknown", True: "true"}[t]
}

// Truth evaluates a condition.
func (e *Expr) Truth(env Env) Truth { return truth(e.root, env) }

func truth(n ast.Node, env Env) Truth {
	switch n := n.(type) {
	case *ast.BoolNode:
		return known(n.Value)
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return -truth(n.Node, env)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return min(truth(n.Left, env), truth(n.Right, env))
		case "or", "||":
			return max(truth(n.Left, env), truth(n.Right, env))
		case "==", "!=", "<", "<=", ">", ">=":
			return compare(n, env)
		}
	case *ast.CallNode:
		id, _ := n.Callee.(*ast.IdentifierNode)
		if t, ok := presence(id.Value, n.Arguments, env); ok {
			return t
		}
	}
	// A bare quantity is a yes or no fact: 0 is no.
	x, ok := number(n, env)
	if !ok {
		return Unknown
	}
	return notEqual(x, exact(0))
}

func known(b bool) Truth {
	if b {
		return True
	}
	return False
}

func presence(name string, args []ast.Node, env Env) (Truth, bool) {
	if name != "seen" && name != "explicit" {
		return Unknown, false
	}
	id, ok := args[0].(*ast.IdentifierNode)
	if !ok {
		return Unknown, false
	}
	if name == "explicit" {
		return known(env.Explicit(id.Value)), true
	}
	if _, ok := env.Number(id.Value); ok {
		return True, true
	}
	_, ok = env.Text(id.Value)
	return known(ok), true
}

func compare(n *ast.BinaryNode, env Env) Truth {
	if s, ok := n.Right.(*ast.StringNode); ok {
		id, ok := n.Left.(*ast.IdentifierNode)
		if !ok {
			return Unknown
		}
		got, ok := env.Text(id.Value)
		switch {
		case !ok:
			return Unknown
		case n.Operator == "!=":
			return known(got != s.Value)
		default:
			return known(got == s.Value)
		}
	}
	a, ok := number(n.Left, env)
	if !ok {
		return Unknown
	}
	b, ok := number(n.Right, env)
	if !ok {
		return Unknown
	}
	return relate(n.Operator, a, b)
}

func relate(op string, a, b interval) Truth {
	switch op {
	case "<":
		return less(a, b)
	case ">":
		return less(b, a)
	case "<=":
		return -less(b, a)
	case ">=":
		return -less(a, b)
	case "!=":
		return notEqual(a, b)
	default:
		return -notEqual(a, b)
	}
}

// less is a < b: true when every pair is, false when none is. A bound's open end never touches:
// "above 160 s" is not less than 160 s.
func less(a, b interval) Truth {
	switch {
	case a.hi < b.lo:
		return True
	case a.lo >= b.hi:
		return False
	}
	return Unknown
}

func notEqual(a, b interval) Truth {
	switch {
	case a.hi < b.lo || b.hi < a.lo:
		return True
	case a.lo == a.hi && b.lo == b.hi:
		return known(a.lo != b.lo)
	}
	return Unknown
}

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
	walk(e.root, false)
	return out
}

func leaf(n ast.Node, negated bool, env Env) Leaf {
	l := Leaf{Source: n.String(), Truth: truth(n, env)}
	if negated {
		l.Truth = -l.Truth
		l.Source = "not " + l.Source
	}
	sub := &Expr{root: n}
	_ = sub.check(n) // the whole was checked at Parse; this only collects names
	for _, x := range sub.names {
		id := x.ID
		if x.Over != "" {
			id = Member(x.Over, x.ID)
		}
		l.Names = append(l.Names, id)
	}
	if b, ok := n.(*ast.BinaryNode); ok {
		if v, ok := number(b.Left, env); ok {
			l.Value, l.Known = v.value()
		}
		if id, ok := b.Left.(*ast.IdentifierNode); ok {
			l.Signal = id.Value
		}
	}
	return l
}

package signals

import (
	"fmt"
	"math"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// formula renders a derived signal: operands in parentheses, which all carry the labels of o.By and
// so find each other. Division by zero leaves no series, as it leaves no value in a frame.
func (q *query) formula(src string) (operand, error) {
	tree, err := parser.Parse(src)
	if err != nil {
		return operand{}, fmt.Errorf("parse %s: %w", src, err)
	}
	return q.node(tree.Node)
}

// enough leaves a derived signal out where what it must be derived from is too little.
func (q *query) enough(x operand, least Least) (operand, error) {
	of, err := q.signal(least.Of.S)
	if err != nil || of.scalar {
		return x, err
	}
	return operand{text: x.in() + " and " + of.in() + " >= " + literal(least.N).text}, nil
}

func (q *query) node(n ast.Node) (operand, error) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return literal(float64(n.Value)), nil
	case *ast.FloatNode:
		return literal(n.Value), nil
	case *ast.IdentifierNode:
		return q.signal(n.Value)
	case *ast.UnaryNode:
		x, err := q.node(n.Node)
		switch {
		case err != nil || n.Operator == "+":
			return x, err
		case n.Operator == "-" && x.scalar:
			return literal(-x.num), nil
		case n.Operator == "-":
			return operand{text: "-" + x.in()}, nil
		}
		return operand{}, unsayable("operator %s gives no number", n.Operator)
	case *ast.BinaryNode:
		return q.binary(n)
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			return q.call(id.Value, n.Arguments)
		}
	case *ast.BuiltinNode:
		return q.call(n.Name, n.Arguments)
	}
	return operand{}, unsayable("%s stands in the formula", n)
}

func (q *query) binary(n *ast.BinaryNode) (operand, error) {
	a, err := q.node(n.Left)
	if err != nil {
		return a, err
	}
	b, err := q.node(n.Right)
	if err != nil {
		return b, err
	}
	op := n.Operator
	switch op {
	case "+", "-", "*":
	case "**", "^":
		op = "^"
	case "/":
		if b.scalar && b.num == 0 {
			return operand{}, fmt.Errorf("%w: division by zero", errUnread)
		}
		if !b.scalar {
			b = operand{text: b.in() + " != 0"}
		}
	default:
		return operand{}, unsayable("operator %s gives no number", op)
	}
	if a.scalar && b.scalar {
		return literal(arithmetic(op, a.num, b.num)), nil
	}
	return operand{text: a.in() + " " + op + " " + b.in()}, nil
}

func arithmetic(op string, a, b float64) float64 {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	default:
		return math.Pow(a, b)
	}
}

func (q *query) call(name string, args []ast.Node) (operand, error) {
	if name == "first" {
		return q.first(args)
	}
	xs := make([]operand, len(args))
	for i, a := range args {
		x, err := q.node(a)
		if err != nil {
			return x, err
		}
		xs[i] = x
	}
	switch name {
	case "max", "min":
		if len(xs) < 2 {
			return operand{}, unsayable("%s reads the members of a wider entity", name)
		}
		out := xs[0]
		for _, x := range xs[1:] {
			out = extreme(name, out, x)
		}
		return out, nil
	case "abs", "ceil", "floor", "round", "sqrt", "log2":
		if !xs[0].scalar {
			return operand{text: name + "(" + xs[0].text + ")"}, nil
		}
	case "pow2":
		if !xs[0].scalar {
			return operand{text: "2 ^ ceil(log2(clamp_min(" + xs[0].text + ", 1)))"}, nil
		}
	}
	return operand{}, unsayable("%s() has no counterpart", name)
}

// extreme is the larger or smaller of two that are both there; PromQL has only clamps and filters.
func extreme(name string, a, b operand) operand {
	clamp, keep, other := "clamp_min", " >= ", " > "
	pick := math.Max
	if name == "min" {
		clamp, keep, other = "clamp_max", " <= ", " < "
		pick = math.Min
	}
	switch {
	case a.scalar && b.scalar:
		return literal(pick(a.num, b.num))
	case a.scalar:
		return operand{text: clamp + "(" + b.text + ", " + a.text + ")"}
	case b.scalar:
		return operand{text: clamp + "(" + a.text + ", " + b.text + ")"}
	}
	return operand{text: "(" + a.in() + keep + b.in() + ") or (" + b.in() + other + a.in() + ")"}
}

// first takes the first operand that has an answer. Those that the dialect never gives are left out;
// one that PromQL cannot say might be the answer, so that nothing can be rendered then.
func (q *query) first(args []ast.Node) (operand, error) {
	var xs []operand
	var last error
	for _, a := range args {
		x, err := q.node(a)
		switch {
		case isUnread(err):
			last = err
			continue
		case err != nil:
			return x, err
		case x.scalar && len(xs) == 0:
			return x, nil
		case x.scalar && len(q.o.By) > 0:
			return x, unsayable("a number carries no labels to fall back to")
		case x.scalar:
			xs = append(xs, operand{text: "vector(" + x.text + ")"})
		default:
			xs = append(xs, x)
		}
	}
	switch len(xs) {
	case 0:
		return operand{}, last
	case 1:
		return xs[0], nil
	}
	texts := make([]string, len(xs))
	for i, x := range xs {
		texts[i] = x.in()
	}
	return operand{text: strings.Join(texts, " or ")}, nil
}

package expression

import (
	"math"

	"github.com/expr-lang/expr/ast"

	"github.com/inferdx/inferdx/internal/model"
)

// interval is what is known of a number: it lies in [lo, hi]. n counts observations behind it.
type interval struct{ lo, hi, n float64 }

func exact(v float64) interval { return interval{v, v, 0} }

// from widens a bounded value. Quantities that carry bounds are times, counts and ratios: never below 0.
func from(v model.Value) interval {
	switch v.Bound {
	case model.AtMost:
		return interval{0, v.V, v.N}
	case model.AtLeast:
		return interval{v.V, math.Inf(1), v.N}
	default:
		return interval{v.V, v.V, v.N}
	}
}

// value turns an interval back; false when it says nothing in one direction.
func (i interval) value() (model.Value, bool) {
	switch {
	case math.IsNaN(i.lo) || math.IsNaN(i.hi):
		return model.Value{}, false
	case i.lo == i.hi && !math.IsInf(i.lo, 0):
		return model.Value{V: i.lo, N: i.n}, true
	case math.IsInf(i.hi, 1) && !math.IsInf(i.lo, -1):
		return model.Value{V: i.lo, Bound: model.AtLeast, N: i.n}, true
	case !math.IsInf(i.hi, 1):
		return model.Value{V: i.hi, Bound: model.AtMost, N: i.n}, true
	}
	return model.Value{}, false
}

// Number evaluates to a quantity. False means unknown: an operand is absent, or a division by zero.
func (e *Expr) Number(env Env) (model.Value, bool) {
	i, ok := number(e.root, env)
	if !ok {
		return model.Value{}, false
	}
	return i.value()
}

func number(n ast.Node, env Env) (interval, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return exact(float64(n.Value)), true
	case *ast.FloatNode:
		return exact(n.Value), true
	case *ast.BoolNode:
		if n.Value {
			return exact(1), true
		}
		return exact(0), true
	case *ast.IdentifierNode:
		v, ok := env.Number(n.Value)
		return from(v), ok
	case *ast.UnaryNode:
		x, ok := number(n.Node, env)
		if n.Operator == "-" {
			return interval{-x.hi, -x.lo, x.n}, ok
		}
		return x, ok
	case *ast.BinaryNode:
		return arithmetic(n, env)
	case *ast.CallNode:
		id, _ := n.Callee.(*ast.IdentifierNode)
		return call(id.Value, n.Arguments, env)
	case *ast.BuiltinNode:
		return call(n.Name, n.Arguments, env)
	}
	return interval{}, false
}

func arithmetic(n *ast.BinaryNode, env Env) (interval, bool) {
	a, ok := number(n.Left, env)
	if !ok {
		return a, false
	}
	b, ok := number(n.Right, env)
	if !ok {
		return b, false
	}
	out := interval{n: fewer(a.n, b.n)}
	switch n.Operator {
	case "+":
		out.lo, out.hi = a.lo+b.lo, a.hi+b.hi
	case "-":
		out.lo, out.hi = a.lo-b.hi, a.hi-b.lo
	case "*":
		out.lo, out.hi = span(a, b, func(x, y float64) float64 { return x * y })
	case "/":
		if b.lo <= 0 && b.hi >= 0 {
			if b.lo < 0 || b.hi == 0 || a.lo < 0 {
				return out, false
			}
			return interval{a.lo / b.hi, math.Inf(1), out.n}, true
		}
		out.lo, out.hi = span(a, b, func(x, y float64) float64 { return x / y })
	case "**", "^":
		out.lo, out.hi = span(a, b, math.Pow)
	default:
		return out, false
	}
	return out, !math.IsNaN(out.lo) && !math.IsNaN(out.hi)
}

// span is the range of a function over the corners of two intervals.
func span(a, b interval, f func(x, y float64) float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, x := range []float64{a.lo, a.hi} {
		for _, y := range []float64{b.lo, b.hi} {
			v := f(x, y)
			if math.IsNaN(v) { // 0 * Inf, Inf / Inf: the corner says nothing new
				v = 0
			}
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi
}

func fewer(a, b float64) float64 {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

func call(name string, args []ast.Node, env Env) (interval, bool) {
	if id, ok := args[0].(*ast.IdentifierNode); ok && len(args) == 1 && overMembers(name) {
		v, ok := env.Number(Member(name, id.Value))
		return from(v), ok
	}
	if name == "first" {
		for _, a := range args {
			if x, ok := number(a, env); ok {
				return x, true
			}
		}
		return interval{}, false
	}
	x, ok := number(args[0], env)
	if !ok {
		return x, false
	}
	for _, a := range args[1:] {
		y, ok := number(a, env)
		if !ok {
			return y, false
		}
		f := math.Max
		if name == "min" {
			f = math.Min
		}
		x = interval{f(x.lo, y.lo), f(x.hi, y.hi), fewer(x.n, y.n)}
	}
	return rising(name, x)
}

// rising applies a function of one argument that never falls; abs is the exception.
func rising(name string, x interval) (interval, bool) {
	var f func(float64) float64
	switch name {
	case "max", "min":
		return x, true
	case "abs":
		if x.lo < 0 && x.hi > 0 {
			return interval{0, math.Max(-x.lo, x.hi), x.n}, true
		}
		lo, hi := math.Abs(x.lo), math.Abs(x.hi)
		return interval{min(lo, hi), max(lo, hi), x.n}, true
	case "ceil":
		f = math.Ceil
	case "floor":
		f = math.Floor
	case "round":
		f = math.Round
	case "sqrt":
		f = math.Sqrt
	case "log2":
		f = math.Log2
	case "pow2": // the next power of two
		f = func(v float64) float64 { return math.Pow(2, math.Ceil(math.Log2(math.Max(v, 1)))) }
	default:
		return x, false
	}
	return interval{f(x.lo), f(x.hi), x.n}, true
}

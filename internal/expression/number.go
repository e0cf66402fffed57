package expression

import (
	"math"

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
		if v.Most > v.V {
			return interval{v.V, v.Most, v.N}
		}
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
	case i.lo > 0 && !math.IsInf(i.hi, 1):
		return model.Value{V: i.lo, Bound: model.AtLeast, Most: i.hi, N: i.n}, true
	case !math.IsInf(i.hi, 1):
		return model.Value{V: i.hi, Bound: model.AtMost, N: i.n}, true
	}
	return model.Value{}, false
}

// Number evaluates to a quantity. False means unknown: an operand is absent, or a division by zero.
func (e *Expr) Number(env Env) (model.Value, bool) {
	l := look{x: e, env: env}
	return l.value(&e.root)
}

func (l *look) value(n *node) (model.Value, bool) {
	i, ok := l.eval(n)
	if !ok {
		return model.Value{}, false
	}
	return i.value()
}

func (l *look) eval(n *node) (interval, bool) {
	switch {
	case n.op == opNumber:
		return exact(n.num), true
	case n.op == opRef:
		v, ok := l.number(n.ref)
		return from(v), ok
	case n.op == opNegate:
		x, ok := l.eval(&n.args[0])
		return interval{-x.hi, -x.lo, x.n}, ok
	case n.op == opPlus || n.op == opNot:
		return l.eval(&n.args[0])
	case n.op >= opAdd && n.op <= opPower:
		return l.arithmetic(n)
	case n.op == opFirst:
		for i := range n.args {
			if x, ok := l.eval(&n.args[i]); ok {
				return x, true
			}
		}
	case n.op > opFirst:
		return l.call(n)
	}
	return interval{}, false
}

func (l *look) arithmetic(n *node) (interval, bool) {
	a, ok := l.eval(&n.args[0])
	if !ok {
		return a, false
	}
	b, ok := l.eval(&n.args[1])
	if !ok {
		return b, false
	}
	out := interval{n: fewer(a.n, b.n)}
	switch n.op {
	case opAdd:
		out.lo, out.hi = a.lo+b.lo, a.hi+b.hi
	case opSubtract:
		out.lo, out.hi = a.lo-b.hi, a.hi-b.lo
	case opMultiply:
		out.lo, out.hi = span(a, b, func(x, y float64) float64 { return x * y })
	case opDivide:
		if b.lo <= 0 && b.hi >= 0 {
			if b.lo < 0 || b.hi == 0 || a.lo < 0 {
				return out, false
			}
			return interval{a.lo / b.hi, math.Inf(1), out.n}, true
		}
		out.lo, out.hi = span(a, b, func(x, y float64) float64 { return x / y })
	default:
		out.lo, out.hi = span(a, b, math.Pow)
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

func (l *look) call(n *node) (interval, bool) {
	x, ok := l.eval(&n.args[0])
	if !ok {
		return x, false
	}
	for i := range n.args[1:] {
		y, ok := l.eval(&n.args[1+i])
		if !ok {
			return y, false
		}
		f := math.Max
		if n.op == opMin {
			f = math.Min
		}
		x = interval{f(x.lo, y.lo), f(x.hi, y.hi), fewer(x.n, y.n)}
	}
	return rising(n.op, x)
}

// rising applies a function of one argument that never falls; abs is the exception.
func rising(fn op, x interval) (interval, bool) {
	var f func(float64) float64
	switch fn {
	case opMax, opMin:
		return x, true
	case opAbs:
		if x.lo < 0 && x.hi > 0 {
			return interval{0, math.Max(-x.lo, x.hi), x.n}, true
		}
		lo, hi := math.Abs(x.lo), math.Abs(x.hi)
		return interval{min(lo, hi), max(lo, hi), x.n}, true
	case opCeil:
		f = math.Ceil
	case opFloor:
		f = math.Floor
	case opRound:
		f = math.Round
	case opSqrt:
		f = math.Sqrt
	case opLog2:
		f = math.Log2
	case opPow2: // the next power of two
		f = func(v float64) float64 { return math.Pow(2, math.Ceil(math.Log2(math.Max(v, 1)))) }
	default:
		return x, false
	}
	return interval{f(x.lo), f(x.hi), x.n}, true
}

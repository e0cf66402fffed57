package expression

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
func (e *Expr) Truth(env Env) Truth {
	l := look{x: e, env: env}
	return l.truth(&e.root)
}

func (l *look) truth(n *node) Truth {
	switch n.op {
	case opNot:
		return -l.truth(&n.args[0])
	case opAnd:
		left := l.truth(&n.args[0])
		if left == False {
			return False
		}
		return min(left, l.truth(&n.args[1]))
	case opOr:
		left := l.truth(&n.args[0])
		if left == True {
			return True
		}
		return max(left, l.truth(&n.args[1]))
	case opIs, opIsNot:
		got, ok := l.text(n.ref)
		if !ok {
			return Unknown
		}
		return known((got == n.text) == (n.op == opIs))
	case opExplicit:
		return known(l.explicit(n.ref))
	case opSeen:
		if _, ok := l.number(n.ref); ok {
			return True
		}
		_, ok := l.text(n.ref)
		return known(ok)
	case opEqual, opNotEqual, opLess, opLessEqual, opGreater, opGreaterEqual:
		return l.compare(n)
	}
	// A bare quantity is a yes or no fact: 0 is no.
	x, ok := l.eval(n)
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

func (l *look) compare(n *node) Truth {
	a, ok := l.eval(&n.args[0])
	if !ok {
		return Unknown
	}
	b, ok := l.eval(&n.args[1])
	if !ok {
		return Unknown
	}
	switch n.op {
	case opLess:
		return less(a, b)
	case opGreater:
		return less(b, a)
	case opLessEqual:
		return -less(b, a)
	case opGreaterEqual:
		return -less(a, b)
	case opNotEqual:
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

package expression

import (
	"github.com/expr-lang/expr/ast"
)

// node is a checked expression in the form that is evaluated: names are indices, operators numbers.
type node struct {
	op   op
	num  float64 // of opNumber
	text string  // of opIs, opIsNot
	ref  int     // of opRef, opIs, opIsNot, opSeen, opExplicit: index of Expr.names
	args []node
}

type op uint8

const (
	opNone op = iota // what has no value: a word that nothing is compared with
	opNumber
	opRef
	opIs    // a fact is a word
	opIsNot // a fact is another word
	opSeen
	opExplicit
	opNot
	opAnd
	opOr
	opEqual
	opNotEqual
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opNegate
	opPlus // a sign without effect
	opAdd
	opSubtract
	opMultiply
	opDivide
	opPower
	opFirst
	opMax
	opMin
	opAbs
	opCeil
	opFloor
	opRound
	opSqrt
	opLog2
	opPow2
)

var unaries = map[string]op{"not": opNot, "!": opNot, "-": opNegate, "+": opPlus}

var binaries = map[string]op{
	"and": opAnd, "&&": opAnd, "or": opOr, "||": opOr,
	"==": opEqual, "!=": opNotEqual, "<": opLess, "<=": opLessEqual, ">": opGreater, ">=": opGreaterEqual,
	"+": opAdd, "-": opSubtract, "*": opMultiply, "/": opDivide, "**": opPower, "^": opPower,
}

var calls = map[string]op{
	"first": opFirst, "max": opMax, "min": opMin, "abs": opAbs, "ceil": opCeil, "floor": opFloor,
	"round": opRound, "sqrt": opSqrt, "log2": opLog2, "pow2": opPow2,
}

// compile turns a checked tree into nodes. What check lets pass but has no value becomes opNone.
func (e *Expr) compile(n ast.Node) node {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return node{op: opNumber, num: float64(n.Value)}
	case *ast.FloatNode:
		return node{op: opNumber, num: n.Value}
	case *ast.BoolNode:
		if n.Value {
			return node{op: opNumber, num: 1}
		}
		return node{op: opNumber}
	case *ast.IdentifierNode:
		return node{op: opRef, ref: e.ref(n.Value, "")}
	case *ast.UnaryNode:
		return node{op: unaries[n.Operator], args: []node{e.compile(n.Node)}}
	case *ast.BinaryNode:
		return e.compileBinary(n)
	case *ast.CallNode:
		id, _ := n.Callee.(*ast.IdentifierNode)
		return e.compileCall(id.Value, n.Arguments)
	case *ast.BuiltinNode:
		return e.compileCall(n.Name, n.Arguments)
	}
	return node{}
}

func (e *Expr) compileBinary(n *ast.BinaryNode) node {
	if s, ok := n.Right.(*ast.StringNode); ok && binaries[n.Operator] >= opEqual && binaries[n.Operator] <= opGreaterEqual {
		id, ok := n.Left.(*ast.IdentifierNode)
		switch {
		case !ok:
			return node{}
		case n.Operator == "!=":
			return node{op: opIsNot, ref: e.ref(id.Value, ""), text: s.Value}
		default:
			return node{op: opIs, ref: e.ref(id.Value, ""), text: s.Value}
		}
	}
	return node{op: binaries[n.Operator], args: []node{e.compile(n.Left), e.compile(n.Right)}}
}

func (e *Expr) compileCall(name string, args []ast.Node) node {
	if id, ok := args[0].(*ast.IdentifierNode); ok && len(args) == 1 {
		switch {
		case overMembers(name):
			return node{op: opRef, ref: e.ref(id.Value, name)}
		case name == "seen":
			return node{op: opSeen, ref: e.ref(id.Value, "")}
		case name == "explicit":
			return node{op: opExplicit, ref: e.ref(id.Value, "")}
		}
	}
	if inner, ok := folded(args[0]); ok && name == "seen" {
		return node{op: opSeen, ref: e.ref(inner.of, inner.over)}
	}
	out := node{op: calls[name]} // seen and explicit of anything else have no value
	for _, a := range args {
		out.args = append(out.args, e.compile(a))
	}
	return out
}

// fold is a call that reads the members of a wider entity: max(running).
type fold struct{ over, of string }

// folded says whether a node is a fold: seen(max(running)) asks whether any member has it.
func folded(n ast.Node) (fold, bool) {
	var name string
	var args []ast.Node
	switch n := n.(type) {
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			name, args = id.Value, n.Arguments
		}
	case *ast.BuiltinNode:
		name, args = n.Name, n.Arguments
	}
	if !overMembers(name) || len(args) != 1 {
		return fold{}, false
	}
	id, ok := args[0].(*ast.IdentifierNode)
	if !ok {
		return fold{}, false
	}
	return fold{name, id.Value}, true
}

func (e *Expr) ref(id, over string) int {
	for i, x := range e.names {
		if x.ID == id && x.Over == over {
			return i
		}
	}
	return -1
}

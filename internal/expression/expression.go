// Package expression is the language of rules, playbooks, formulas and knob values: arithmetic and
// comparisons over named quantities, joined by and, or, not. It parses with expr-lang and evaluates
// by itself, because every quantity may be absent or known only as a bound: the result is then
// unknown, or as certain as the bounds allow.
package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"

	"github.com/inferdx/inferdx/internal/model"
)

// Env supplies quantities. Number returns false for what was not seen; Text is for facts that are words.
// Explicit says whether the operator set the fact.
type Env interface {
	Number(name string) (model.Value, bool)
	Text(name string) (string, bool)
	Explicit(name string) bool
}

// Expr is a checked expression. It is read-only and safe for concurrent use.
type Expr struct {
	src   string
	tree  ast.Node
	root  node
	names []Name
	keys  []string // what an Env is asked for, by index of names
}

// Name is a quantity that an expression reads. Over is max, min, sum, avg or spread when it is read
// over the members of a wider entity, else "".
type Name struct {
	ID   string
	Over string
	Off  int // byte offset in the source
	Text bool
}

// SyntaxError says where an expression is wrong: a byte offset and a width.
type SyntaxError struct {
	Off, Len int
	Msg      string
}

func (e *SyntaxError) Error() string { return e.Msg }

// Parse checks an expression. The error is a *SyntaxError.
func Parse(src string) (*Expr, error) {
	if strings.TrimSpace(src) == "" {
		return nil, &SyntaxError{0, 1, "empty expression"}
	}
	tree, err := parser.Parse(src)
	if err != nil {
		var fe *file.Error
		if errors.As(err, &fe) {
			return nil, &SyntaxError{fe.From, max(fe.To-fe.From, 1), fe.Message}
		}
		return nil, &SyntaxError{0, len(src), err.Error()}
	}
	e := &Expr{src: src, tree: tree.Node}
	if err := e.check(tree.Node); err != nil {
		return nil, err
	}
	e.root = e.compile(tree.Node)
	return e, nil
}

// Source is the text that was parsed.
func (e *Expr) Source() string { return e.src }

// Names lists the quantities in order of appearance, each once.
func (e *Expr) Names() []Name { return e.names }

// check refuses every construct whose meaning with absent operands is not defined here.
func (e *Expr) check(n ast.Node) error {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		e.add(Name{ID: n.Value, Off: n.Location().From})
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
	case *ast.UnaryNode:
		if !slices.Contains([]string{"not", "!", "-", "+"}, n.Operator) {
			return at(n, "operator "+n.Operator+" is not supported")
		}
		return e.check(n.Node)
	case *ast.BinaryNode:
		return e.checkBinary(n)
	case *ast.CallNode:
		id, ok := n.Callee.(*ast.IdentifierNode)
		if !ok {
			return at(n, "only functions can be called")
		}
		return e.checkCall(n, id.Value, n.Arguments)
	case *ast.BuiltinNode:
		return e.checkCall(n, n.Name, n.Arguments)
	default:
		return at(n, fmt.Sprintf("%s is not supported here", strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", n), "*ast."), "Node")))
	}
	return nil
}

var binaryOperators = []string{"and", "&&", "or", "||", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "**", "^"}

func (e *Expr) checkBinary(n *ast.BinaryNode) error {
	if !slices.Contains(binaryOperators, n.Operator) {
		return at(n, "operator "+n.Operator+" is not supported")
	}
	if id, ok := n.Left.(*ast.IdentifierNode); ok {
		if _, text := n.Right.(*ast.StringNode); text {
			e.add(Name{ID: id.Value, Off: id.Location().From, Text: true})
			return nil
		}
	}
	if err := e.check(n.Left); err != nil {
		return err
	}
	return e.check(n.Right)
}

// arity of the functions; -1 takes one or more. A single name makes max, min, sum, avg and spread
// read the members of a wider entity.
var functions = map[string]int{
	"seen": 1, "explicit": 1, "first": -1, "max": -1, "min": -1, "sum": 1, "avg": 1, "spread": 1, "count": 1,
	"abs": 1, "ceil": 1, "floor": 1, "round": 1, "sqrt": 1, "log2": 1, "pow2": 1,
}

func (e *Expr) checkCall(n ast.Node, name string, args []ast.Node) error {
	want, ok := functions[name]
	if !ok {
		return at(n, "unknown function "+name)
	}
	if want > 0 && len(args) != want || len(args) == 0 {
		return at(n, fmt.Sprintf("%s takes %d argument(s), got %d", name, max(want, 1), len(args)))
	}
	if id, ok := args[0].(*ast.IdentifierNode); ok && len(args) == 1 {
		if overMembers(name) {
			e.add(Name{ID: id.Value, Over: name, Off: id.Location().From})
			return nil
		}
		if name == "seen" || name == "explicit" {
			e.add(Name{ID: id.Value, Off: id.Location().From})
			return nil
		}
	}
	for _, a := range args {
		if err := e.check(a); err != nil {
			return err
		}
	}
	return nil
}

func overMembers(name string) bool {
	switch name {
	case "max", "min", "sum", "avg", "spread", "count":
		return true
	}
	return false
}

func (e *Expr) add(n Name) {
	for _, x := range e.names {
		if x.ID == n.ID && x.Over == n.Over {
			return
		}
	}
	e.names = append(e.names, n)
	key := n.ID
	if n.Over != "" {
		key = Member(n.Over, n.ID)
	}
	e.keys = append(e.keys, key)
}

func at(n ast.Node, msg string) error {
	l := n.Location()
	return &SyntaxError{l.From, max(l.To-l.From, 1), msg}
}

// Member is the name under which an Env is asked for a fold over members.
func Member(over, id string) string { return over + "(" + id + ")" }

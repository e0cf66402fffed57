package template

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	tt "text/template"
	"text/template/parse"
	"time"
)

// The bounds of one rendering. The built-in text of 200 targets takes 6,000 steps and some
// milliseconds.
const (
	maxOutput = 64 << 10
	maxSteps  = 50_000
	maxTime   = 2 * time.Second
)

// cutMark ends an output that was cut.
const cutMark = "\n… (cut at 64 KiB)"

var errFull = errors.New("output is full")

// run is one execution: what its functions share.
type run struct {
	format format
	steps  int
	until  time.Time
}

// tick is called wherever a template can repeat itself.
func (r *run) tick() (Safe, error) {
	r.steps++
	if r.steps > maxSteps {
		return "", fmt.Errorf("stopped after %d steps", maxSteps)
	}
	if r.steps%256 == 0 && time.Now().After(r.until) {
		return "", fmt.Errorf("stopped after %s", maxTime)
	}
	return "", nil
}

// execute runs one template. Output beyond the cap is cut and marked.
func execute(t *tt.Template, name string, f format, data any, option string) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = "", fmt.Errorf("template %q: panic: %v", name, p)
		}
	}()
	r := &run{format: f, until: time.Now().Add(maxTime)}
	if t, err = t.Clone(); err != nil {
		return "", fmt.Errorf("template %q: %w", name, err)
	}
	t = t.Lookup(name)
	if t == nil {
		return "", fmt.Errorf("template %q is not defined", name)
	}
	w := &capped{left: maxOutput}
	if err := t.Funcs(r.funcs()).Option(option).Execute(w, data); err != nil && !w.full {
		return "", err
	}
	out = tidy(w.b.String())
	if w.full {
		out = cut(out, maxOutput-len(cutMark)) + cutMark
	}
	return out, nil
}

type capped struct {
	b    bytes.Buffer
	left int
	full bool
}

func (c *capped) Write(p []byte) (int, error) {
	if len(p) > c.left {
		c.b.Write(p[:c.left])
		c.left, c.full = 0, true
		return 0, errFull
	}
	c.left -= len(p)
	return c.b.Write(p)
}

// The names under which templates call the guards.
const (
	tickName = "_tick"
	outName  = "_out"
)

// guard counts a template's steps and sends all that it prints through the format's escaping.
func guard(l *parse.ListNode, counted bool) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		switch n := n.(type) {
		case *parse.ActionNode:
			if len(n.Pipe.Decl) == 0 {
				n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
					NodeType: parse.NodeCommand, Pos: n.Pos,
					Args: []parse.Node{parse.NewIdentifier(outName).SetPos(n.Pos).SetTree(nil)},
				})
			}
		case *parse.IfNode:
			guard(n.List, false)
			guard(n.ElseList, false)
		case *parse.WithNode:
			guard(n.List, false)
			guard(n.ElseList, false)
		case *parse.RangeNode:
			guard(n.List, true)
			guard(n.ElseList, false)
		}
	}
	if counted {
		l.Nodes = slices.Insert(l.Nodes, 0, parse.Node(tickNode(l.Pos)))
	}
}

func tickNode(pos parse.Pos) *parse.ActionNode {
	return &parse.ActionNode{NodeType: parse.NodeAction, Pos: pos, Pipe: &parse.PipeNode{
		NodeType: parse.NodePipe, Pos: pos,
		Cmds: []*parse.CommandNode{{
			NodeType: parse.NodeCommand, Pos: pos,
			Args: []parse.Node{parse.NewIdentifier(tickName).SetPos(pos).SetTree(nil)},
		}},
	}}
}

func walk(n parse.Node, f func(parse.Node)) {
	f(n)
	branch := func(b *parse.BranchNode) {
		walk(b.List, f)
		if b.ElseList != nil {
			walk(b.ElseList, f)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, c := range n.Nodes {
			walk(c, f)
		}
	case *parse.IfNode:
		branch(&n.BranchNode)
	case *parse.WithNode:
		branch(&n.BranchNode)
	case *parse.RangeNode:
		branch(&n.BranchNode)
	}
}

package expression

import "github.com/inferdx/inferdx/internal/model"

// look reads the names of one expression: by name from an Env, or by slot from a frame.
type look struct {
	x   *Expr
	env Env // nil: from the frame

	f     *model.Frame
	id    model.EntityID
	slots []model.Slot // by index of names
	told  []bool       // by index of names: it may be a fact
	alone bool         // members are not read
}

func (l *look) number(ref int) (model.Value, bool) {
	if l.env != nil {
		return l.env.Number(l.x.keys[ref])
	}
	if n := &l.x.names[ref]; n.Over != "" {
		if l.alone {
			return model.Value{}, false
		}
		return entityEnv{l.f, l.id}.fold(n.Over, n.ID)
	}
	if v, ok := l.f.In(l.slots[ref], l.id); ok {
		return v, true
	}
	if !l.told[ref] {
		return model.Value{}, false
	}
	if x, ok := l.f.Fact(l.id, l.x.keys[ref]); ok && x.IsNum {
		return model.Known(x.Num), true
	}
	return model.Value{}, false
}

func (l *look) text(ref int) (string, bool) {
	if l.env != nil {
		return l.env.Text(l.x.keys[ref])
	}
	x, ok := l.f.Fact(l.id, l.x.keys[ref])
	return x.Text, ok
}

func (l *look) explicit(ref int) bool {
	if l.env != nil {
		return l.env.Explicit(l.x.keys[ref])
	}
	x, ok := l.f.Fact(l.id, l.x.keys[ref])
	return ok && x.Explicit
}

// Over is an expression whose names were looked up in a frame once, to be evaluated for many of its
// entities. It answers as Of does. It is not safe for concurrent use.
type Over struct{ look look }

// Over looks an expression up in a finished frame.
func (e *Expr) Over(f *model.Frame) *Over {
	o := e.over(f)
	for i, n := range e.names {
		o.look.slots[i] = f.Slot(n.ID)
	}
	return o
}

// Within looks an expression up in a frame that is being built. Signals set later are seen; facts set
// later may not be, and members never are.
func (e *Expr) Within(b *model.FrameBuilder) *Over {
	o := e.over(b.Frame())
	o.look.alone = true
	for i, n := range e.names {
		o.look.slots[i] = b.Slot(n.ID)
	}
	return o
}

func (e *Expr) over(f *model.Frame) *Over {
	o := &Over{look{x: e, f: f, slots: make([]model.Slot, len(e.names)), told: make([]bool, len(e.names))}}
	for i, n := range e.names {
		o.look.told[i] = f.Told(n.ID)
	}
	return o
}

// Truth evaluates a condition for one entity.
func (o *Over) Truth(id model.EntityID) Truth {
	o.look.id = id
	return o.look.truth(&o.look.x.root)
}

// Number evaluates to a quantity of one entity; false means unknown.
func (o *Over) Number(id model.EntityID) (model.Value, bool) {
	o.look.id = id
	return o.look.value(&o.look.x.root)
}

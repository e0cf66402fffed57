package eval

import (
	"fmt"
	"slices"

	"github.com/inferdx/inferdx/engine"
	"github.com/inferdx/inferdx/internal/content"
	"github.com/inferdx/inferdx/internal/expression"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/pipeline"
)

// catalogue builds frames without samples, by the content's own formulas.
type catalogue struct {
	*content.Content

	engine   *engine.Engine
	formulas []formula
}

type formula struct {
	id   string
	expr *expression.Expr
}

func newCatalogue(c *content.Content, fit engine.Fit) (catalogue, error) {
	out := catalogue{Content: c, engine: pipeline.New(c, nil, fit).Engine}
	for _, id := range c.Signals.IDs() {
		m, _ := c.Signals.Meaning(id)
		if m.Formula.S == "" {
			continue
		}
		x, err := expression.Parse(m.Formula.S)
		if err != nil {
			return out, fmt.Errorf("formula of %s: %w", id, err)
		}
		out.formulas = append(out.formulas, formula{id, x})
	}
	return out, nil
}

func (c catalogue) settings(b *model.FrameBuilder) {
	for _, id := range c.Signals.IDs() {
		m, _ := c.Signals.Meaning(id)
		if m.Setting == nil {
			continue
		}
		for _, x := range b.Entities().All() {
			b.Set(x.ID, id, model.Known(*m.Setting))
		}
	}
}

func (c catalogue) gauges(b *model.FrameBuilder, id model.EntityID, gauges map[string]Figure) error {
	for name, v := range gauges {
		if statistics[name] == nil {
			return fmt.Errorf("gauges: %s is none of running, waiting, kv_used", name)
		}
		for _, s := range statistics[name] {
			b.Set(id, s, v.Value)
		}
	}
	return nil
}

func (c catalogue) signals(b *model.FrameBuilder, id model.EntityID, signals map[string]Figure) error {
	for name, v := range signals {
		if _, ok := c.Signals.Meaning(name); !ok {
			return fmt.Errorf("signals: unknown name %s", name)
		}
		b.Set(id, name, v.Value)
	}
	return nil
}

// derive computes what the given figures imply. A figure that was reported is never overwritten.
func (c catalogue) derive(b *model.FrameBuilder) {
	for again := true; again; {
		again = false
		for _, f := range c.formulas {
			for _, x := range b.Entities().All() {
				if _, have := b.Get(x.ID, f.id); have {
					continue
				}
				if v, ok := f.expr.Number(given{b, x.ID}); ok {
					b.Set(x.ID, f.id, v)
					_, set := b.Get(x.ID, f.id)
					again = again || set
				}
			}
		}
	}
}

// given reads a frame under construction.
type given struct {
	b  *model.FrameBuilder
	id model.EntityID
}

func (g given) Number(name string) (model.Value, bool) {
	if v, ok := g.b.Get(g.id, name); ok {
		return v, true
	}
	f, ok := g.b.Fact(g.id, name)
	return model.Known(f.Num), ok && f.IsNum
}

func (g given) Text(name string) (string, bool) {
	f, ok := g.b.Fact(g.id, name)
	return f.Text, ok
}

func (g given) Explicit(name string) bool {
	f, ok := g.b.Fact(g.id, name)
	return ok && f.Explicit
}

// hidden is an environment in which some names were not seen.
type hidden struct {
	expression.Env

	names []string
}

func (h hidden) Number(name string) (model.Value, bool) {
	if slices.Contains(h.names, name) {
		return model.Value{}, false
	}
	return h.Env.Number(name)
}

func (h hidden) Text(name string) (string, bool) {
	if slices.Contains(h.names, name) {
		return "", false
	}
	return h.Env.Text(name)
}

func (h hidden) Explicit(name string) bool {
	return !slices.Contains(h.names, name) && h.Env.Explicit(name)
}

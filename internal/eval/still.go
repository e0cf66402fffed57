package eval

import (
	"errors"
	"fmt"
	"maps"
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

	engine *engine.Engine
}

func newCatalogue(c *content.Content, fit engine.Fit) catalogue {
	return catalogue{Content: c, engine: pipeline.New(c, nil, fit).Engine}
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
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(gauges)) {
		if statistics[name] == nil {
			faults = append(faults, fmt.Errorf("gauges: %s is none of running, waiting, kv_used", name))
		}
		for _, s := range statistics[name] {
			b.Set(id, s, gauges[name].Value)
		}
	}
	return errors.Join(faults...)
}

func (c catalogue) signals(b *model.FrameBuilder, id model.EntityID, signals map[string]Figure) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(signals)) {
		if _, ok := c.Signals.Meaning(name); !ok {
			faults = append(faults, fmt.Errorf("signals: unknown name %s", name))
			continue
		}
		b.Set(id, name, signals[name].Value)
	}
	return errors.Join(faults...)
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

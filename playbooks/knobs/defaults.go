package knobs

import (
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
)

// Defaults returns what the knobs are that facts does not hold, as far as version, facts and other defaults decide it.
// It takes it that nobody set them: ask only where the launch arguments are known. gpu_name, gpu_memory_gib and backend
// are facts that decide; a GPU's memory without a backend is taken for CUDA.
func (c *Catalog) Defaults(engine, version string, facts map[string]model.Fact) map[string]model.Fact {
	out := map[string]model.Fact{}
	e, ok := c.engines[engine]
	if !ok {
		return out
	}
	given := func(name string) (model.Fact, bool) {
		f, ok := facts[name]
		if _, gpu := facts["gpu_memory_gib"]; !ok && gpu && name == "backend" {
			return model.Fact{Text: "cuda"}, true
		}
		return f, ok
	}
	d := &deciding{span: parseSpan(version), given: given, get: func(name string) (model.Fact, bool) {
		if f, ok := given(name); ok {
			return f, true
		}
		f, ok := out[name]
		return f, ok
	}}
	from := "default of " + engine
	if version != "" {
		from += " " + version
	}
	ids := c.IDs(engine)
	for again := true; again; { // a default may wait for another one
		again = false
		for _, id := range ids {
			if _, have := d.get(id); have {
				continue
			}
			k := e.knobs[id]
			text, ok := d.value(k)
			if !ok {
				continue
			}
			if f, isSet, err := k.fact(text, from, false); isSet && err == nil {
				out[id] = f
				again = true
			}
		}
	}
	return out
}

type deciding struct {
	span       span
	given, get lookup // given lacks the defaults decided so far
}

// value finds the default that holds. The first that surely holds wins, unless an earlier one might and says otherwise.
func (d *deciding) value(k *Knob) (string, bool) {
	if k.since != nil && (versions{{">=", k.since}}).holds(d.span) != yes ||
		k.removed != nil && (versions{{"<", k.removed}}).holds(d.span) != yes {
		return "", false
	}
	maybe := map[string]bool{}
	for _, p := range k.defaults {
		switch min(p.versions.holds(d.span), p.when.holds(d.get)) {
		case unknown:
			maybe[p.value] = true
		case yes:
			delete(maybe, p.value)
			if len(maybe) > 0 {
				return "", false
			}
			return d.adjusted(k, p.value)
		}
	}
	return "", false
}

func (d *deciding) adjusted(k *Knob, text string) (string, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || k.Type == Bool {
		return text, true
	}
	for _, a := range k.adjust {
		holds := min(a.versions.holds(d.span), a.when.holds(d.get))
		if a.kind == "at_most" {
			// Defaults never collide with each other here; only what somebody set does.
			if by, ok := a.by.value(d.given); ok && holds == yes {
				n = min(n, by)
			}
			continue
		}
		by, ok := a.by.value(d.get)
		switch {
		case holds == no:
		case holds == unknown || !ok:
			return "", false
		case a.kind == "times":
			n *= by
		default:
			n = max(n, by)
		}
	}
	return strconv.FormatFloat(n, 'f', -1, 64), true
}

package render

import (
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// ceilingOf says how far a step is from what the hardware allows, and who can help; "" where it is not known.
func ceilingOf(c *model.Ceiling) string {
	if c == nil || !isNumber(c.StepSeconds) || !isNumber(c.FloorSeconds) || !isNumber(c.Ratio) {
		return ""
	}
	by := map[string]string{"bandwidth": "the memory", "compute": "the arithmetic", "interconnect": "the links between GPUs"}[c.Limit]
	if by == "" {
		by = "the hardware"
	}
	line := text(c.Phase) + " " + units.Format(c.StepSeconds, "s", model.Exact) + " a step, " + by + " would allow " +
		units.Format(c.FloorSeconds, "s", model.Exact) + " (" + units.Format(c.Ratio, "ratio", model.Exact) + " of it)"
	for _, part := range []struct {
		of    *float64
		limit string
		words string
	}{{c.MemorySeconds, "bandwidth", "reading"}, {c.ComputeSeconds, "compute", "arithmetic"}, {c.ExchangeSeconds, "interconnect", "exchange"}} {
		if part.of != nil && part.limit != c.Limit && isNumber(*part.of) && *part.of >= 0.1*c.StepSeconds {
			line += ", " + part.words + " at best " + units.Format(*part.of, "s", model.Exact)
		}
	}
	if says := text(c.Says); says != "" {
		line += ": " + says
	}
	return line
}

// ceilingMost says what decode could reach, where more streams than now would fit.
func ceilingMost(c *model.Ceiling) string {
	if c == nil || c.Far || c.DecodeMost == nil || c.PoolMost == nil || c.PoolBatch == nil || !isNumber(*c.PoolMost) || *c.PoolMost <= 2**c.DecodeMost {
		return ""
	}
	return "at best " + units.Format(*c.DecodeMost, "tokens/s", model.Exact) + " with this batch, " +
		units.Format(*c.PoolMost, "tokens/s", model.Exact) + " with the " + units.Format(*c.PoolBatch, "requests", model.Exact) + " requests that the KV cache holds"
}

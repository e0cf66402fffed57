package engine

import (
	"fmt"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/units"
)

// farBelow is the share of a mean step that reading, arithmetic and exchange at data sheet rates must explain, else something
// other than the hardware holds the server. Of the recordings of an H200 those whose GPU does their work have 0.46 to 0.79, an
// eager server, a starved host and a neighbour on the GPU 0.14 to 0.30; published figures are 0.55 to 0.76 (docs/physics.md).
const farBelow = 0.4

// impossible is the share of the floor in a mean step from which what was told of the server cannot be true. The tenth is for
// counters whose windows differ by a scrape.
const impossible = 1.1

// ceilingOf says how far the server runs from what its hardware allows; nil where that cannot be computed, with a note where the
// server is faster than what is known of it allows.
func ceilingOf(f *model.Frame, id model.EntityID) (*model.Ceiling, string) {
	get := func(s string) *float64 {
		v, ok := f.Get(id, s)
		if !ok || v.Bound != model.Exact {
			return nil
		}
		return &v.V
	}
	step, floor, share, explained := get("step_s"), get("step_floor_s"), get("step_ceiling_ratio"), get("step_explained_ratio")
	if step == nil || floor == nil || share == nil || explained == nil {
		return nil, ""
	}
	if *share > impossible {
		return nil, fmt.Sprintf("nothing is said of the ceiling: a mean step takes %s, and at least %s by the config.json, the GPU and the parallelism that were given: one of them is another server's",
			units.Seconds(*step), units.Seconds(*floor))
	}
	c := &model.Ceiling{
		StepSeconds: *step, FloorSeconds: *floor, Ratio: *share,
		MemorySeconds: get("step_memory_s"), ComputeSeconds: get("step_compute_s"), ExchangeSeconds: get("step_collectives_s"),
		DecodeMost: get("decode_most_tokens_per_s"), PoolBatch: get("full_batch"), PoolMost: get("full_most_tokens_per_s"),
		PrefillMost: get("prefill_most_tokens_per_s"), Far: *explained < farBelow,
	}
	c.Phase, c.Limit = "decode", "bandwidth"
	switch longest := *floor; {
	case c.ExchangeSeconds != nil && *c.ExchangeSeconds == longest && longest > 0:
		c.Limit = "interconnect"
	case c.ComputeSeconds != nil && *c.ComputeSeconds == longest:
		c.Limit = "compute"
	}
	if p := get("prefill_share"); p != nil && *p > 0.5 && c.Limit != "bandwidth" {
		c.Phase = "prefill"
	}
	c.Says = verdict(c)
	return c, ""
}

// verdict says who can help: settings, or only other work and other hardware.
func verdict(c *model.Ceiling) string {
	const only = "the work itself takes much of a step, so a faster host gains little; what shortens it is "
	switch {
	case c.Far:
		return "the hardware is not what holds it: launches, the host, a neighbour or scheduling take the rest, so settings can help"
	case c.Limit == "interconnect":
		return only + "fewer tensor-parallel ranks or faster links"
	case c.Limit == "compute":
		return only + "fewer tokens to compute (shared prefixes, shorter prompts), smaller types or more GPUs"
	case c.PoolMost != nil && c.DecodeMost != nil && *c.PoolMost > 2**c.DecodeMost:
		return only + "fewer bytes (smaller weights or KV cache), speculation or faster memory; a larger batch makes more tokens of it"
	}
	return only + "fewer bytes (smaller weights or KV cache), speculation or faster memory"
}

// boundByCeiling is what the ceiling says of the present speed, "" where it says nothing.
func boundByCeiling(c *model.Ceiling) string {
	switch {
	case c == nil || c.Far:
		return ""
	case c.Limit == "interconnect":
		return "latency"
	}
	return c.Limit
}

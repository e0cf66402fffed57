package torchtrace

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
)

// step is one pass of the model, in microseconds; prompt is how many requests it prefills.
type step struct {
	start, end      float64
	prompts, tokens int
}

// names of a step: vLLM's execute_context_1(489)_generation_7(7) is one request with 489 prompt tokens beside 7 that decode,
// with detailed_trace_annotation execute_496_context_1(sq489sk489…)_generation_7(sq7sk3500…)
// (vllm/v1/worker/gpu_model_runner.py and gpu_worker.py, 0.11 to 0.33); SGLang's step[DECODE bs=8] and step[EXTEND bs=1 toks=489]
// (sglang/srt/managers/scheduler_profiler_mixin.py).
var (
	vllmStep   = regexp.MustCompile(`^execute_(?:new_|(?:\d+_)?context_)?(\d+)(?:\((?:sq)?(\d+)\w*\))?_(?:cached|generation)_(\d+)`)
	sglangStep = regexp.MustCompile(`^step\[(EXTEND|MIXED|DECODE)\b(?:.*?bs=(\d+))?(?:.*?toks=(\d+))?`)
)

// stepOf reads the name of a step: how many requests are prefilled, and their prompt tokens where the name tells.
func stepOf(name string) (prompts, tokens int, ok bool) {
	if m := vllmStep.FindStringSubmatch(name); m != nil {
		return atoi(m[1]), atoi(m[2]), true
	}
	if m := sglangStep.FindStringSubmatch(name); m != nil {
		if m[1] == "DECODE" {
			return 0, 0, true
		}
		return max(1, atoi(m[2])), atoi(m[3]), true
	}
	return 0, 0, false
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0 // the expressions let digits through only, or nothing
	}
	return n
}

const maxSteps = 1 << 18

func (c *collector) annotated(e *event, into *[]step) {
	if len(e.name) > maxName || len(*into) >= maxSteps {
		return
	}
	if prompts, tokens, ok := stepOf(string(e.name)); ok {
		*into = append(*into, step{e.ts, e.ts + e.dur, prompts, tokens})
	}
}

// Steps are passes of one kind.
type Steps struct {
	Count int `json:"count"`
	// Seconds is the median time from one step's begin to the next one's.
	Seconds float64 `json:"median_seconds"`
	Tokens  float64 `json:"prompt_tokens,omitempty"`
	*Worked
	*Launched
}

// Worked is what the GPU did of a step; nil where none was at work.
type Worked struct {
	// Busy is the median share of a step in which the GPU worked, Kernels how many it ran.
	Busy    float64 `json:"busy_ratio"`
	Kernels float64 `json:"kernels"`
}

// tally gathers what the steps of a kind have in common.
type tally struct {
	lengths, busy, waits, counts, tokens []float64
	from                                 origin
}

func (t *tally) steps() *Steps {
	if len(t.lengths) == 0 {
		return nil
	}
	s := &Steps{Count: len(t.lengths), Seconds: median(t.lengths), Tokens: median(t.tokens)}
	if len(t.busy) > 0 && median(t.counts) > 0 { // steps without a kernel are those of a file that breaks off before it
		s.Worked = &Worked{Busy: median(t.busy), Kernels: median(t.counts)}
		s.Launched = t.from.of(median(t.waits))
	}
	return s
}

// marked are the steps in order, on the GPU's clock, or the host's where the GPU's annotations are missing.
func (c *collector) marked() []step {
	all := c.steps
	if len(all) == 0 {
		all = c.hosts
	}
	slices.SortFunc(all, func(a, b step) int { return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end)) })
	return all
}

// byKind tells steps that only decode from those that prefill. A step ends where the next begins, so the last one is left
// out, and so is one after which the server had nothing to do.
func (c *collector) byKind(work []activity) (decode, prefill *Steps) {
	all := c.marked()
	var kinds [2]tally
	for i := range max(0, len(all)-1) {
		s, next := all[i], all[i+1].start
		if next <= s.start || next-s.end >= pause {
			continue
		}
		t := &kinds[0]
		if s.prompts > 0 {
			t = &kinds[1]
		}
		c.add(t, within(work, s.start, next), s, next)
	}
	return kinds[0].steps(), kinds[1].steps()
}

// add adds a step that lasted until the next one began.
func (c *collector) add(t *tally, work []activity, s step, next float64) {
	busy, waited, end, ran := 0.0, 0.0, s.start, 0
	for _, a := range work {
		by, launched := c.launchOf(a)
		t.from.add(a, by, launched)
		if a.kernel() {
			ran++
		}
		if launched && a.start > end && by.at >= end {
			waited += a.start - end
		}
		busy += max(0, min(a.end(), next)-max(a.start, end))
		end = max(end, a.end())
	}
	length := next - s.start
	t.lengths = append(t.lengths, length/1e6)
	t.tokens = append(t.tokens, float64(s.tokens))
	if len(c.devices) == 0 {
		return
	}
	t.busy = append(t.busy, min(1, busy/length))
	t.waits = append(t.waits, waited/length)
	t.counts = append(t.counts, float64(ran))
}

// within gives the activities that begin in a stretch.
func within(work []activity, from, to float64) []activity {
	at := func(t float64) int {
		i, _ := slices.BinarySearchFunc(work, t, func(a activity, t float64) int { return cmp.Compare(a.start, t) })
		return i
	}
	return work[at(from):at(to)]
}

func median(vs []float64) float64 {
	slices.Sort(vs)
	if n := len(vs); n%2 == 0 {
		return (vs[n/2-1] + vs[n/2]) / 2
	}
	return vs[len(vs)/2]
}

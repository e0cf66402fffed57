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

// names of a step: vLLM's execute_context_1(489)_generation_7(7) is one request with 489 prompt tokens beside 7 that decode
// (vllm/v1/worker/gpu_model_runner.py and gpu_worker.py, 0.11 to 0.33); SGLang's step[DECODE bs=8] and step[EXTEND bs=1 toks=489]
// (sglang/srt/managers/scheduler_profiler_mixin.py).
var (
	vllmStep   = regexp.MustCompile(`^execute_(?:new_|context_)?(\d+)(?:\((\d+)\))?_(?:cached|generation)_(\d+)`)
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
	prompts, tokens, ok := stepOf(e.Name)
	if !ok || len(*into) >= maxSteps {
		return
	}
	*into = append(*into, step{e.Ts, e.Ts + e.Dur, prompts, tokens})
}

// Steps are passes of one kind.
type Steps struct {
	Count int `json:"count"`
	// Seconds is the median time from one step's begin to the next one's.
	Seconds float64 `json:"median_seconds"`
	// Busy is the median share of that in which the GPU worked, Kernels how many kernels one has.
	Busy    float64 `json:"busy_ratio"`
	Kernels float64 `json:"kernels"`
	// Graphed is the share of their kernels that a CUDA graph brought.
	Graphed float64 `json:"graph_kernel_ratio"`
	Tokens  float64 `json:"prompt_tokens,omitempty"`
}

// byKind tells steps that only decode from those that prefill, on the GPU's clock, or the host's where the GPU's
// annotations are missing. A step ends where the next begins, so the last one is left out.
func (c *collector) byKind(work []activity) (decode, prefill *Steps) {
	all := c.steps
	if len(all) == 0 {
		all = c.hosts
	}
	slices.SortFunc(all, func(a, b step) int { return cmp.Compare(a.start, b.start) })
	var lengths, busy, counts, tokens [2][]float64
	var ran, graphed [2]int
	for i := range max(0, len(all)-1) {
		s, next := all[i], all[i+1].start
		kind := 0
		if s.prompts > 0 {
			kind = 1
		}
		if next <= s.start {
			continue
		}
		in, b := within(work, s.start, next)
		lengths[kind] = append(lengths[kind], (next-s.start)/1e6)
		busy[kind] = append(busy[kind], b/(next-s.start))
		counts[kind] = append(counts[kind], float64(len(in)))
		ran[kind] += len(in)
		for _, a := range in {
			if c.graphs[a.correlation] {
				graphed[kind]++
			}
		}
		tokens[kind] = append(tokens[kind], float64(s.tokens))
	}
	of := func(kind int) *Steps {
		if len(lengths[kind]) == 0 {
			return nil
		}
		return &Steps{
			Count: len(lengths[kind]), Seconds: median(lengths[kind]), Busy: median(busy[kind]), Kernels: median(counts[kind]),
			Graphed: float64(graphed[kind]) / float64(max(1, ran[kind])), Tokens: median(tokens[kind]),
		}
	}
	return of(0), of(1)
}

// within gives the activities that begin in a stretch, and how long the GPU was busy with them in it, in microseconds.
func within(work []activity, from, to float64) (in []activity, busy float64) {
	i, _ := slices.BinarySearchFunc(work, from, func(a activity, t float64) int { return cmp.Compare(a.start, t) })
	end, first := from, i
	for ; i < len(work) && work[i].start < to; i++ {
		busy += max(0, min(work[i].end, to)-max(work[i].start, end))
		end = max(end, work[i].end)
	}
	return work[first:i], busy
}

func median(vs []float64) float64 {
	slices.Sort(vs)
	if n := len(vs); n%2 == 0 {
		return (vs[n/2-1] + vs[n/2]) / 2
	}
	return vs[len(vs)/2]
}

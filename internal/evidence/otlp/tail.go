package otlp

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
)

// Tail is what the requests with the slowest first tokens have in common. NaN is unknown.
type Tail struct {
	// Count is a tenth of the requests, 20 at most and 3 at least.
	Count int
	From  float64 // the fastest of them, in seconds
	// Queue and Prefill are the shares of their time to the first token.
	Queue, Prefill float64
	// Prompt is their median prompt, PromptTimes that by the median of all.
	Prompt, PromptTimes float64
	// Neighbours is the median of the prompt tokens of other requests that arrived or were prefilled while one of them waited;
	// NeighbourTimes that by the median over all requests.
	Neighbours, NeighbourTimes float64
	Slowest                    []Exemplar
}

// Exemplar is one of the slowest requests.
type Exemplar struct {
	Trace   string  `json:"trace_id"`
	TTFT    float64 `json:"ttft_seconds"`
	Queue   float64 `json:"-"`
	Prefill float64 `json:"-"`
	Prompt  float64 `json:"-"`
}

const fewest, most, exemplars = 3, 20, 5

func tail(all []request) *Tail {
	var rs []request
	for _, r := range all {
		if !math.IsNaN(r.ttft) {
			rs = append(rs, r)
		}
	}
	n := min(most, max(fewest, len(rs)/10))
	if len(rs) < 20 {
		return nil
	}
	around := neighbours(rs)
	order := make([]int, len(rs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rs[b].ttft, rs[a].ttft) })
	t := &Tail{Count: n, From: rs[order[n-1]].ttft}
	var waited, queued, prefilled float64
	var prompts, neighbour []float64
	for _, i := range order[:n] {
		r := rs[i]
		waited, queued, prefilled = waited+r.ttft, queued+r.queue, prefilled+r.prefill
		prompts, neighbour = append(prompts, r.prompt), append(neighbour, around[i])
		if len(t.Slowest) < exemplars {
			t.Slowest = append(t.Slowest, Exemplar{r.trace.String(), r.ttft, r.queue, r.prefill, r.prompt})
		}
	}
	t.Queue, t.Prefill = min(1, queued/waited), min(1, prefilled/waited)
	t.Prompt, t.Neighbours = median(prompts), median(neighbour)
	var every []float64
	for _, r := range rs {
		every = append(every, r.prompt)
	}
	t.PromptTimes, t.NeighbourTimes = ratio(t.Prompt, median(every)), ratio(t.Neighbours, median(around))
	return t
}

// neighbours gives for each request the prompt tokens of others that waited for their first token at the same time. Requests
// are in the order of their arrival.
func neighbours(rs []request) []float64 {
	out := make([]float64, len(rs))
	longest := 0.0
	for _, r := range rs {
		longest = max(longest, r.ttft)
	}
	for i, r := range rs {
		out[i] = math.NaN()
		if math.IsNaN(r.start) {
			continue
		}
		sum := 0.0
		add := func(o request) {
			if !math.IsNaN(o.start) && !math.IsNaN(o.prompt) && o.server == r.server && o.start < r.start+r.ttft && r.start < o.start+o.ttft {
				sum += o.prompt
			}
		}
		for j := i - 1; j >= 0 && i-j <= reach && !(rs[j].start < r.start-longest); j-- {
			add(rs[j])
		}
		for j := i + 1; j < len(rs) && j-i <= reach && rs[j].start < r.start+r.ttft; j++ {
			add(rs[j])
		}
		out[i] = sum
	}
	return out
}

// reach bounds how many arrivals before and after a request are looked at.
const reach = 2048

func ratio(a, b float64) float64 {
	if b <= 0 {
		return math.NaN()
	}
	return a / b
}

func median(vs []float64) float64 {
	known := slices.DeleteFunc(slices.Clone(vs), math.IsNaN)
	if len(known) == 0 {
		return math.NaN()
	}
	slices.Sort(known)
	return known[len(known)/2]
}

// MarshalJSON leaves out what is unknown, which JSON cannot write.
func (t *Tail) MarshalJSON() ([]byte, error) {
	out := map[string]any{"count": t.Count, "from_seconds": t.From, "slowest": t.Slowest}
	for name, v := range map[string]float64{
		"queue_ratio": t.Queue, "prefill_ratio": t.Prefill, "prompt_tokens": t.Prompt, "prompt_times": t.PromptTimes,
		"neighbour_tokens": t.Neighbours, "neighbour_times": t.NeighbourTimes,
	} {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = v
		}
	}
	return json.Marshal(out)
}

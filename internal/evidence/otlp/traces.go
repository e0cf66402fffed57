package otlp

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/inferdx/inferdx/internal/model"
)

// Traces is what the requests' spans tell together.
type Traces struct {
	Services []string `json:"services,omitempty"`
	Requests int      `json:"requests"`
	// Seconds is the time from the first arrival to the last end, InFlight how many requests were in the server on average.
	Seconds  float64 `json:"seconds,omitempty"`
	InFlight float64 `json:"in_flight,omitempty"`
	TTFT     *Times  `json:"ttft,omitempty"`
	Queue    *Times  `json:"queue,omitempty"`
	Prefill  *Times  `json:"prefill,omitempty"`
	Decode   *Times  `json:"decode,omitempty"`
	E2E      *Times  `json:"e2e,omitempty"`
	Prompt   *Times  `json:"prompt_tokens,omitempty"`
	Output   *Times  `json:"output_tokens,omitempty"`
	Tail     *Tail   `json:"tail,omitempty"`
	// Handover is the time between the end of a request on one server and its begin on the next, of requests that
	// went through several (prefill, then decode): the transfer of the KV cache is in it.
	Handover *Times `json:"handover,omitempty"`
	// KVWait is the time from the end of the prefill until another server could decode: the transfer of the KV cache is in
	// it, and a wait for room there. KVWaitRatio is its share of the time to the first token that the client sees.
	KVWait      *Times   `json:"kv_wait,omitempty"`
	KVWaitRatio *float64 `json:"kv_wait_ratio,omitempty"`
	Notes       []string `json:"notes,omitempty"`

	requests []request
	senders  []Sender // by the requests' server
}

// Times are exact quantiles. One is nil with too few values behind it: 20 for the median, 50 for P90, 100 for P99, 1,000 for P99.9.
type Times struct {
	Count int      `json:"count"`
	P50   *float64 `json:"p50,omitempty"`
	P90   *float64 `json:"p90,omitempty"`
	P99   *float64 `json:"p99,omitempty"`
	P999  *float64 `json:"p99_9,omitempty"`
	Max   float64  `json:"max"`
}

// enough gives a quantile of sorted values where n values carry it.
func enough(vs []float64, p float64, n int) *float64 {
	if len(vs) < n {
		return nil
	}
	v := vs[min(len(vs)-1, int(math.Ceil(p*float64(len(vs))))-1)]
	return &v
}

func times(rs []request, of func(request) float64) *Times {
	var vs []float64
	for _, r := range rs {
		if v := of(r); !math.IsNaN(v) {
			vs = append(vs, v)
		}
	}
	return quantiles(vs)
}

func quantiles(vs []float64) *Times {
	if len(vs) == 0 {
		return nil
	}
	slices.Sort(vs)
	return &Times{len(vs), enough(vs, 0.5, 20), enough(vs, 0.9, 50), enough(vs, 0.99, 100), enough(vs, 0.999, 1000), vs[len(vs)-1]}
}

func (c *collector) traces() (*Traces, error) {
	if len(c.requests) == 0 {
		return nil, fmt.Errorf("%w among %d spans\n%s", ErrNoTraces, c.others, hint)
	}
	ordered(c.requests)
	join(c.requests, c.pieces)
	t := newTraces(c.requests)
	t.senders = c.senders
	t.Services, t.Notes = slices.Sorted(maps.Keys(c.services)), c.notes
	t.passing(passages(c.requests))
	if c.twice > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d spans came twice and were counted once", c.twice))
	}
	if c.dropped > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%d requests beyond the first %d were left out", c.dropped, maxRequests))
	}
	return t, nil
}

// newTraces sums up requests in the order of their begin, but for what goes over several servers.
func newTraces(rs []request) *Traces {
	t := &Traces{Requests: len(rs), requests: rs}
	t.TTFT = times(rs, func(r request) float64 { return r.ttft })
	t.Queue = times(rs, func(r request) float64 { return r.queue })
	t.Prefill = times(rs, func(r request) float64 { return r.prefill })
	t.Decode = times(rs, func(r request) float64 { return r.decode })
	t.E2E = times(rs, func(r request) float64 { return r.e2e })
	t.Prompt = times(rs, func(r request) float64 { return r.prompt })
	t.Output = times(rs, func(r request) float64 { return r.output })
	first, last, inside := math.Inf(1), math.Inf(-1), 0.0
	for _, r := range rs {
		if !math.IsNaN(r.start) {
			first, last, inside = min(first, r.start), max(last, r.end), inside+r.end-r.start
		}
	}
	if last > first {
		t.Seconds, t.InFlight = last-first, inside/(last-first)
	}
	t.Tail = tail(rs)
	return t
}

// Facts are what playbooks weigh.
func (t *Traces) Facts() map[string]model.Fact {
	out := map[string]model.Fact{}
	put := func(name string, v float64) {
		out[name] = model.Fact{Text: strconv.FormatFloat(v, 'g', 6, 64), Num: v, IsNum: true, From: "trace"}
	}
	put("trace_requests", float64(t.Requests))
	if t.Seconds > 0 {
		put("trace_in_flight", t.InFlight)
	}
	for name, q := range map[string]*Times{"ttft": t.TTFT, "queue": t.Queue, "prefill": t.Prefill, "decode": t.Decode, "e2e": t.E2E, "handover": t.Handover, "kv_wait": t.KVWait} {
		if q == nil {
			continue
		}
		for p, v := range map[string]*float64{"p50": q.P50, "p90": q.P90, "p99": q.P99, "p999": q.P999} {
			if v != nil {
				put("trace_"+name+"_"+p+"_s", *v)
			}
		}
	}
	if t.KVWaitRatio != nil {
		put("trace_kv_wait_ratio", *t.KVWaitRatio)
	}
	if x := t.Tail; x != nil {
		for name, v := range map[string]float64{
			"trace_tail_queue_ratio": x.Queue, "trace_tail_prompt_ratio": x.PromptTimes, "trace_tail_neighbours_ratio": x.NeighbourTimes,
		} {
			if !math.IsNaN(v) {
				put(name, v)
			}
		}
	}
	return out
}

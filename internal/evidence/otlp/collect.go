package otlp

import (
	"encoding/hex"
	"math"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// request is one span of a server's request; times are in seconds, NaN where the span does not tell.
type request struct {
	trace, instance                   string
	start, end                        float64
	queue, prefill, decode, ttft, e2e float64
	prompt, output                    float64
}

type attributes struct {
	text   map[string]string
	number map[string]float64
}

func newAttributes() attributes {
	return attributes{map[string]string{}, map[string]float64{}}
}

// first is the number of the first of several names that is there; NaN of none.
func (a attributes) first(names ...string) float64 {
	for _, n := range names {
		if v, ok := a.number[n]; ok && v >= 0 && v < 1e12 {
			return v
		}
	}
	return math.NaN()
}

type collector struct {
	requests []request
	known    map[[2]string]bool // spans seen, as exporters send again what was not answered
	twice    int
	dropped  int
	others   int
	services map[string]bool
	notes    []string
}

func newCollector() *collector {
	return &collector{known: map[[2]string]bool{}, services: map[string]bool{}}
}

func (c *collector) seen() int { return len(c.requests) + c.others }

func (c *collector) payload(p *trace.TracesData) {
	for _, rs := range p.GetResourceSpans() {
		service := newAttributes()
		service.proto(rs.GetResource().GetAttributes())
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				as := newAttributes()
				as.proto(s.GetAttributes())
				c.span(service, hex.EncodeToString(s.GetTraceId()), hex.EncodeToString(s.GetSpanId()),
					float64(s.GetStartTimeUnixNano())/1e9, float64(s.GetEndTimeUnixNano())/1e9, as)
			}
		}
	}
}

func (a attributes) proto(kvs []*common.KeyValue) {
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			a.text[kv.GetKey()] = v.StringValue
		case *common.AnyValue_DoubleValue:
			a.number[kv.GetKey()] = v.DoubleValue
		case *common.AnyValue_IntValue:
			a.number[kv.GetKey()] = float64(v.IntValue)
		}
	}
}

// span keeps a request's span: vLLM's llm_request (vllm/tracing, 0.4 to 0.33; prefill and decode since 0.9), and any other
// that tells by the same attributes how long the first token and the whole took.
func (c *collector) span(service attributes, traceID, spanID string, start, end float64, as attributes) {
	e2e := as.first("gen_ai.latency.e2e")
	ttft := as.first("gen_ai.latency.time_to_first_token")
	if math.IsNaN(e2e) && math.IsNaN(ttft) {
		c.others++
		return
	}
	id := [2]string{traceID, spanID}
	if c.known[id] {
		c.twice++
		return
	}
	if len(c.requests) >= maxRequests {
		c.dropped++
		return
	}
	c.known[id] = true
	if n := service.text["service.name"]; n != "" {
		c.services[n] = true
	}
	if start <= 0 || end < start {
		start, end = math.NaN(), math.NaN()
	}
	c.requests = append(c.requests, request{
		trace: traceID, instance: service.text["service.name"] + "/" + service.text["service.instance.id"],
		start: start, end: end, e2e: e2e, ttft: ttft,
		queue:   as.first("gen_ai.latency.time_in_queue"),
		prefill: as.first("gen_ai.latency.time_in_model_prefill"),
		decode:  as.first("gen_ai.latency.time_in_model_decode"),
		prompt:  as.first("gen_ai.usage.prompt_tokens", "gen_ai.usage.input_tokens"),
		output:  as.first("gen_ai.usage.completion_tokens", "gen_ai.usage.output_tokens"),
	})
}

package otlp

import (
	"encoding/hex"
	"math"
	"strings"
)

type (
	traceID [16]byte
	spanID  [8]byte
)

func (t traceID) known() bool    { return t != traceID{} }
func (t traceID) String() string { return hex.EncodeToString(t[:]) }

// request is one request on one server. Times are in seconds, NaN where the span does not tell.
type request struct {
	trace  traceID
	span   spanID
	server uint32 // who served it, see collector.server and Window
	kind   kind

	start, end                        float64
	queue, prefill, decode, ttft, e2e float64
	prompt, output                    float64
	transfer                          float64 // of the KV cache to the server that decodes, where a span of its own tells
}

// kind is what a span is about.
type kind uint8

const (
	other   kind = iota
	whole        // a request, with the times of its parts as attributes
	rooted       // a request of an SGLang that tells times by the spans below it only
	thread       // of SGLang: what one of its threads did for a request; stages lie below
	waiting      // stages of SGLang from here on
	prefilling
	decoding
	transferring
)

// stages are the names of SGLang's spans below a request: RequestStage in srt/managers/schedule_batch.py beside srt/tracing, later
// in srt/observability/req_time_stats.py, where decode_forward came. What waits for a prefill elsewhere (decode_transferred) is no
// transfer and not read, nor is what comes once a token (decode_loop).
func stages(name string) kind {
	switch name {
	case "prefill_waiting":
		return waiting
	case "prefill_forward":
		return prefilling
	case "decode_forward":
		return decoding
	case "prefill_transfer_kv_cache":
		return transferring
	}
	return other
}

// piece is a span below a request.
type piece struct {
	trace        traceID
	span, parent spanID
	kind         kind
	start, end   float64
}

// raw is a span as it stands in a message, its attributes read.
type raw struct {
	name         string
	trace        traceID
	span, parent spanID
	start, end   float64
	request

	model           string
	threaded, rooty bool
}

func newRaw(name string, start, end float64) raw {
	nan := math.NaN()
	r := raw{name: name, start: start, end: end}
	r.queue, r.prefill, r.decode, r.ttft, r.e2e = nan, nan, nan, nan, nan
	r.prompt, r.output, r.transfer = nan, nan, nan
	return r
}

// number takes an attribute. Of several names for one thing the first in the field's order wins.
func (r *raw) number(key string, v float64) {
	if !(v >= 0 && v < 1e12) {
		return
	}
	switch key {
	case "gen_ai.latency.e2e":
		r.e2e = v
	case "gen_ai.latency.time_to_first_token":
		r.ttft = v
	case "gen_ai.latency.time_in_queue":
		r.queue = v
	case "gen_ai.latency.time_in_model_prefill":
		r.prefill = v
	case "gen_ai.latency.time_in_model_decode":
		r.decode = v
	case "gen_ai.usage.prompt_tokens":
		r.prompt = v
	case "gen_ai.usage.completion_tokens":
		r.output = v
	case "gen_ai.usage.input_tokens":
		if math.IsNaN(r.prompt) {
			r.prompt = v
		}
	case "gen_ai.usage.output_tokens":
		if math.IsNaN(r.output) {
			r.output = v
		}
	}
}

func (r *raw) text(key, v string) {
	if len(v) > maxAttribute {
		return // no name of a model is that long, and every model is remembered
	}
	switch key {
	case "gen_ai.response.model":
		r.model = v
	case "gen_ai.request.model":
		if r.model == "" {
			r.model = v
		}
	case "thread_label":
		r.threaded = true
	case "rid":
		r.rooty = true
	}
}

// what says what the span is about: a request is any span that tells how long its first token or the whole took, as vLLM's
// llm_request does (vllm/tracing, 0.4 to 0.33; prefill and decode since 0.9) and SGLang's root span.
func (r *raw) what() kind {
	switch {
	case !math.IsNaN(r.e2e) || !math.IsNaN(r.ttft):
		return whole
	case r.threaded:
		return thread
	case r.rooty && strings.Contains(r.name, "Req "):
		return rooted
	}
	return stages(r.name)
}

// idOf reads an identifier that is written in hexadecimal; one that is none is unknown.
func idOf(out []byte, text string) {
	if len(text)%2 == 1 {
		text = "0" + text
	}
	if b, err := hex.DecodeString(text); err == nil {
		fit(out, b)
	}
}

// fit takes an identifier of at most the right length.
func fit(out, id []byte) {
	if len(id) <= len(out) {
		copy(out[len(out)-len(id):], id)
	}
}

package otlp

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// told is a span as SGLang's sources make it: a request's root span, a span of each thread that works for it below that, and
// the stages below the threads (srt/observability/trace.py and req_time_stats.py).
type toldSpan struct {
	trace, id, parent int
	name              string
	start, end        float64
	attributes        map[string]any
}

// document writes spans of one process.
func document(t *testing.T, instance string, spans ...toldSpan) string {
	t.Helper()
	var all []map[string]any
	for _, s := range spans {
		var as []any
		for k, v := range s.attributes {
			kind := "doubleValue"
			if _, ok := v.(string); ok {
				kind = "stringValue"
			}
			as = append(as, map[string]any{"key": k, "value": map[string]any{kind: v}})
		}
		span := map[string]any{
			"traceId": fmt.Sprintf("%032x", s.trace), "spanId": fmt.Sprintf("%016x", s.id), "name": s.name, "attributes": as,
			"startTimeUnixNano": fmt.Sprint(int64(s.start * 1e9)), "endTimeUnixNano": fmt.Sprint(int64(s.end * 1e9)),
		}
		if s.parent != 0 {
			span["parentSpanId"] = fmt.Sprintf("%016x", s.parent)
		}
		all = append(all, span)
	}
	of := []any{}
	for k, v := range map[string]string{"service.name": "sglang", "service.instance.id": instance} {
		of = append(of, map[string]any{"key": k, "value": map[string]any{"stringValue": v}})
	}
	b, err := json.Marshal(map[string]any{"resourceSpans": []any{map[string]any{"resource": map[string]any{"attributes": of}, "scopeSpans": []any{map[string]any{"spans": all}}}}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func scheduler(rank int) map[string]any {
	return map[string]any{"thread_label": "Scheduler", "tp_rank": float64(rank), "host_id": "a1b2"}
}

// sglang is a request that waits 0.3 s, is prefilled for 0.5 s and decoded for 2 s, on two ranks of which the second is slower.
func sglang(t *testing.T, n int) []string {
	at, root := 1000+float64(n), 100*n
	return []string{
		document(t, "tokenizer", toldSpan{n, root, 0, " Req 5c1d09ab", at, at + 3, map[string]any{
			"rid": "5c1d09ab33", "module": "sglang::request", "gen_ai.response.model": "qwen", "gen_ai.usage.prompt_tokens": 700.0, "gen_ai.usage.completion_tokens": 50.0,
			"gen_ai.latency.time_to_first_token": 0.9, "gen_ai.latency.e2e": 3.0, "gen_ai.latency.time_in_model_decode": 2.1, "gen_ai.latency.time_in_model_prefill": 0.85,
		}}, toldSpan{n, root + 1, root, "Tokenizer (host:a1b2 | pid:1)", at, at + 0.05, map[string]any{"thread_label": "Tokenizer"}}),
		document(t, "rank 0", toldSpan{n, root + 10, root, "Scheduler [TP 0] (host:a1b2 | pid:2)", at + 0.05, at + 3, scheduler(0)},
			toldSpan{n, root + 11, root + 10, "prefill_waiting", at + 0.1, at + 0.4, nil}, toldSpan{n, root + 12, root + 10, "prefill_forward", at + 0.4, at + 0.9, nil},
			toldSpan{n, root + 13, root + 10, "decode_forward", at + 0.9, at + 2.9, nil}, toldSpan{n, root + 14, root + 13, "decode_loop", at + 0.9, at + 0.95, nil}),
		document(t, "rank 1", toldSpan{n, root + 20, root, "Scheduler [TP 1] (host:a1b2 | pid:3)", at + 0.05, at + 3, scheduler(1)},
			toldSpan{n, root + 21, root + 20, "prefill_waiting", at + 0.1, at + 0.4, nil}, toldSpan{n, root + 22, root + 20, "prefill_forward", at + 0.4, at + 0.95, nil}),
	}
}

func TestTheStagesOfSGLangSplitItsRequests(t *testing.T) {
	var in []string
	for n := range 20 {
		in = append(in, sglang(t, n+1)...)
	}
	tr := read(t, append(in, in[1], in[2])...) // some are sent again
	got := map[string]string{}
	for name, q := range map[string]*Times{"ttft": tr.TTFT, "queue": tr.Queue, "prefill": tr.Prefill, "decode": tr.Decode, "e2e": tr.E2E, "prompt": tr.Prompt} {
		got[name] = fmt.Sprintf("%d of %.2f", q.Count, q.Max)
	}
	// The attribute for the prefill has the queue in it: the stage, of the slower rank, wins.
	want := map[string]string{"ttft": "20 of 0.90", "queue": "20 of 0.30", "prefill": "20 of 0.55", "decode": "20 of 2.10", "e2e": "20 of 3.00", "prompt": "20 of 700.00"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Before its root spans told times (srt/tracing/trace.py), they are the spans' own, and the first token's is that of the prefill.
func TestAnOldSGLangTellsByTheStagesAlone(t *testing.T) {
	tr := read(t, document(t, "a", toldSpan{1, 1, 0, "Bootstrap Room 0x0", 1000, 1003, map[string]any{"bootstrap_room": "0x0"}},
		toldSpan{1, 2, 1, " Req 5c1d09ab", 1000, 1003, map[string]any{"rid": "5c1d09ab33"}},
		toldSpan{1, 10, 2, "Scheduler [TP 0] (host:a1b2 | pid:2)", 1000, 1003, scheduler(0)},
		toldSpan{1, 11, 10, "prefill_waiting", 1000.1, 1000.4, nil}, toldSpan{1, 12, 10, "prefill_forward", 1000.4, 1000.9, nil}))
	r := tr.requests[0]
	for name, x := range map[string][2]float64{"e2e": {r.e2e, 3}, "ttft": {r.ttft, 0.9}, "queue": {r.queue, 0.3}, "prefill": {r.prefill, 0.5}} {
		if math.Abs(x[0]-x[1]) > 1e-6 {
			t.Errorf("%s is %v, want %v", name, x[0], x[1])
		}
	}
}

// A router gives prefill and decode one trace; both begin at once, and the transfer is a stage of the prefill.
func TestTheTransferOfSGLangIsAStageOfTheServerThatPrefills(t *testing.T) {
	var in []string
	for n := range 20 {
		at, p, d := 1000+float64(n), 100*(n+1), 100*(n+1)+50
		in = append(in, document(t, "prefill", toldSpan{n + 1, p, 0, "prefill Req 5c1d09ab", at, at + 1.2, map[string]any{
			"rid": "5c1d09ab33", "bootstrap_room": "0x77", "gen_ai.latency.e2e": 1.2, "gen_ai.usage.completion_tokens": 1.0,
		}}, toldSpan{n + 1, p + 1, p, "Scheduler", at, at + 1.2, scheduler(0)},
			toldSpan{n + 1, p + 2, p + 1, "prefill_forward", at + 0.1, at + 0.3, nil}, toldSpan{n + 1, p + 3, p + 1, "prefill_transfer_kv_cache", at + 0.3, at + 1.1, nil}),
			document(t, "decode", toldSpan{n + 1, d, 0, "decode Req 5c1d09ab", at, at + 3, map[string]any{
				"rid": "5c1d09ab33", "bootstrap_room": "0x77", "gen_ai.latency.e2e": 3.0, "gen_ai.latency.time_to_first_token": 1.25,
			}}, toldSpan{n + 1, d + 1, d, "Scheduler", at, at + 3, scheduler(0)}, toldSpan{n + 1, d + 2, d + 1, "decode_transferred", at, at + 1.2, nil}))
	}
	tr := read(t, in...)
	if tr.Handover != nil || tr.KVWait == nil || math.Abs(*tr.KVWait.P50-0.8) > 1e-6 || math.Abs(*tr.KVWaitRatio-0.64) > 1e-6 {
		t.Errorf("handover %v, KV wait %+v, %v of the first token", tr.Handover, tr.KVWait, tr.KVWaitRatio)
	}
}

// vLLM tells the transfer as queue of the server that decodes, as a request is scheduled once its KV cache is there.
func TestTheTransferOfVLLMIsQueueOfTheServerThatDecodes(t *testing.T) {
	var in []string
	for n := range 20 {
		at := 1000 + float64(n)
		in = append(in, document(t, "decode", toldSpan{n + 1, 2*n + 2, 0, "llm_request", at + 0.45, at + 3, map[string]any{
			"gen_ai.latency.e2e": 2.55, "gen_ai.latency.time_to_first_token": 1.0, "gen_ai.latency.time_in_queue": 0.95, "gen_ai.usage.completion_tokens": 100.0,
		}}), document(t, "prefill", toldSpan{n + 1, 2*n + 1, 0, "llm_request", at, at + 0.4, map[string]any{
			"gen_ai.latency.e2e": 0.4, "gen_ai.latency.time_to_first_token": 0.4, "gen_ai.latency.time_in_queue": 0.0, "gen_ai.usage.completion_tokens": 1.0,
		}}))
	}
	tr := read(t, in...)
	if math.Abs(*tr.Handover.P50-0.05) > 1e-6 || math.Abs(*tr.KVWait.P50-1) > 1e-6 || math.Abs(*tr.KVWaitRatio-1/1.45) > 1e-6 {
		t.Errorf("handover %+v, KV wait %+v, %v of the first token", tr.Handover, tr.KVWait, *tr.KVWaitRatio)
	}
	var b strings.Builder
	if err := tr.WriteText(&b, ""); err != nil || !strings.Contains(b.String(), " KV wait       1.0 s") {
		t.Errorf("%v\n%s", err, b.String())
	}
}

// An agent asks twice in one trace; its second question has not travelled from the server of the first.
func TestTheQuestionsOfAnAgentAreNoHandover(t *testing.T) {
	var in []string
	for n := range 20 {
		at := 1000 + float64(n)
		for i, instance := range []string{"a", "b"} {
			in = append(in, document(t, instance, toldSpan{n + 1, 2*n + i + 1, 0, "llm_request", at + float64(i)*0.5, at + float64(i)*0.5 + 0.4, map[string]any{
				"gen_ai.latency.e2e": 0.4, "gen_ai.latency.time_to_first_token": 0.1, "gen_ai.latency.time_in_queue": 0.0, "gen_ai.usage.completion_tokens": 30.0,
			}}))
		}
	}
	if tr := read(t, in...); tr.Handover != nil || tr.KVWait != nil {
		t.Errorf("handover %+v", tr.Handover)
	}
}

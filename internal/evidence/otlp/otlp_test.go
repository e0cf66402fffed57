package otlp

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden file")

// Traces of a real vLLM 0.25.1 on an H200 under prompts of 250 tokens with some of 12,000 between.
func TestRealTracesSayWhoMadeTheTail(t *testing.T) {
	files, err := filepath.Glob("testdata/*.pb")
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	tr, err := Open(files...)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := tr.WriteText(&b, "https://traces.example/{trace_id}"); err != nil {
		t.Fatal(err)
	}
	golden := "testdata/longmix.txt"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Error(d)
	}
	if x := tr.Tail; x.PromptTimes > 2 || x.NeighbourTimes < 10 {
		t.Errorf("the tail is of usual prompts beside long ones: %+v", x)
	}
}

func span(trace, id, service string, start, ttft, e2e float64, prompt int) string {
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":%q}}]},"scopeSpans":[{"spans":[
		{"traceId":%q,"spanId":%q,"name":"llm_request","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
		{"key":"gen_ai.latency.time_to_first_token","value":{"doubleValue":%g}},{"key":"gen_ai.latency.e2e","value":{"doubleValue":%g}},
		{"key":"gen_ai.latency.time_in_queue","value":{"doubleValue":0.01}},{"key":"gen_ai.usage.prompt_tokens","value":{"intValue":"%d"}}]}]}]}]}`,
		service, trace, id, int64(start*1e9), int64((start+e2e)*1e9), ttft, e2e, prompt)
}

func read(t *testing.T, in ...string) *Traces {
	t.Helper()
	tr, err := Read(strings.NewReader(strings.Join(in, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func TestASpanThatIsSentAgainCountsOnce(t *testing.T) {
	one := span("aa", "01", "vllm", 100, 0.1, 1, 50)
	tr := read(t, one, one, span("ab", "02", "vllm", 101, 0.1, 1, 50))
	if tr.Requests != 2 || !strings.Contains(strings.Join(tr.Notes, " "), "1 spans came twice") {
		t.Errorf("%d requests, %q", tr.Requests, tr.Notes)
	}
}

func TestAQuantileNeedsEnoughRequests(t *testing.T) {
	var in []string
	for i := range 100 {
		in = append(in, span("aa", fmt.Sprint(i), "vllm", 100+float64(i), float64(i+1)/100, 1, 50))
		tr := read(t, in...)
		if q := tr.TTFT; (q.P50 != nil) != (i+1 >= 20) || (q.P90 != nil) != (i+1 >= 50) || (q.P99 != nil) != (i+1 >= 100) || q.P999 != nil {
			t.Fatalf("of %d requests %+v", i+1, q)
		}
	}
	if q := read(t, in...).TTFT; *q.P99 != 0.99 || *q.P50 != 0.5 || q.Max != 1 {
		t.Errorf("P50 %v, P99 %v, slowest %v", *q.P50, *q.P99, q.Max)
	}
}

func TestARequestIsFollowedFromPrefillToDecode(t *testing.T) {
	var in []string
	for i := range 25 {
		id, at := fmt.Sprintf("%02x", i+1), 100+float64(i)
		in = append(in, span(id, "d"+id, "decode", at+0.75, 0.1, 2, 50), span(id, "p"+id, "prefill", at, 0.5, 0.5, 50))
	}
	tr := read(t, in...)
	if h := tr.Handover; h == nil || h.Count != 25 || math.Abs(*h.P50-0.25) > 1e-6 {
		t.Errorf("handover %+v, want 0.25 s for each of 25", h)
	}
}

func TestWhatIsBroken(t *testing.T) {
	for name, in := range map[string]string{
		"nothing": "", "text": "hello", "other JSON": `{"a":1}`, "spans of something else": `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"GET /"}]}]}]}`,
		"broken protobuf": "\n\xff\xff\xff\xff\xff\xff",
	} {
		if _, err := Read(strings.NewReader(in)); !errors.Is(err, ErrNoTraces) || !strings.Contains(err.Error(), "hint") {
			t.Errorf("%s: %v", name, err)
		}
	}
	tr := read(t, span("aa", "01", "vllm", 100, 0.1, 1, 50), `{"resourceSpans":[{"scop`)
	if tr.Requests != 1 || !strings.Contains(strings.Join(tr.Notes, " "), "breaks off at its document 2") {
		t.Errorf("%+v", tr)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(span("aa", "01", "vllm", 100, 0.1, 1, 50)))
	f.Add([]byte(`{"resourceSpans":[{"scopeSpans":[{"spans":[{"startTimeUnixNano":5,"attributes":[{"key":"gen_ai.latency.e2e","value":{"intValue":7}}]}]}]}]}`))
	if raw, err := os.ReadFile("testdata/vllm-0.25.1-longmix-5.pb"); err == nil {
		f.Add(raw[:2000])
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		tr, err := Read(bytes.NewReader(in))
		if err != nil {
			return
		}
		for name, v := range tr.Facts() {
			if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) || v.Num < 0 {
				t.Errorf("%s is %v", name, v.Num)
			}
		}
		if err := tr.WriteText(io.Discard, ""); err != nil {
			t.Error(err)
		}
	})
}

package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/internal/setup"
	"github.com/inferdx/inferdx/internal/source/recording"
)

// payloads are what a real vLLM 0.25.1 sent while short prompts waited beside long ones, as base-longmix is.
func payloads(t *testing.T) [][]byte {
	t.Helper()
	files, err := filepath.Glob("../evidence/otlp/testdata/*.pb")
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	var out [][]byte
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func (w *watched) post(kind string, body []byte) int {
	w.t.Helper()
	req := httptest.NewRequest("POST", "/v1/traces", bytes.NewReader(body))
	req.Header.Set("Content-Type", kind)
	answer := httptest.NewRecorder()
	w.TraceHandler().ServeHTTP(answer, req)
	return answer.Code
}

// longmix is a service that watches the server of the payloads.
func longmix(t *testing.T, otlp string) *watched {
	t.Helper()
	st, err := recording.Open("../../corpus/base-longmix/metrics.om.gz", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, last, _ := st.Bounds()
	w := serve(t, time.UnixMilli(last), "urls: 127.0.0.1:9\ntrace_link: https://jaeger.example/trace/{trace_id}\n"+otlp)
	w.world.samples = st
	w.look()
	if err := w.adoptSpans(t.Context(), w.parts.Load()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.spans.close(context.Background()) })
	return w
}

// hurt is the diagnosis of the server of vLLM.
func hurt(t *testing.T, got seen) model.Diagnosis {
	t.Helper()
	i := slices.IndexFunc(got.diagnoses, func(d model.Diagnosis) bool { return d.Scope == model.ScopeTarget && len(d.Symptoms) > 0 })
	if i < 0 {
		t.Fatalf("nothing hurts: %+v", status(got.diagnoses))
	}
	return got.diagnoses[i]
}

// evidence is what is said for a cause.
func evidence(d model.Diagnosis, cause string) string {
	var b strings.Builder
	for _, c := range d.Causes {
		for _, e := range c.For {
			if c.ID == cause {
				b.WriteString(e.Text + "\n")
			}
		}
	}
	return b.String()
}

const matched = "otlp: {protocols: {http: }, match: [{resource: {service.name: vllm-server}, target: {job: '.+'}}]}"

func TestSpansOfARealVLLMReachItsDiagnosis(t *testing.T) {
	w := longmix(t, matched)
	for _, b := range payloads(t) {
		if code := w.post("application/x-protobuf", b); code != 200 {
			t.Fatal(code)
		}
	}
	d := hurt(t, w.look())
	if said := evidence(d, "long-prompt-interference"); !strings.Contains(said, "times as many prompt tokens of others as usual") {
		t.Errorf("long-prompt-interference rests on %q", said)
	}
	// What hurts most is that tokens are slow, so the request with the slowest ones comes first.
	if len(d.Examples) != 3 || d.Examples[0].Shows != model.SlowTokens || d.Examples[0].TraceID != "eedd18192a411b7b48db115893f75d34" || d.Examples[0].Link != "https://jaeger.example/trace/"+d.Examples[0].TraceID {
		t.Errorf("examples %+v", d.Examples)
	}
	w.wall = w.wall.Add(6 * time.Minute) // the window slides, and a span is an hour old at most
	if v := w.traced(w.parts.Load(), w.wall); v.Traces(model.LabelsFrom(d.Target)) != nil || w.spans.window.Len() != 0 {
		t.Errorf("%d spans are kept after the window", w.spans.window.Len())
	}
}

func TestSpansThatFitNoServerAreNotMixedInButSaid(t *testing.T) {
	w := longmix(t, "otlp: {protocols: {http: }}")
	for _, b := range payloads(t) {
		w.post("application/x-protobuf", b)
	}
	d := hurt(t, w.look())
	if said := evidence(d, "long-prompt-interference"); strings.Contains(said, "prompt tokens of others") || len(d.Examples) > 0 {
		t.Errorf("spans of an unknown server were mixed in: %q, %v", said, d.Examples)
	}
	if notes := strings.Join(d.Notes, "\n"); !strings.Contains(notes, "227 traced requests of vllm-server (service.instance.id bf1df9ef-e60e-4d20-ada9-8aa8322ffeed) fit no server") || !strings.Contains(notes, "OTEL_RESOURCE_ATTRIBUTES") {
		t.Errorf("notes %q", d.Notes)
	}
	page := httptest.NewRecorder()
	w.o.Metrics.Handler().ServeHTTP(page, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range []string{`inferdx_otlp_requests_unassigned{fits="none"} 227`, `inferdx_otlp_spans_total{result="kept"} 227`, `inferdx_otlp_requests_total{protocol="http",result="accepted"} 5`, "inferdx_otlp_spans_kept 227"} {
		if !strings.Contains(page.Body.String(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
}

func TestTracesAreRefusedUntilTheConfigurationTakesThem(t *testing.T) {
	w := serve(t, time.Unix(1_800_000_000, 0), "urls: 127.0.0.1:9")
	if code := w.post("application/json", []byte("{}")); code != 404 {
		t.Errorf("status %d", code)
	}
}

// A reload opens and closes endpoints; one that cannot be opened refuses the configuration.
func TestEndpointsOfTracesFollowTheConfiguration(t *testing.T) {
	w := serve(t, time.Now(), "urls: 127.0.0.1:9")
	w.Service.clock = newClock(time.Now)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	reload := func(otlp string) error {
		text := "urls: 127.0.0.1:9\nstorage: {path: " + filepath.Join(filepath.Dir(w.path), "data") + "}\n" + otlp
		write(t, w.path, text)
		next, err := setup.Load(w.path)
		if err != nil {
			t.Fatal(err)
		}
		for {
			if err = w.Reload(next); err != ErrNotRunning { //nolint:errorlint // it is that one
				return err
			}
			time.Sleep(time.Millisecond)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := free.Addr().String()
	grpc := fmt.Sprintf("otlp: {protocols: {grpc: {endpoint: '%s'}}}", at)
	if err := reload(grpc); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("an address in use: %v", err)
	}
	_ = free.Close()
	if err := reload(grpc); err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatalf("it does not listen: %v", err)
	}
	_ = c.Close()
	if err := reload(""); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", at); err == nil {
		_ = c.Close()
		t.Error("it still listens")
	}
}

// Prefill and decode are two servers, and spans tell how long a request is on its way between them.
func TestTheWayBetweenPrefillAndDecodeIsTheirsBoth(t *testing.T) {
	w := serve(t, time.Unix(1_800_000_000, 0), "urls: 127.0.0.1:9\notlp: {protocols: {http: }}")
	if err := w.adoptSpans(t.Context(), w.parts.Load()); err != nil {
		t.Fatal(err)
	}
	w.spans.targets = []map[string]string{{"job": "p", "instance": "10.0.0.1:8000"}, {"job": "d", "instance": "10.0.0.2:8000"}, {"job": "x", "instance": "10.0.0.3:8000"}}
	for i := range 25 {
		begin := float64(w.wall.Unix()) + float64(i)
		for _, s := range []struct {
			at                     string
			id                     int
			start, queue, ttft, e2 float64
			output                 int
		}{{"10.0.0.1:8000", 1, begin, 0.01, 0.2, 0.2, 1}, {"10.0.0.2:8000", 2, begin + 0.21, 0.6, 0.65, 2, 100}} {
			text := fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.instance.id","value":{"stringValue":%q}}]},"scopeSpans":[{"spans":[
				{"traceId":"%032x","spanId":"%016x","name":"llm_request","startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[
				{"key":"gen_ai.latency.time_in_queue","value":{"doubleValue":%g}},{"key":"gen_ai.latency.time_to_first_token","value":{"doubleValue":%g}},
				{"key":"gen_ai.latency.e2e","value":{"doubleValue":%g}},{"key":"gen_ai.usage.completion_tokens","value":{"intValue":"%d"}}]}]}]}]}`,
				s.at, i+1, 2*i+s.id, int64(s.start*1e9), int64((s.start+s.e2)*1e9), s.queue, s.ttft, s.e2, s.output)
			if code := w.post("application/json", []byte(text)); code != 200 {
				t.Fatal(code)
			}
		}
	}
	v := w.traced(w.parts.Load(), w.wall)
	for _, target := range w.spans.targets[:2] {
		f := v.Facts(model.LabelsFrom(target))
		got := map[string]string{}
		for _, name := range []string{"trace_requests", "trace_kv_wait_p50_s", "trace_kv_wait_ratio", "trace_handover_p50_s"} {
			got[name] = fmt.Sprintf("%.2f", f[name].Num)
		}
		if d := cmp.Diff(map[string]string{"trace_requests": "25.00", "trace_kv_wait_p50_s": "0.61", "trace_kv_wait_ratio": "0.71", "trace_handover_p50_s": "0.01"}, got); d != "" {
			t.Errorf("%v: %s", target, d)
		}
	}
	if f := v.Facts(model.LabelsFrom(w.spans.targets[2])); f != nil {
		t.Errorf("a server without traces has %v", f)
	}
	if _, err := json.Marshal(v.Examples(w.spans.targets[1], model.SlowFirstToken, 3)); err != nil {
		t.Error(err)
	}
}

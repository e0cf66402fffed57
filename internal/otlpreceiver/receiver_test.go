package otlpreceiver_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.uber.org/goleak"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/evidence/otlp"
	"github.com/inferdx/inferdx/internal/otlpreceiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept stands for the window.
type kept struct {
	mu      sync.Mutex
	spans   int
	peers   map[string]int
	results map[string]int
	hold    chan struct{} // messages wait here, if set
	fail    error
	strange int
}

func (k *kept) take(b *otlp.Batch, peer string) (otlp.Taken, error) {
	if k.hold != nil {
		<-k.hold
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return otlp.Taken{}, k.fail
	}
	k.spans += b.Spans - k.strange
	k.peers[peer]++
	return otlp.Taken{Kept: b.Spans - k.strange, Strangers: k.strange}, nil
}

func (k *kept) count(protocol, result string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.results[protocol+" "+result]++
}

func (k *kept) of(result string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.results[result]
}

func newKept() *kept { return &kept{peers: map[string]int{}, results: map[string]int{}} }

func (k *kept) receiver(l otlpreceiver.Limits, patience time.Duration) *otlpreceiver.Receiver {
	return otlpreceiver.New(otlpreceiver.Options{Limits: l, Take: k.take, Count: k.count, Patience: patience})
}

var roomy = otlpreceiver.Limits{Message: 1 << 20, Requests: 8}

// listen opens both endpoints until the test ends.
func listen(t *testing.T, r *otlpreceiver.Receiver) (httpAt, grpcAt string) {
	t.Helper()
	l := &otlpreceiver.Listeners{Connections: 16, Log: slog.New(slog.DiscardHandler)}
	want := []otlpreceiver.Endpoint{{Protocol: "http", Address: "127.0.0.1:0"}, {Protocol: "grpc", Address: "127.0.0.1:0"}}
	if err := l.Apply(t.Context(), r, want); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(context.Background()) })
	at := l.Addresses()
	return at[want[0]].String(), at[want[1]].String()
}

// exporters are the real ones of OpenTelemetry.
func exporters(t *testing.T, httpAt, grpcAt string) map[string]sdk.SpanExporter {
	t.Helper()
	const first, most, all = 20 * time.Millisecond, 20 * time.Millisecond, time.Minute
	h, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpoint(httpAt), otlptracehttp.WithInsecure(), otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: first, MaxInterval: most, MaxElapsedTime: all}))
	if err != nil {
		t.Fatal(err)
	}
	g, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(grpcAt), otlptracegrpc.WithInsecure(), otlptracegrpc.WithCompressor("gzip"),
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: first, MaxInterval: most, MaxElapsedTime: all}))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]sdk.SpanExporter{"http": h, "grpc": g}
}

// export sends requests in one message, and gives what the exporter makes of the answer.
func export(t *testing.T, e sdk.SpanExporter, n int) error {
	t.Helper()
	var all gather
	p := sdk.NewTracerProvider(sdk.WithSyncer(&all), sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "vllm"))))
	for range n {
		_, s := p.Tracer("vllm.llm_engine").Start(t.Context(), "llm_request")
		s.SetAttributes(attribute.Float64("gen_ai.latency.time_to_first_token", 0.1), attribute.Float64("gen_ai.latency.e2e", 1))
		s.End()
	}
	return e.ExportSpans(t.Context(), all)
}

type gather []sdk.ReadOnlySpan

func (g *gather) ExportSpans(_ context.Context, s []sdk.ReadOnlySpan) error {
	*g = append(*g, s...)
	return nil
}
func (*gather) Shutdown(context.Context) error { return nil }

func TestRealExportersAreHeardByBothProtocols(t *testing.T) {
	k := newKept()
	httpAt, grpcAt := listen(t, k.receiver(roomy, 0))
	for name, e := range exporters(t, httpAt, grpcAt) {
		if err := export(t, e, 3); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if k.spans != 6 || k.peers["127.0.0.1"] != 2 {
		t.Errorf("%d spans from %v, want 6 from the exporters' own address", k.spans, k.peers)
	}
	if d := cmp.Diff(map[string]int{"http accepted": 1, "grpc accepted": 1}, k.results); d != "" {
		t.Error(d)
	}
}

func TestWhatIsTooMuchAtOnceIsSentAgainAndNotLost(t *testing.T) {
	for _, name := range []string{"http", "grpc"} {
		k := newKept()
		k.hold = make(chan struct{})
		httpAt, grpcAt := listen(t, k.receiver(otlpreceiver.Limits{Message: 1 << 20, Requests: 1}, 0))
		es := exporters(t, httpAt, grpcAt)
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := export(t, es[name], 2); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		for k.of(name+" overloaded") < 2 {
			time.Sleep(5 * time.Millisecond)
		}
		close(k.hold)
		all.Wait()
		for _, e := range es {
			_ = e.Shutdown(t.Context())
		}
		if k.spans != 6 || k.of(name+" accepted") != 3 {
			t.Errorf("%s: %d spans arrived of 6, %v", name, k.spans, k.results)
		}
	}
}

func TestAFullWindowIsSaidSoThatExportersComeAgain(t *testing.T) {
	k := newKept()
	k.fail = otlp.ErrFull
	httpAt, grpcAt := listen(t, k.receiver(roomy, 0))
	for name, e := range exporters(t, httpAt, grpcAt) {
		var all sync.WaitGroup
		all.Go(func() {
			if err := export(t, e, 1); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		for k.of(name+" full") < 1 {
			time.Sleep(5 * time.Millisecond)
		}
		k.mu.Lock()
		k.fail = nil
		k.mu.Unlock()
		all.Wait()
		k.mu.Lock()
		k.fail = otlp.ErrFull
		k.mu.Unlock()
		_ = e.Shutdown(t.Context())
	}
	if k.spans != 2 {
		t.Errorf("%d spans arrived of 2", k.spans)
	}
}

func TestSpansThatAreRefusedAreNamedToTheSender(t *testing.T) {
	k := newKept()
	k.strange = 2
	httpAt, grpcAt := listen(t, k.receiver(roomy, 0))
	for name, e := range exporters(t, httpAt, grpcAt) {
		if err := export(t, e, 3); err == nil || !strings.Contains(err.Error(), "2 spans rejected") {
			t.Errorf("%s: %v", name, err)
		}
		_ = e.Shutdown(t.Context())
	}
	if k.of("http partial") != 1 || k.of("grpc partial") != 1 {
		t.Error(k.results)
	}
}

func packed(text []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(text)
	_ = z.Close()
	return b.Bytes()
}

const one = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"llm_request",
	"startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000","attributes":[{"key":"gen_ai.latency.e2e","value":{"doubleValue":1}}]}]}]}]}`

func TestWhatIsNoOTLPIsAnsweredAsTheSpecificationSays(t *testing.T) {
	real, err := os.ReadFile("../evidence/otlp/testdata/vllm-0.25.1-longmix-5.pb")
	if err != nil {
		t.Fatal(err)
	}
	const pb, js = "application/x-protobuf", "application/json"
	for _, c := range []struct {
		name, method, kind, encoding string
		body                         []byte
		status                       int
		result                       string
	}{
		{"protobuf of a real vLLM", "POST", pb, "", real, 200, "accepted"},
		{"packed", "POST", pb, "gzip", packed(real), 200, "accepted"},
		{"JSON", "POST", js + "; charset=utf-8", "", []byte(one), 200, "accepted"},
		{"nothing in it", "POST", pb, "", nil, 200, "accepted"},
		{"another method", "GET", pb, "", nil, 405, ""},
		{"another type", "POST", "text/plain", "", real, 415, "unsupported"},
		{"another packing", "POST", pb, "zstd", real, 415, "unsupported"},
		{"not packed", "POST", pb, "gzip", real, 400, "invalid"},
		{"packed and cut off", "POST", pb, "gzip", packed(real)[:2000], 400, "invalid"},
		{"cut off", "POST", pb, "", real[:2001], 400, "invalid"},
		{"broken JSON", "POST", js, "", []byte(one[:50]), 400, "invalid"},
		{"too large", "POST", pb, "", make([]byte, 1<<20+1), 413, "too_large"},
		{"too large unpacked", "POST", pb, "gzip", packed(make([]byte, 50<<20)), 413, "too_large"},
	} {
		k := newKept()
		w := httptest.NewRecorder()
		req := httptest.NewRequest(c.method, "/v1/traces", bytes.NewReader(c.body))
		req.Header.Set("Content-Type", c.kind)
		if c.encoding != "" {
			req.Header.Set("Content-Encoding", c.encoding)
		}
		k.receiver(roomy, 0).ServeHTTP(w, req)
		if w.Code != c.status || c.result != "" && k.of("http "+c.result) != 1 {
			t.Errorf("%s: %d, %v", c.name, w.Code, k.results)
		}
		if c.status >= 400 && c.status != 405 {
			told := w.Body.String()
			if w.Header().Get("Content-Type") == pb {
				var st spb.Status
				if err := proto.Unmarshal(w.Body.Bytes(), &st); err != nil {
					t.Errorf("%s: the answer is no Status: %v", c.name, err)
				}
				told = st.GetMessage()
			}
			if told == "" || w.Header().Get("Retry-After") != "" {
				t.Errorf("%s: %q, %v", c.name, told, w.Header())
			}
		}
	}
}

func TestACollectorOrAProxySaysNothingAboutWhereTheServerIs(t *testing.T) {
	for _, c := range []struct {
		agent, forwarded, want string
	}{
		{"OTel-OTLP-Exporter-Python/1.45.2", "", "192.0.2.1"},
		{"OTel-OTLP-Exporter-Python/1.45.2", "10.0.0.9", ""},
		{"OpenTelemetry Collector/0.150.0", "", ""},
		{"", "", ""},
	} {
		k := newKept()
		req := httptest.NewRequest("POST", "/v1/traces", strings.NewReader(one))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", c.agent)
		if c.forwarded != "" {
			req.Header.Set("X-Forwarded-For", c.forwarded)
		}
		k.receiver(roomy, 0).ServeHTTP(httptest.NewRecorder(), req)
		if k.peers[c.want] != 1 {
			t.Errorf("%q: %v", c.agent, k.peers)
		}
	}
}

func TestASlowSenderLosesItsPlaceSoThatOthersAreHeard(t *testing.T) {
	k := newKept()
	httpAt, _ := listen(t, k.receiver(otlpreceiver.Limits{Message: 1 << 20, Requests: 1}, time.Second))
	c, err := net.Dial("tcp", httpAt)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := fmt.Fprint(c, "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	for k.of("http overloaded") == 0 && k.of("http too_slow") == 0 { // until the slow one has the place
		if code := post(t, httpAt); code != 200 && code != 429 {
			t.Fatal(code)
		}
	}
	if k.of("http overloaded") == 0 {
		t.Error("the slow one had the place, and others were not told to come again")
	}
	for k.of("http too_slow") == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	if code := post(t, httpAt); code != 200 {
		t.Errorf("after it: %d", code)
	}
	answer, err := io.ReadAll(io.LimitReader(c, 12))
	if err != nil || !strings.Contains(string(answer), "503") {
		t.Errorf("the slow one was told %q, %v", answer, err)
	}
}

func TestASlowCallOfGRPCLosesItsPlace(t *testing.T) {
	k := newKept()
	_, grpcAt := listen(t, k.receiver(otlpreceiver.Limits{Message: 1 << 20, Requests: 1}, 200*time.Millisecond))
	body, slow := io.Pipe()
	defer func() { _ = slow.Close() }()
	client := &http.Client{Transport: &http.Transport{Protocols: onlyH2()}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+grpcAt+"/opentelemetry.proto.collector.trace.v1.TraceService/Export", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("Te", "trailers")
	go func() { _, _ = slow.Write([]byte{0, 0, 0, 1, 0}) }()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	for range 2000 {
		if k.of("grpc too_slow") > 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if k.of("grpc too_slow") != 1 {
		t.Errorf("the slow one is counted as %v", k.results)
	}
	e, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpoint(grpcAt), otlptracegrpc.WithInsecure())
	if err != nil {
		t.Fatal(err)
	}
	if err := export(t, e, 1); err != nil {
		t.Errorf("after it: %v", err)
	}
	_ = e.Shutdown(t.Context())
}

func onlyH2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

func post(t *testing.T, at string) int {
	t.Helper()
	resp, err := http.Post("http://"+at+"/v1/traces", "application/json", strings.NewReader(one)) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	return resp.StatusCode
}

func TestWhatIsNoCallOfGRPCIsRefusedAndCounted(t *testing.T) {
	k := newKept()
	_, grpcAt := listen(t, k.receiver(roomy, 0))
	client := &http.Client{Transport: &http.Transport{Protocols: onlyH2()}}
	defer client.CloseIdleConnections()
	message := func(b []byte) io.Reader {
		return bytes.NewReader(append([]byte{0, byte(len(b) >> 24), byte(len(b) >> 16), byte(len(b) >> 8), byte(len(b))}, b...))
	}
	for _, c := range []struct {
		method, result string
		body           io.Reader
	}{
		{"Export", "grpc invalid", message([]byte("\n\xff\xff\xff\xff"))},
		{"Export", "grpc too_large", message(make([]byte, 1<<20+1))},
		{"Import", "grpc unsupported", message(nil)},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+grpcAt+"/opentelemetry.proto.collector.trace.v1.TraceService/"+c.method, c.body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if k.of(c.result) != 1 || k.spans != 0 {
			t.Errorf("%s: %v, status %s", c.result, k.results, resp.Trailer.Get("Grpc-Status"))
		}
	}
}

func TestAnEndpointThatCannotBeOpenedLeavesTheOthersAsTheyWere(t *testing.T) {
	k := newKept()
	r := k.receiver(roomy, 0)
	l := &otlpreceiver.Listeners{Connections: 16, Log: slog.New(slog.DiscardHandler)}
	old := otlpreceiver.Endpoint{Protocol: "http", Address: "127.0.0.1:0"}
	if err := l.Apply(t.Context(), r, []otlpreceiver.Endpoint{old}); err != nil {
		t.Fatal(err)
	}
	defer l.Close(context.Background())
	at := l.Addresses()[old].String()
	err := l.Apply(t.Context(), r, []otlpreceiver.Endpoint{{Protocol: "grpc", Address: "127.0.0.1:0"}, {Protocol: "http", Address: at}})
	var taken *net.OpError
	if !errors.As(err, &taken) {
		t.Errorf("an address in use: %v", err)
	}
	if len(l.Addresses()) != 1 || post(t, at) != 200 {
		t.Errorf("open: %v", l.Addresses())
	}
	if err := l.Apply(t.Context(), r, nil); err != nil || len(l.Addresses()) != 0 {
		t.Errorf("%v, open: %v", err, l.Addresses())
	}
}

func FuzzReceiver(f *testing.F) {
	real, err := os.ReadFile("../evidence/otlp/testdata/vllm-0.25.1-longmix-5.pb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real[:3000], false, "")
	f.Add(packed([]byte(one)), true, "gzip")
	f.Add([]byte(one), true, "")
	f.Fuzz(func(t *testing.T, body []byte, json bool, encoding string) {
		w := otlp.NewWindow(otlp.Limits{Span: time.Minute, PerSender: 100, Total: 1000, Senders: 4})
		now := time.Unix(1_800_000_000, 0)
		r := otlpreceiver.New(otlpreceiver.Options{Limits: otlpreceiver.Limits{Message: 1 << 16, Requests: 1}, Count: func(string, string) {}, Take: func(b *otlp.Batch, peer string) (otlp.Taken, error) {
			return w.Add(b, peer, now)
		}})
		req := httptest.NewRequest("POST", "/v1/traces", bytes.NewReader(body))
		req.Header.Set("Content-Type", map[bool]string{true: "application/json", false: "application/x-protobuf"}[json])
		req.Header["Content-Encoding"] = []string{encoding}
		answer := httptest.NewRecorder()
		r.ServeHTTP(answer, req)
		switch answer.Code {
		case 200, 400, 413, 415, 429:
		default:
			t.Errorf("status %d", answer.Code)
		}
		if w.Len() > 1000 {
			t.Errorf("%d spans are kept", w.Len())
		}
		v := w.View(otlp.Matcher{}, []map[string]string{{"instance": "a:1", "job": "vllm"}}, now.Add(-time.Minute), now)
		_ = v.Notes(map[string]string{"instance": "a:1"})
	})
}

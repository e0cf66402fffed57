package otlp

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/inferdx/inferdx/internal/model"
)

var noon = time.Unix(1_800_000_000, 0)

func batch(t *testing.T, text string) *Batch {
	t.Helper()
	b, err := JSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// spanOf is a request that ended at a time.
func spanOf(trace int, service string, end time.Time) string {
	return span(fmt.Sprintf("%x", trace), fmt.Sprintf("%x", trace), service, float64(end.Unix())-1, 0.1, 1, 50)
}

var small = Limits{Span: time.Minute, PerSender: 10, Total: 25, Senders: 3}

func TestTheWindowSlidesByTheTimeOfArrival(t *testing.T) {
	w := NewWindow(small)
	for i := range 5 {
		at := noon.Add(time.Duration(i) * 20 * time.Second)
		if _, err := w.Add(batch(t, spanOf(i+1, "a", noon.Add(-24*time.Hour))), "", at); err != nil { // a sender's clock is a day late
			t.Fatal(err)
		}
	}
	targets := []map[string]string{{"instance": "a:1", "job": "a"}}
	v := w.View(Matcher{}, targets, noon.Add(20*time.Second), noon.Add(80*time.Second))
	if got := v.Traces(model.LabelsFrom(targets[0])); got == nil || got.Requests != 3 || w.Len() != 3 {
		t.Errorf("%+v, %d kept, want those of the last minute", got, w.Len())
	}
	got, err := w.Add(batch(t, spanOf(1, "a", noon)), "", noon.Add(80*time.Second))
	if err != nil || got.Kept != 1 {
		t.Errorf("what left is forgotten, also that it came: %+v, %v", got, err)
	}
}

func TestWhatIsSentAgainCountsOnce(t *testing.T) {
	w := NewWindow(small)
	_, _ = w.Add(batch(t, spanOf(1, "a", noon)), "", noon)
	got, err := w.Add(batch(t, spanOf(1, "a", noon)), "", noon.Add(time.Second))
	if err != nil || got != (Taken{Twice: 1}) || w.Len() != 1 {
		t.Errorf("%+v, %v, %d kept", got, err, w.Len())
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	w := NewWindow(small)
	var sum Taken
	full := 0
	for i := range 200 {
		got, err := w.Add(batch(t, spanOf(i+1, fmt.Sprintf("s%d", i%5), noon)), "", noon.Add(time.Duration(i)*time.Millisecond))
		if errors.Is(err, ErrFull) {
			full++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		sum.Kept, sum.Evicted, sum.Strangers = sum.Kept+got.Kept, sum.Evicted+got.Evicted, sum.Strangers+got.Strangers
		if w.Len() > small.Total || len(w.known) != w.Len() {
			t.Fatalf("%d kept, %d known", w.Len(), len(w.known))
		}
	}
	if sum.Kept-sum.Evicted != w.Len() || sum.Strangers == 0 || sum.Kept+sum.Strangers+full != 200 {
		t.Errorf("%+v, %d times full, %d kept: a span is lost silently", sum, full, w.Len())
	}
	one := NewWindow(Limits{Span: time.Minute, PerSender: 10, Total: 1000, Senders: 3})
	for i := range 30 {
		_, _ = one.Add(batch(t, spanOf(i+1, "a", noon)), "", noon)
	}
	targets := []map[string]string{{"instance": "a:1", "job": "a"}}
	v := one.View(Matcher{}, targets, noon.Add(-time.Minute), noon)
	if got := v.Traces(model.LabelsFrom(targets[0])); got.Requests != 10 || len(v.Notes(targets[0])) != 1 {
		t.Errorf("%d requests, %q", got.Requests, v.Notes(targets[0]))
	}
}

func TestASpanNeedsLittleMemory(t *testing.T) {
	const n = 50_000
	b := &Batch{Spans: n, groups: map[string]*group{}}
	g := &group{Sender: Sender{Attributes: map[string]string{"service.name": "a"}}}
	for i := range n {
		r := newRaw("llm_request", 1, 2).request
		r.trace[0], r.trace[1], r.trace[2] = byte(i), byte(i>>8), byte(i>>16)
		r.span = spanID(r.trace[:8])
		g.requests = append(g.requests, r)
	}
	b.groups[g.key()] = g
	w := NewWindow(Limits{Span: time.Minute, PerSender: n, Total: n, Senders: 1})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	if got, err := w.Add(b, "", noon); err != nil || got.Kept != n {
		t.Fatal(got, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := float64(after.HeapAlloc-before.HeapAlloc) / n
	if each > 300 || each < 100 {
		t.Errorf("%.0f bytes a request", each)
	}
	runtime.KeepAlive(w)
	runtime.KeepAlive(b)
}

func TestASenderIsFoundByWhatItTells(t *testing.T) {
	targets := []map[string]string{
		0: {"job": "vllm", "instance": "10.0.0.1:8000", "pod": "llm-a", "namespace": "x", "model_name": "qwen"},
		1: {"job": "vllm", "instance": "10.0.0.1:8001", "pod": "llm-b", "namespace": "x", "model_name": "llama"},
		2: {"job": "chat", "instance": "10.0.0.2:8000", "pod": "llm-a", "namespace": "y", "model_name": "qwen"},
	}
	as := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	for _, c := range []struct {
		name string
		in   Sender
		want []int
	}{
		{"nothing", Sender{}, nil},
		{"a random instance", Sender{Attributes: as("service.name", "vllm-server", "service.instance.id", "bf1df9ef")}, nil},
		{"the instance that metrics have", Sender{Attributes: as("service.instance.id", "10.0.0.1:8001", "service.name", "chat")}, []int{1}},
		{"the pod, of two of that name", Sender{Attributes: as("k8s.pod.name", "llm-a", "k8s.namespace.name", "y")}, []int{2}},
		{"the pod alone", Sender{Attributes: as("k8s.pod.name", "llm-a")}, []int{0, 2}},
		{"the pod, and the model", Sender{Attributes: as("k8s.pod.name", "llm-a", "service.name", "chat")}, []int{2}},
		{"another pod", Sender{Attributes: as("k8s.pod.name", "llm-z"), Model: "llama", Peer: "10.0.0.2"}, nil},
		{"the address and port", Sender{Attributes: as("server.address", "10.0.0.1", "server.port", "8000")}, []int{0}},
		{"an address of two", Sender{Attributes: as("k8s.pod.ip", "10.0.0.1")}, []int{0, 1}},
		{"an address of two, and the model", Sender{Attributes: as("k8s.pod.ip", "10.0.0.1"), Model: "llama"}, []int{1}},
		{"another address", Sender{Attributes: as("net.host.ip", "10.0.0.9"), Model: "llama"}, nil},
		{"a host name, which is no address", Sender{Attributes: as("host.name", "gpu-1"), Model: "llama"}, []int{1}},
		{"the service", Sender{Attributes: as("service.name", "chat")}, []int{2}},
		{"the service of two", Sender{Attributes: as("service.name", "vllm")}, []int{0, 1}},
		{"the service of two, and where it comes from", Sender{Attributes: as("service.name", "vllm"), Peer: "10.0.0.1", Model: "qwen"}, []int{0}},
		{"the model", Sender{Model: "llama"}, []int{1}},
		{"a model of two", Sender{Model: "qwen"}, []int{0, 2}},
		{"a model of two, and where it comes from", Sender{Model: "qwen", Peer: "10.0.0.2"}, []int{2}},
		{"another model", Sender{Model: "mistral", Peer: "10.0.0.2"}, nil},
		{"an adapter on a server that is known", Sender{Model: "my-lora", Attributes: as("service.instance.id", "10.0.0.2:8000")}, []int{2}},
		{"where it comes from", Sender{Peer: "10.0.0.2"}, []int{2}},
		{"a peer of two", Sender{Peer: "10.0.0.1"}, []int{0, 1}},
	} {
		if d := cmp.Diff(c.want, (Matcher{}).find(c.in, targets)); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	m := Matcher{Rules: []Rule{{Sender: func(a map[string]string) bool { return a["service.name"] == "blue" }, Target: func(l map[string]string) bool { return l["model_name"] == "llama" }}}}
	if got := m.find(Sender{Attributes: as("service.name", "blue"), Peer: "10.0.0.2"}, targets); len(got) != 1 || got[0] != 1 {
		t.Errorf("a rule decides: %v", got)
	}
	if got := (Matcher{}).find(Sender{Peer: "127.0.0.1"}, []map[string]string{{"instance": "localhost:8000"}}); len(got) != 1 {
		t.Errorf("names of the own machine are one: %v", got)
	}
}

func TestSpansOfSeveralServersAreLeftOutAndSaid(t *testing.T) {
	w := NewWindow(Limits{Span: time.Minute, PerSender: 100, Total: 1000, Senders: 3})
	for i := range 30 {
		_, _ = w.Add(batch(t, spanOf(i+1, "vllm", noon)), "", noon)
	}
	targets := []map[string]string{{"instance": "a:1", "job": "vllm"}, {"instance": "b:1", "job": "vllm"}, {"instance": "c:1", "job": "other"}}
	v := w.View(Matcher{}, targets, noon.Add(-time.Minute), noon)
	for i, want := range []int{1, 1, 0} {
		if f, n := v.Facts(model.LabelsFrom(targets[i])), v.Notes(targets[i]); f != nil || len(n) != want {
			t.Errorf("%v: %d facts, %q", targets[i], len(f), n)
		}
	}
	if d := cmp.Diff(map[string]int{"vllm (service.instance.id )": 30}, v.Ambiguous); d == "" || v.Ambiguous["vllm"] != 30 {
		t.Errorf("%v", v.Ambiguous)
	}
}

func TestExamplesShowTheHarmThatIsAskedFor(t *testing.T) {
	var in []string
	for i, x := range []struct{ ttft, e2e, decode, output float64 }{{0.1, 9, 1, 100}, {2, 3, 0.5, 50}, {0.2, 4, 3.8, 20}} {
		in = append(in, document(t, "a", toldSpan{i + 1, i + 1, 0, "llm_request", 1000, 1000 + x.e2e, map[string]any{
			"gen_ai.latency.e2e": x.e2e, "gen_ai.latency.time_to_first_token": x.ttft, "gen_ai.latency.time_in_model_decode": x.decode, "gen_ai.usage.completion_tokens": x.output,
		}}))
	}
	tr := read(t, in...)
	for harm, want := range map[model.Harm]string{model.SlowFirstToken: "2", model.SlowTokens: "3", model.SlowWhole: "1"} {
		got := tr.Examples(harm, 1)
		if len(got) != 1 || got[0].TraceID != fmt.Sprintf("%032s", want) || got[0].Shows != harm || math.Abs(*got[0].E2E) == 0 || got[0].Queue != nil {
			t.Errorf("%s: %+v", harm, got)
		}
	}
}

func TestFilesOfSeveralServersAreToldApart(t *testing.T) {
	var in []string
	for i := range 30 {
		in = append(in, spanOf(3*i+1, "a", noon), spanOf(3*i+2, "b", noon), spanOf(3*i+3, "elsewhere", noon))
	}
	targets := []map[string]string{{"instance": "a:1"}, {"instance": "b:1"}, {"instance": "c:1"}}
	v := read(t, in...).By(targets)
	for i, want := range []int{30, 30, 0} {
		got := v.Traces(model.LabelsFrom(targets[i]))
		if want == 0 && got != nil || want > 0 && (got == nil || got.Requests != want) {
			t.Errorf("%v: %+v", targets[i], got)
		}
	}
	if d := cmp.Diff([]string{"30 traced requests of elsewhere fit none of the 3 servers and were left out"}, v.LeftOut()); d != "" {
		t.Error(d)
	}
}

func TestASenderOfMuchDoesNotKeepOthersFromBeingHeard(t *testing.T) {
	w := NewWindow(Limits{Span: time.Minute, PerSender: 1000, Total: 100, Senders: 5})
	for i := range 300 {
		if _, err := w.Add(batch(t, spanOf(i+1, "loud", noon)), "", noon); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		if got, err := w.Add(batch(t, spanOf(1000+i, "quiet", noon)), "", noon); err != nil || got.Kept != 1 || w.Len() > 100 {
			t.Fatalf("%+v, %v, %d kept", got, err, w.Len())
		}
	}
	targets := []map[string]string{{"instance": "loud:1"}, {"instance": "quiet:1"}}
	v := w.View(Matcher{}, targets, noon.Add(-time.Minute), noon)
	if loud, quiet := requestsOf(v, targets[0]), requestsOf(v, targets[1]); quiet != 20 || loud < 60 || len(v.Notes(targets[0])) != 1 {
		t.Errorf("%d and %d are kept, %q", loud, quiet, v.Notes(targets[0]))
	}
	if len(w.known) != w.Len() {
		t.Errorf("%d known, %d kept", len(w.known), w.Len())
	}
}

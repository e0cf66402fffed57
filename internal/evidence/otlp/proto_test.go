package otlp

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// nested puts a message into the fields of others, the innermost first.
func nested(text []byte, numbers ...protowire.Number) []byte {
	for _, n := range numbers {
		text = protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), text)
	}
	return text
}

// allocated is how many bytes a call asks for.
func allocated(do func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func TestAMessageOfEmptyThingsTakesNoMemory(t *testing.T) {
	const size = 1 << 20
	for name, in := range map[string][]byte{
		"resources":  bytes.Repeat(nested(nil, 1), size/2),
		"scopes":     nested(bytes.Repeat(nested(nil, 2), size/2), 1),
		"spans":      nested(bytes.Repeat(nested(nil, 2), size/2), 2, 1),
		"attributes": nested(bytes.Repeat(nested(nil, 9), size/2), 2, 2, 1),
		"lists":      nested(bytes.Repeat(nested(nil, 1), size/2), 5, 2, 9, 2, 2, 1),
		"links":      nested(bytes.Repeat(nested(nil, 13), size/2), 2, 2, 1),
	} {
		if got := allocated(func() {
			if _, err := Proto(in); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}); got > 4*size {
			t.Errorf("%s: %d bytes for a message of %d", name, got, len(in))
		}
	}
	if got := allocated(func() {
		in := `{"resourceSpans":[{"scopeSpans":[{"spans":[` + strings.Repeat("{},", size/3) + `{}]}]}]}`
		if _, err := JSON([]byte(in)); err == nil {
			t.Error("objects of no length are read")
		}
	}); got > 8*size {
		t.Errorf("JSON: %d bytes for %d", got, size)
	}
}

func TestAModelWithAnEndlessNameIsNotRemembered(t *testing.T) {
	w := NewWindow(Limits{Span: time.Minute, PerSender: 10, Total: 100, Senders: 10})
	text := span("a", "b", "vllm", 1e9, 1, 2, 5)
	if _, err := w.Add(batch(t, strings.Replace(text, `"attributes":[`, `"attributes":[{"key":"gen_ai.request.model","value":{"stringValue":"`+strings.Repeat("m", 1<<20)+`"}},`, 2)), "", noon); err != nil {
		t.Fatal(err)
	}
	for key := range w.senders {
		if len(key) > 1<<10 {
			t.Errorf("%d bytes are kept of a name", len(key))
		}
	}
}

func TestNamesMoveNoCursor(t *testing.T) {
	b := batch(t, strings.Replace(span("a", "b", "vllm", 1e9, 1, 2, 5), "vllm", `vl\u001b[2Jlm`, 1))
	for _, g := range b.groups {
		if diff := cmp.Diff("vl[2Jlm", g.Name()); diff != "" {
			t.Error(diff)
		}
	}
}

// FuzzProto holds the reader against the one of the protobuf library.
func FuzzProto(f *testing.F) {
	real, err := os.ReadFile("testdata/vllm-0.25.1-longmix-5.pb")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(real[:3000])
	var all trace.TracesData
	if err := proto.Unmarshal(real, &all); err != nil {
		f.Fatal(err)
	}
	all.ResourceSpans = all.ResourceSpans[:1]
	all.ResourceSpans[0].ScopeSpans[0].Spans = all.ResourceSpans[0].ScopeSpans[0].Spans[:2]
	one, err := proto.Marshal(&all)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(one)
	f.Fuzz(func(t *testing.T, in []byte) {
		var want trace.TracesData
		wrong := proto.Unmarshal(in, &want)
		got, err := Proto(in)
		if wrong != nil {
			return // what is not needed may be broken
		}
		if err != nil {
			t.Fatalf("%v of a message that the library reads", err)
		}
		n := 0
		for _, rs := range want.GetResourceSpans() {
			for _, ss := range rs.GetScopeSpans() {
				n += len(ss.GetSpans())
			}
		}
		if got.Spans != n {
			t.Errorf("%d spans, want %d", got.Spans, n)
		}
	})
}

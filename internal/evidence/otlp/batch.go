package otlp

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
)

// Sender is who sent spans, as far as the spans and the connection tell.
type Sender struct {
	// Attributes are those of the resource that are texts, 32 at most of 256 bytes each.
	Attributes map[string]string
	// Model is the model that the spans name, "" where they name none.
	Model string
	// Peer is the address of the process that sent them itself, "" where it is unknown or a collector stood between.
	Peer string
}

const (
	maxAttributes = 32
	maxAttribute  = 256
)

func (s Sender) key() string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(s.Attributes)) {
		b.WriteString(k + "\xff" + s.Attributes[k] + "\xfe")
	}
	b.WriteString(s.Model + "\xfe" + s.Peer)
	return b.String()
}

// Name is how people know the sender: its service, and its instance where it tells.
func (s Sender) Name() string {
	name := s.Attributes["service.name"]
	if name == "" {
		name = "a service without a name"
	}
	for _, k := range []string{"k8s.pod.name", "service.instance.id", "host.name"} {
		if v := s.Attributes[k]; v != "" {
			return name + " (" + k + " " + v + ")"
		}
	}
	return name
}

// Batch is what some messages hold.
type Batch struct {
	// Spans counts all spans, Others those that are about no request of an inference server.
	Spans, Others int

	groups map[string]*group
}

type group struct {
	Sender

	requests []request
	pieces   []piece
}

func newBatch() *Batch { return &Batch{groups: map[string]*group{}} }

// Size is how many spans are to be kept.
func (b *Batch) Size() int { return b.Spans - b.Others }

// Of reads the spans of a message.
func Of(spans []*trace.ResourceSpans) *Batch {
	b := newBatch()
	b.proto(spans)
	return b
}

// JSON reads a message in its JSON form, which has to be one object.
func JSON(text []byte) (*Batch, error) {
	var p jsonPayload
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("read spans: %w", err)
	}
	b := newBatch()
	b.document(&p)
	return b, nil
}

// resource keeps what tells who it is.
type resource map[string]string

func (r resource) add(key, value string) {
	if len(r) < maxAttributes && len(key) <= maxAttribute && len(value) <= maxAttribute && value != "" {
		r[key] = value
	}
}

// add keeps a span that is about a request.
func (b *Batch) add(of resource, r *raw) {
	b.Spans++
	kind := r.what()
	if kind == other {
		b.Others++
		return
	}
	if !(r.start > 0 && r.end >= r.start) {
		r.start, r.end = math.NaN(), math.NaN()
	}
	who := Sender{Attributes: of}
	if kind == whole || kind == rooted {
		who.Model = r.model
	}
	key := who.key()
	g := b.groups[key]
	if g == nil {
		g = &group{Sender: who}
		b.groups[key] = g
	}
	if kind != whole && kind != rooted {
		g.pieces = append(g.pieces, piece{r.trace, r.span, r.parent, kind, r.start, r.end})
		return
	}
	if kind == rooted && !math.IsNaN(r.start) {
		r.e2e = r.end - r.start
	}
	q := r.request
	q.trace, q.span, q.start, q.end, q.kind = r.trace, r.span, r.start, r.end, kind
	g.requests = append(g.requests, q)
}

func (b *Batch) proto(spans []*trace.ResourceSpans) {
	for _, rs := range spans {
		of := resource{}
		for _, kv := range rs.GetResource().GetAttributes() {
			if v, ok := kv.GetValue().GetValue().(*common.AnyValue_StringValue); ok {
				of.add(kv.GetKey(), v.StringValue)
			}
		}
		for _, ss := range rs.GetScopeSpans() {
			for _, s := range ss.GetSpans() {
				r := newRaw(s.GetName(), float64(s.GetStartTimeUnixNano())/1e9, float64(s.GetEndTimeUnixNano())/1e9)
				fit(r.trace[:], s.GetTraceId())
				fit(r.span[:], s.GetSpanId())
				fit(r.parent[:], s.GetParentSpanId())
				r.proto(s.GetAttributes())
				b.add(of, r)
			}
		}
	}
}

func (r *raw) proto(kvs []*common.KeyValue) {
	for _, kv := range kvs {
		switch v := kv.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			r.text(kv.GetKey(), v.StringValue)
		case *common.AnyValue_DoubleValue:
			r.number(kv.GetKey(), v.DoubleValue)
		case *common.AnyValue_IntValue:
			r.number(kv.GetKey(), float64(v.IntValue))
		}
	}
}

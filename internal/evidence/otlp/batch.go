package otlp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode"
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

// The objects of real messages have 25 bytes and more on average. An empty one has three, and fifty times that in memory.
const dense, perObject = 256, 16

// JSON reads a message in its JSON form, which has to be one object.
func JSON(text []byte) (*Batch, error) {
	if n := bytes.Count(text, []byte("{")); n > dense+len(text)/perObject {
		return nil, fmt.Errorf("read spans: %d objects in %d bytes are no spans", n, len(text))
	}
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
		r[key] = printable(value)
	}
}

// printable leaves out what would move a terminal's cursor: names are shown to people.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// latest is the last second that nanoseconds can count.
const latest = math.MaxInt64 / 1e9

// add keeps a span that is about a request.
func (b *Batch) add(of resource, r *raw) {
	b.Spans++
	kind := r.what()
	if kind == other {
		b.Others++
		return
	}
	if !(r.start > 0 && r.end >= r.start && r.end < latest) {
		r.start, r.end = math.NaN(), math.NaN()
	}
	who := Sender{Attributes: of}
	if kind == whole || kind == rooted {
		who.Model = printable(r.model)
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

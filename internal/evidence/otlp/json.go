package otlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// The OTLP/JSON form: ids are hexadecimal, 64-bit numbers are texts (opentelemetry-proto, docs/specification.md#json-protobuf-encoding).
type jsonPayload struct {
	ResourceSpans []struct {
		Resource struct {
			Attributes []jsonAttribute `json:"attributes"`
		} `json:"resource"`
		ScopeSpans []struct {
			Spans []jsonSpan `json:"spans"`
		} `json:"scopeSpans"`
	} `json:"resourceSpans"`
}

type jsonSpan struct {
	TraceID    string          `json:"traceId"`
	SpanID     string          `json:"spanId"`
	ParentID   string          `json:"parentSpanId"`
	Name       string          `json:"name"`
	Start      json.RawMessage `json:"startTimeUnixNano"`
	End        json.RawMessage `json:"endTimeUnixNano"`
	Attributes []jsonAttribute `json:"attributes"`
}

type jsonAttribute struct {
	Key   string `json:"key"`
	Value struct {
		String *string         `json:"stringValue"`
		Int    json.RawMessage `json:"intValue"`
		Double *float64        `json:"doubleValue"`
		Bool   *bool           `json:"boolValue"`
	} `json:"value"`
}

// limited fails once more than maxPayload was read since left was set.
type limited struct {
	r    io.Reader
	left int
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("one document has more than %d MiB", maxPayload>>20)
	}
	n, err := l.r.Read(p)
	l.left -= n
	return n, err
}

// json reads documents one after the other. One that breaks off ends it with a note where something was read before.
func (c *collector) json(r io.Reader) error {
	l := &limited{r: r, left: maxPayload}
	d := json.NewDecoder(l)
	for n := 1; ; n++ {
		l.left = maxPayload
		var p jsonPayload
		err := d.Decode(&p)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && c.seen() > 0:
			c.notes = append(c.notes, fmt.Sprintf("a file breaks off at its document %d (%v): what follows was not seen", n, err))
			return nil
		case err != nil:
			return fmt.Errorf("%w: %w\n%s", ErrNoTraces, err, hint)
		}
		b := newBatch()
		b.document(&p)
		c.take(b)
	}
}

func (b *Batch) document(p *jsonPayload) {
	for _, rs := range p.ResourceSpans {
		of := resource{}
		for _, a := range rs.Resource.Attributes {
			if a.Value.String != nil {
				of.add(a.Key, *a.Value.String)
			}
		}
		for _, ss := range rs.ScopeSpans {
			for _, s := range ss.Spans {
				r := newRaw(s.Name, nanos(s.Start), nanos(s.End))
				idOf(r.trace[:], s.TraceID)
				idOf(r.span[:], s.SpanID)
				idOf(r.parent[:], s.ParentID)
				for _, a := range s.Attributes {
					r.json(a)
				}
				b.add(of, &r)
			}
		}
	}
}

// nanos reads a time as a number or a text, in seconds; 0 is unknown.
func nanos(raw json.RawMessage) float64 {
	text := string(raw)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return float64(n) / 1e9
}

func (r *raw) json(in jsonAttribute) {
	switch v := in.Value; {
	case v.String != nil:
		r.text(in.Key, *v.String)
	case v.Double != nil:
		r.number(in.Key, *v.Double)
	case v.Int != nil:
		text := string(v.Int)
		if unquoted, err := strconv.Unquote(text); err == nil {
			text = unquoted
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			r.number(in.Key, n)
		}
	}
}

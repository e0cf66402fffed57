package otlp

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Proto reads an ExportTraceServiceRequest, or a TracesData, which has the same fields. It reads what is needed in place: an empty
// span takes two bytes on the wire and a hundred times that as a message of Go.
func Proto(message []byte) (*Batch, error) {
	b := newBatch()
	err := fields(message, func(f field) error {
		if f.number != 1 {
			return nil
		}
		text, err := f.text()
		if err != nil {
			return err
		}
		return b.resourceSpans(text)
	})
	if err != nil {
		return nil, fmt.Errorf("read spans: %w", err)
	}
	return b, nil
}

// field is one field of a message (protobuf.dev/programming-guides/encoding).
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  []byte
}

var (
	errWire = errors.New("it is no OTLP message")
	// errKind says that a field has another type than the one of that number, which makes it an unknown one.
	errKind = errors.New("a field of another type")
)

// fields calls do with every field of a message.
func fields(message []byte, do func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return errWire
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return errWire
		}
		if err := do(field{number, kind, message[:n]}); err != nil && !errors.Is(err, errKind) {
			return err
		}
		message = message[n:]
	}
	return nil
}

// text is the value of a string, of bytes or of a message.
func (f field) text() ([]byte, error) {
	if f.kind != protowire.BytesType {
		return nil, errKind
	}
	text, n := protowire.ConsumeBytes(f.value)
	if n < 0 {
		return nil, errWire
	}
	return text, nil
}

// fixed is the value of a fixed64 or a double, as bits.
func (f field) fixed() (uint64, error) {
	if f.kind != protowire.Fixed64Type {
		return 0, errKind
	}
	v, n := protowire.ConsumeFixed64(f.value)
	if n < 0 {
		return 0, errWire
	}
	return v, nil
}

func (b *Batch) resourceSpans(message []byte) error {
	var of resource
	// An encoder may write the spans before the resource that they are of.
	err := fields(message, func(f field) error {
		if f.number != 1 {
			return nil
		}
		return f.each(1, func(attribute field) error {
			key, v, err := attribute.keyValue()
			if err == nil && v.kind == aText {
				if of == nil {
					of = resource{}
				}
				of.add(key, v.text)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return fields(message, func(f field) error {
		if f.number != 2 {
			return nil
		}
		return f.each(2, func(span field) error {
			text, err := span.text()
			if err != nil {
				return err
			}
			return b.span(of, text)
		})
	})
}

// each calls do with every field of that number in the message that a field holds.
func (f field) each(number protowire.Number, do func(field) error) error {
	message, err := f.text()
	if err != nil {
		return err
	}
	return fields(message, func(inner field) error {
		if inner.number != number {
			return nil
		}
		return do(inner)
	})
}

func (b *Batch) span(of resource, message []byte) error {
	r := newRaw("", 0, 0)
	err := fields(message, func(f field) (err error) {
		var text []byte
		var bits uint64
		switch f.number {
		case 1, 2, 4, 5, 9:
			text, err = f.text()
		case 7, 8:
			bits, err = f.fixed()
		}
		if err != nil {
			return err
		}
		switch f.number {
		case 1:
			fit(r.trace[:], text)
		case 2:
			fit(r.span[:], text)
		case 4:
			fit(r.parent[:], text)
		case 5:
			r.name = string(text[:min(len(text), maxAttribute)])
		case 7:
			r.start = float64(bits) / 1e9
		case 8:
			r.end = float64(bits) / 1e9
		case 9:
			var key string
			var v value
			if key, v, err = f.keyValue(); err == nil {
				r.attribute(key, v)
			}
		}
		return err
	})
	if err == nil {
		b.add(of, &r)
	}
	return err
}

func (r *raw) attribute(key string, v value) {
	switch v.kind {
	case aText:
		r.text(key, v.text)
	case aNumber:
		r.number(key, v.number)
	}
}

// value is that of an attribute. Lists and what is nested tell nothing that is read.
type value struct {
	kind   uint8
	text   string
	number float64
}

const (
	aText   uint8 = iota + 1 // of at most maxAttribute bytes; longer ones are none
	aNumber                  // an int or a double
)

// keyValue reads an attribute; a key or a text that is longer than what is kept is none.
func (f field) keyValue() (key string, v value, err error) {
	message, err := f.text()
	if err != nil {
		return "", v, err
	}
	err = fields(message, func(f field) error {
		if f.number != 1 && f.number != 2 {
			return nil
		}
		text, err := f.text()
		switch {
		case err != nil:
			return err
		case f.number == 2:
			v, err = anyValue(text)
			return err
		case len(text) <= maxAttribute:
			key = string(text)
		}
		return nil
	})
	return key, v, err
}

func anyValue(message []byte) (v value, err error) {
	err = fields(message, func(f field) error {
		switch f.number {
		case 1:
			text, err := f.text()
			if err != nil {
				return err
			}
			if !utf8.Valid(text) {
				return errors.New("a text is not UTF-8")
			}
			v = value{}
			if len(text) <= maxAttribute {
				v = value{kind: aText, text: string(text)}
			}
		case 3:
			if f.kind != protowire.VarintType {
				return errKind
			}
			n, used := protowire.ConsumeVarint(f.value)
			if used < 0 {
				return errWire
			}
			v = value{kind: aNumber, number: float64(int64(n))} //nolint:gosec // as int64 is written
		case 4:
			bits, err := f.fixed()
			if err != nil {
				return err
			}
			v = value{kind: aNumber, number: math.Float64frombits(bits)}
		default:
			v = value{}
		}
		return nil
	})
	return v, err
}

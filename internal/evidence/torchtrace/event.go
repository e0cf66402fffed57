package torchtrace

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// event is one entry of traceEvents; times are in microseconds. Its texts are overwritten by the next event's.
type event struct {
	ph, cat, name, pid, tid []byte
	ts, dur                 float64
	// correlation ties what the GPU ran to the call that launched it (CUPTI's has 32 bits); 0 is none.
	correlation uint32
	device      int
	label       []byte // of metadata: a thread's name
	collective  []byte // of a kernel of NCCL that torch launched: what it is part of
}

// none is the time of an event that has none, or one that cannot be read.
const none = -1

func (e *event) reset() {
	e.ph, e.cat, e.name, e.pid, e.tid, e.label, e.collective = e.ph[:0], e.cat[:0], e.name[:0], e.pid[:0], e.tid[:0], e.label[:0], e.collective[:0]
	e.ts, e.dur, e.correlation, e.device = none, 0, 0, 0
}

// read takes the next event. What stands in a field in an unexpected form counts as absent.
func (e *event) read(d *jsontext.Decoder) error {
	e.reset()
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	return fields(d, func(key []byte) error {
		switch string(key) {
		case `"ph"`:
			return text(d, &e.ph)
		case `"cat"`:
			return text(d, &e.cat)
		case `"name"`:
			return text(d, &e.name)
		case `"pid"`:
			return raw(d, &e.pid)
		case `"tid"`:
			return raw(d, &e.tid)
		case `"ts"`:
			return float(d, &e.ts)
		case `"dur"`:
			return float(d, &e.dur)
		case `"args"`:
			return e.args(d)
		}
		return d.SkipValue()
	})
}

func (e *event) args(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	var correlation, device float64
	err := fields(d, func(key []byte) error {
		switch string(key) {
		case `"correlation"`:
			return float(d, &correlation)
		case `"device"`:
			return float(d, &device)
		case `"name"`:
			return text(d, &e.label)
		case `"Collective name"`:
			return text(d, &e.collective)
		}
		return d.SkipValue()
	})
	if correlation > 0 && correlation < 1<<53 {
		e.correlation = uint32(uint64(correlation)) //nolint:gosec // the low bits tell calls apart just as well
	}
	if device > 0 && device < 1<<16 {
		e.device = int(device)
	}
	return err
}

// fields calls f with every key of an object, quoted; f takes the value.
func fields(d *jsontext.Decoder, f func(key []byte) error) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for {
		switch d.PeekKind() {
		case '"':
			key, err := d.ReadValue()
			if err != nil {
				return err
			}
			if err := f(key); err != nil {
				return err
			}
		default: // the end, or a fault that the next read names
			_, err := d.ReadToken()
			return err
		}
	}
}

func text(d *jsontext.Decoder, into *[]byte) error {
	if d.PeekKind() != '"' {
		return d.SkipValue()
	}
	v, err := d.ReadValue()
	if err != nil {
		return err
	}
	if bytes.IndexByte(v, '\\') < 0 {
		*into = append((*into)[:0], v[1:len(v)-1]...)
		return nil
	}
	if *into, err = jsontext.AppendUnquote((*into)[:0], v); err != nil {
		*into = (*into)[:0] // half a surrogate: a name that nobody can show
	}
	return nil
}

// raw keeps a value as it is written: process and thread are numbers or texts.
func raw(d *jsontext.Decoder, into *[]byte) error {
	v, err := d.ReadValue()
	*into = append((*into)[:0], v...)
	return err
}

func float(d *jsontext.Decoder, into *float64) error {
	if d.PeekKind() != '0' {
		return d.SkipValue()
	}
	t, err := d.ReadToken()
	if err != nil {
		return err
	}
	if v, err := t.Float(); err == nil {
		*into = v
	} else {
		*into = none
	}
	return nil
}

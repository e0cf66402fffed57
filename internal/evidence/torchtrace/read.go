// Package torchtrace reads what the PyTorch profiler exports as a Chrome trace: what the GPU did and when it
// waited, whether CUDA graphs ran, what kernels took the time, and what the host was busy with.
package torchtrace

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrNoTrace is the fault of a file that holds no trace of the PyTorch profiler.
var ErrNoTrace = errors.New("no trace of the PyTorch profiler")

const hint = "hint: pass the *.pt.trace.json(.gz) that torch.profiler or vLLM's /start_profile wrote"

// maxValue bounds one event, and each value beside the events: real ones have a few kB.
const maxValue = 4 << 20

// Recognise says whether a file that begins so is a Chrome trace of the PyTorch profiler.
func Recognise(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n\ufeff")
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	for _, mark := range []string{`"traceEvents"`, `"deviceProperties"`, `"cat": "cpu_op"`, `"cat": "cuda_runtime"`} {
		if bytes.Contains(head, []byte(mark)) {
			return true
		}
	}
	return false
}

// Open reads the trace in a file, which may be compressed with gzip.
func Open(path string) (*Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	defer func() { _ = f.Close() }()
	p, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", path, err)
	}
	return p, nil
}

// Read reads a trace to its end. One that breaks off is taken as far as it goes, with a note; memory grows with
// the kernels and launches (some 40 bytes each, up to maxActivities), not with the bytes.
func Read(r io.Reader) (*Profile, error) {
	r, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	guard := &guard{r: r, left: maxValue}
	c := newCollector()
	err = walk(json.NewDecoder(guard), guard, c)
	if c.events == 0 {
		if err == nil {
			err = errors.New("it holds no event")
		}
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoTrace, err, hint)
	}
	p := c.profile()
	if err != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("the file breaks off after %d events (%v): what follows was not seen", c.events, err))
	}
	return p, nil
}

// guard fails a read once more than maxValue was taken for one value, so that no broken file fills the memory.
type guard struct {
	r    io.Reader
	left int
}

func (g *guard) Read(p []byte) (int, error) {
	if g.left <= 0 {
		return 0, fmt.Errorf("one value has more than %d MiB", maxValue>>20)
	}
	n, err := g.r.Read(p)
	g.left -= n
	return n, err
}

// walk goes through the trace: an object with traceEvents, or the bare list of events.
func walk(d *json.Decoder, g *guard, c *collector) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return list(d, g, c)
	case json.Delim('{'):
	default:
		return errors.New("it is no JSON object")
	}
	for d.More() {
		g.left = maxValue
		key, err := d.Token()
		if err != nil {
			return err
		}
		if key == "traceEvents" {
			if t, err := d.Token(); err != nil || t != json.Delim('[') {
				return errors.Join(errors.New("traceEvents is no list"), err)
			}
			if err := list(d, g, c); err != nil {
				return err
			}
			continue
		}
		var skipped json.RawMessage
		if err := d.Decode(&skipped); err != nil {
			return err
		}
		c.header(key, skipped)
	}
	_, err = d.Token()
	return err
}

func list(d *json.Decoder, g *guard, c *collector) error {
	var e event
	for d.More() {
		g.left = maxValue
		e = event{}
		if err := d.Decode(&e); err != nil {
			var wrong *json.UnmarshalTypeError
			if errors.As(err, &wrong) {
				continue // an event of a shape of its own, such as a counter
			}
			return err
		}
		c.take(&e)
	}
	_, err := d.Token()
	return err
}

// Package otlp reads the traces of inference servers: where each request spent its time, and what the slowest had in common.
package otlp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/inferdx/inferdx/internal/evidence/packed"
)

// ErrNoTraces is the fault of files without a request's span.
var ErrNoTraces = errors.New("no span of an inference request found")

const hint = "hint: pass what an OpenTelemetry collector's file exporter wrote (JSON lines), or an ExportTraceServiceRequest in protobuf; vLLM sends traces with --otlp-traces-endpoint"

// maxPayload bounds one protobuf payload and one JSON document: exporters send at most some hundred spans at once.
const maxPayload = 64 << 20

// maxRequests is how many requests are kept, of 150 bytes each; what comes after them is counted.
const maxRequests = 1 << 20

// Open reads files as the traces of one service, or of the services behind it.
func Open(paths ...string) (*Traces, error) {
	c := newCollector()
	var faults []error
	for _, path := range paths {
		if err := c.open(path); err != nil {
			faults = append(faults, fmt.Errorf("read traces %s: %w", path, err))
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return c.traces()
}

// Read reads one stream, which may be compressed with gzip.
func Read(r io.Reader) (*Traces, error) {
	c := newCollector()
	if err := c.read(r); err != nil {
		return nil, fmt.Errorf("read traces: %w", err)
	}
	return c.traces()
}

func (c *collector) open(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return c.read(f)
}

func (c *collector) read(r io.Reader) error {
	r, err := packed.Reader(r)
	if err != nil {
		return err
	}
	b := bufio.NewReaderSize(r, 1<<16)
	head, err := b.Peek(512)
	if len(head) == 0 {
		return fmt.Errorf("%w: the file is empty (%w)\n%s", ErrNoTraces, err, hint)
	}
	if isJSON(head) {
		return c.json(b)
	}
	return c.protobuf(b)
}

// isJSON tells an object of JSON from protobuf, whose first byte is a line break here and the second, a length, may be a brace.
func isJSON(head []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	return ok && (len(rest) == 0 || rest[0] == '"' || rest[0] == '}')
}

func (c *collector) protobuf(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, maxPayload+1))
	if err != nil {
		return err
	}
	if len(raw) > maxPayload {
		return fmt.Errorf("it has more than %d MiB and is one protobuf payload; write JSON lines instead", maxPayload>>20)
	}
	b, err := Proto(raw)
	if err != nil {
		return fmt.Errorf("%w: neither JSON nor protobuf\n%s", ErrNoTraces, hint)
	}
	c.take(b)
	return nil
}

// Recognise says whether a file that begins so, unpacked, holds traces of an inference server.
func Recognise(head []byte) bool {
	return bytes.Contains(head, []byte(`"resourceSpans"`)) || !isJSON(head) && bytes.Contains(head, []byte("gen_ai.latency."))
}

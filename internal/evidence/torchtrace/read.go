// Package torchtrace reads what the PyTorch profiler exports as a Chrome trace: what the GPU did and when it
// waited, whether CUDA graphs ran, what kernels took the time, and what the host was busy with.
package torchtrace

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"

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
	p, err := packed.Open(path, "profile", Read)
	if err == nil && p.Rank < 0 {
		p.Rank = rankIn(filepath.Base(path))
	}
	return p, err
}

// fileRank is how engines write the rank into a file's name: vLLM's ..._rank0.….pt.trace.json, SGLang's …-TP-0.trace.json.
var fileRank = regexp.MustCompile(`(?i)(?:rank[_-]?|\bTP-)(\d{1,6})(?:\D|$)`)

// rankIn reads the rank out of a file's name; -1 is none.
func rankIn(name string) int {
	if m := fileRank.FindStringSubmatch(name); m != nil {
		return atoi(m[1])
	}
	return -1
}

// Read reads a trace to its end. One that breaks off is taken as far as it goes, with a note; memory grows with the
// kernels, launches and calls (16 bytes each, up to maxActivities of a kind), not with the bytes.
func Read(r io.Reader) (*Profile, error) {
	r, err := packed.Reader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoTrace, err, hint)
	}
	c := newCollector()
	err = c.walk(r)
	if c.events == 0 {
		if err == nil {
			err = errors.New("it holds no event")
		}
		return nil, fmt.Errorf("%w: %w\n%s", ErrNoTrace, err, hint)
	}
	p := c.profile()
	if err != nil {
		p.Cut = true
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

// walk goes through the trace: an object with traceEvents, or the bare list of events. The reader of tokens is four to five
// times as fast as encoding/json's here, and leaves no garbage behind.
func (c *collector) walk(r io.Reader) error {
	g := &guard{r: r, left: maxValue}
	in := &source{g: g}
	d := in.decoder()
	switch d.PeekKind() {
	case '[':
		return c.list(d, in)
	case '{':
	default:
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		return errors.New("it is no JSON object")
	}
	err := fields(d, func(key []byte) error {
		g.left = maxValue
		switch name := string(key); name {
		case `"traceEvents"`:
			if d.PeekKind() != '[' {
				return errors.New("traceEvents is no list")
			}
			if err := c.list(d, in); err != nil || c.broken > 0 {
				return cmp.Or(err, errEnd)
			}
			return nil
		case `"deviceProperties"`, `"distributedInfo"`, `"baseTimeNanoseconds"`, `"host_name"`:
			value, err := d.ReadValue()
			c.header(name[1:len(name)-1], value)
			return err
		}
		return d.SkipValue()
	})
	if errors.Is(err, errEnd) {
		return nil
	}
	return err
}

// errEnd ends the reading behind a list with broken events: what stands beside it cannot be told any more.
var errEnd = errors.New("end")

// list reads the events. One that is no JSON is left out: the profiler writes inf and nan for what it could not compute.
func (c *collector) list(d *jsontext.Decoder, in *source) error {
	for {
		err := c.eventsOf(d, in.g)
		var syntax *jsontext.SyntacticError
		if err == nil || !errors.As(err, &syntax) || errors.Is(err, io.ErrUnexpectedEOF) || !in.resume(d.UnreadBuffer()) {
			return err
		}
		c.broken++
		d = in.decoder()
	}
}

func (c *collector) eventsOf(d *jsontext.Decoder, g *guard) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	var e event
	for {
		g.left = maxValue
		if k := d.PeekKind(); k == ']' || k == jsontext.KindInvalid {
			_, err := d.ReadToken()
			return err
		}
		if err := e.read(d); err != nil {
			return err
		}
		c.take(&e)
	}
}

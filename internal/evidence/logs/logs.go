// Package logs reads the log of an inference server as facts: its version, its settings, what it measured at start, what it
// was doing by its periodic lines, and how often it said that something is wrong. vLLM 0.6 to 0.33, SGLang 0.4 to 0.5.23 and
// the kernel's lines about GPUs and memory are known.
package logs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/inferdx/inferdx/internal/evidence/packed"
	"github.com/inferdx/inferdx/internal/model"
	"github.com/inferdx/inferdx/playbooks/knobs"
)

// Facts are what a log tells, by name.
type Facts = map[string]model.Fact

// ErrUnrecognised is the fault of a file in which no line is an engine's.
var ErrUnrecognised = errors.New("no line of an inference server's log found")

// catalog is the knobs whose values are looked for.
var catalog = sync.OnceValues(func() (*knobs.Catalog, error) { return knobs.Load(knobs.Builtin()) })

// Open reads the log in a file, which may be compressed with gzip.
func Open(path string) (*Log, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer func() { _ = f.Close() }()
	l, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", path, err)
	}
	return l, nil
}

// Read reads a log to its end; gzip is recognised.
func Read(r io.Reader) (*Log, error) {
	r, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	l, err := NewReader()
	if err != nil {
		return nil, err
	}
	if err := eachLine(r, l.Line); err != nil && l.recognised == 0 {
		return nil, err // a log that breaks off later still tells what it told
	}
	return l.Log()
}

// Recognise says whether a file that begins so, unpacked, is a log of a server or of the kernel.
func Recognise(head []byte) bool {
	l, err := NewReader()
	if err != nil {
		return false
	}
	_ = eachLine(strings.NewReader(string(head)), l.Line) // nothing to fail
	return l.recognised > 0
}

// Reader goes through the lines of one log as they come. What it keeps does not grow with them. It is not safe for concurrent use.
type Reader struct {
	periodic []pattern
	patterns []pattern
	events   []event
	catalog  *knobs.Catalog
	envelope envelope
	clock    clock

	start      *start // that the log is in
	before     map[string]*seen
	crashes    []crash
	restarts   []stamp // when each start but the first began, the last ones of them
	restarted  int
	others     int // servers whose logs come before in the same file
	lines      int
	recognised int
	first      stamp
	server     string // vllm or sglang
	text       string // of the line that is looked at
	announced  bool   // some start said its version or arguments, so each will
}

// NewReader begins a log.
func NewReader() (*Reader, error) {
	c, err := catalog()
	if err != nil {
		return nil, err
	}
	return &Reader{
		periodic: slices.Concat(vllmPeriodic, sglangPeriodic),
		patterns: slices.Concat(vllmPatterns, vllmStats, sglangPatterns),
		events:   slices.Concat(vllmEvents, sglangEvents, kernelEvents),
		catalog:  c, start: newStart(), before: map[string]*seen{},
	}, nil
}

// Line takes the next line, without its break.
func (l *Reader) Line(raw string) {
	l.lines++
	x, ok := l.envelope.open(raw)
	if !ok {
		return
	}
	x.at = l.clock.ordered(x.at)
	if l.first.none() {
		l.first = x.at
	}
	if l.start.lines++; l.start.began.none() {
		l.start.began = x.at
	}
	defer func() { l.start.newest = latest(l.start.newest, x.at.at) }()
	if strings.Contains(x.text, ` HTTP/1.1" `) {
		return // most lines of most logs: somebody asked for something
	}
	if quotes(x.text) {
		return
	}
	l.text = x.text
	if l.matches(l.periodic) {
		l.recognised++ // such a line says nothing else, and there are many
		return
	}
	hit := l.matches(l.patterns)
	hit = l.event(x) || hit
	l.trace(x)
	if x.level == "WARNING" || strings.Contains(x.text, "WARNING") && vllmWarning.MatchString(x.text) {
		l.start.warnings++
	}
	if hit || l.recognised == 0 && vllmLine.MatchString(x.text) {
		l.recognised++
	}
}

// quotations begin lines that quote what users asked and what they were answered (vllm/entrypoints/logger.py, sglang's
// managers/tokenizer_manager.py, with request logging on).
var quotations = []string{"Received request ", "Request ", "Generated response ", "Receive: obj=", "Finish: obj="}

// quotes says that the words of the line are a user's: a prompt about an error is none.
func quotes(text string) bool {
	for _, q := range quotations {
		at := 0
		if !strings.HasPrefix(text, q) {
			if at = strings.Index(text, "] "+q); at < 0 {
				continue
			}
		}
		if q != "Request " || strings.Contains(text[at:], " details: prompt: ") {
			return true
		}
	}
	return false
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// matches takes what the patterns find in the line.
func (l *Reader) matches(patterns []pattern) bool {
	hit := false
	for i := range patterns {
		p := &patterns[i]
		if !strings.Contains(l.text, p.has) {
			continue
		}
		if m := p.re.FindStringSubmatch(l.text); m != nil {
			p.take(l, m)
			if hit = true; p.of != "" {
				l.server = p.of
			}
		}
	}
	return hit
}

// Log is what the lines so far tell. It fails while none of them is an engine's or the kernel's.
func (l *Reader) Log() (*Log, error) { return l.LogAfter(0) }

// LogAfter is Log when nothing was written for some time: periodic lines are then of the past.
func (l *Reader) LogAfter(silence time.Duration) (*Log, error) {
	if l.recognised == 0 {
		return nil, fmt.Errorf("%w among %d lines\nhint: pass the server's own output (stdout and stderr), with its start where there is one", ErrUnrecognised, l.lines)
	}
	return l.tell(silence), nil
}

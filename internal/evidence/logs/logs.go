// Package logs reads the log of an inference server as facts: its version, its settings, what it measured at start,
// and how often it said that something is wrong. vLLM 0.6 to 0.33 and SGLang 0.4 to 0.5.23 are known.
package logs

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"sync"

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
func Open(path string) (Facts, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read log: %w", err)
	}
	defer func() { _ = f.Close() }()
	facts, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("read log %s: %w", path, err)
	}
	return facts, nil
}

// Read reads a log to its end; gzip is recognised. The last start in it counts: settings and counts are of it alone, what
// starts before it said is under the same name with _before_restart. Counts are present, and 0, wherever a log could be read.
func Read(r io.Reader) (Facts, error) {
	r, err := packed.Reader(r)
	if err != nil {
		return nil, err
	}
	c, err := catalog()
	if err != nil {
		return nil, err
	}
	l := &reader{
		patterns: slices.Concat(vllmPatterns, sglangPatterns), events: slices.Concat(vllmEvents, sglangEvents),
		catalog: c, start: newStart(), before: map[string]float64{},
	}
	lines := 0
	if err := eachLine(r, func(line string) { lines++; l.line(line) }); err != nil && l.recognised == 0 {
		return nil, err // a log that breaks off later still tells what it told
	}
	if l.recognised == 0 {
		return nil, fmt.Errorf("%w among %d lines\nhint: pass the server's own output (stdout and stderr), with its start where there is one", ErrUnrecognised, lines)
	}
	return l.facts(), nil
}

// reader goes through the lines; start is the server's start that it is in.
type reader struct {
	patterns   []pattern
	events     []event
	catalog    *knobs.Catalog
	start      *start
	before     map[string]float64 // events of earlier starts
	restarts   int
	recognised int
	announced  bool // some start said its version or arguments, so each will
}

// start is what the log says from one start of the server to the next.
type start struct {
	facts     Facts
	events    map[string]float64
	explicit  Facts // what the operator set
	announced map[string]bool
	engine    bool // the engine core said something of itself
	serving   bool
	stopping  bool // an orderly shutdown began
	v0Blocks  float64
	monitored bool // compilation during inference is reported
	eager     bool
	graphs    bool
	// SGLang's Decode batch lines, and those of a step without a graph.
	decodes, eagerDecodes float64
}

func newStart() *start {
	return &start{facts: Facts{}, explicit: Facts{}, events: map[string]float64{}, announced: map[string]bool{}}
}

// begins starts anew when the server says for a second time what it says once a start.
func (l *reader) begins(what string) {
	if l.start.announced[what] || l.start.engine || l.start.serving {
		l.restart()
	}
	l.announced = true
	l.start.announced[what] = true
}

func (l *reader) restart() {
	for name, n := range l.start.events {
		l.before[name] += n
	}
	l.restarts++
	l.start = newStart()
}

func (s *start) text(name, value string) {
	s.facts[name] = model.Fact{Text: value, From: "log"}
}

func (s *start) number(name string, n float64) {
	s.facts[name] = numberFact(n)
}

// least keeps the smallest of what several ranks say, most the largest.
func (s *start) least(name string, n float64) {
	if f, ok := s.facts[name]; !ok || n < f.Num {
		s.number(name, n)
	}
}

func (s *start) most(name string, n float64) {
	if f, ok := s.facts[name]; !ok || n > f.Num {
		s.number(name, n)
	}
}

func (s *start) flag(name string, on bool) {
	f := model.Fact{Text: strconv.FormatBool(on), IsNum: true, From: "log"}
	if on {
		f.Num = 1
	}
	s.facts[name] = f
}

func numberFact(n float64) model.Fact {
	return model.Fact{Text: strconv.FormatFloat(n, 'f', -1, 64), Num: n, IsNum: true, From: "log"}
}

// facts is what is known at the end of the log.
func (l *reader) facts() Facts {
	s := l.start
	out := s.facts
	for id, f := range s.explicit {
		resolved, ok := out[id]
		switch {
		case !ok:
			out[id] = f
		case f.Text == resolved.Text || f.IsNum && resolved.IsNum && f.Num == resolved.Num:
			resolved.Explicit = true // what the engine made of it is what was asked for
			out[id] = resolved
		}
	}
	if _, ok := out["kv_capacity_tokens"]; !ok && s.v0Blocks > 0 {
		size := 16.0 // V0 logs blocks only; 16 is its default size
		if f, ok := out["block_size"]; ok && f.IsNum {
			size = f.Num
		}
		out["kv_capacity_tokens"] = numberFact(s.v0Blocks * size)
	}
	switch {
	case s.graphs:
		s.flag("cuda_graphs_captured", true)
	case s.eager || s.serving && s.facts["enforce_eager"].IsNum:
		s.flag("cuda_graphs_captured", false) // serving without a word of capturing
	}
	if len(s.announced) > 0 || s.engine {
		s.flag("log_shows_start", true)
	}
	if s.decodes >= minDecodes {
		out["decode_eager_ratio"] = numberFact(s.eagerDecodes / s.decodes)
	}
	for _, e := range l.events {
		if e.name == "log_jit_compilation" && !s.monitored && s.events[e.name] == 0 {
			continue // older releases do not report it: 0 would be a guess
		}
		out[e.name] = numberFact(s.events[e.name])
		if n := l.before[e.name]; n > 0 {
			out[e.name+"_before_restart"] = numberFact(n)
		}
	}
	out["log_warnings"] = numberFact(s.events["log_warnings"])
	out["log_restarts"] = numberFact(float64(l.restarts))
	return out
}

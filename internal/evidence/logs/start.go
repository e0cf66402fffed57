package logs

import (
	"slices"
	"strconv"
	"time"

	"github.com/inferdx/inferdx/internal/model"
)

// start is what the log says from one start of the server to the next.
type start struct {
	facts     Facts
	events    map[string]*seen
	explicit  Facts // what the operator set
	announced map[string]bool
	engine    bool // the engine core said something of itself
	device    bool // its configuration names the device
	serving   bool
	stopping  bool // an orderly shutdown began
	v0Blocks  float64
	monitored bool // compilation during inference is reported
	eager     bool
	graphs    bool
	load      load
	warnings  float64
	lines     int
	began     stamp
	served    stamp // when it began to serve
	newest    time.Time
	// The last exception that is not the echo of another one, and the last of any kind.
	cause, echo said
	tracing     bool
}

// said is a line and when it was said.
type said struct {
	text string
	at   stamp
}

// crash is a start that ended without being asked to.
type crash struct {
	ended  stamp
	served bool
	cause  said
}

// maxCrashes and maxRestarts are how many of the last ones are kept.
const (
	maxCrashes  = 16
	maxRestarts = 256
)

func newStart() *start {
	return &start{facts: Facts{}, events: map[string]*seen{}, explicit: Facts{}, announced: map[string]bool{}, load: newLoad()}
}

// begins starts anew when the server says for a second time what it says once a start.
func (l *Reader) begins(what string) {
	if l.start.announced[what] || l.start.engine || l.start.serving {
		l.restart()
	}
	l.announced = true
	l.start.announced[what] = true
}

func (l *Reader) restart() {
	old := l.start
	if old.newest.Sub(l.clock.last.at) > backwards {
		// Logs of several servers, one behind the other: this is no restart, and what the other said is not of this one.
		l.others++
		l.begun()
		return
	}
	for name, n := range old.events {
		if l.before[name] == nil {
			l.before[name] = &seen{}
		}
		l.before[name].join(n)
	}
	if !old.stopping {
		l.crashes = append(l.crashes, crash{ended: old.last(l.clock.last), served: old.serving, cause: old.died()})
		l.crashes = last(l.crashes, maxCrashes)
	}
	l.restarted++
	l.restarts = last(append(l.restarts, l.clock.last), maxRestarts)
	l.begun()
}

// begun begins another start with the line that is looked at.
func (l *Reader) begun() {
	fits, known := l.start.facts["log_length_fits"]
	l.start = newStart()
	if known { // of a loop of failing starts the last one has not failed yet
		l.start.facts["log_length_fits"] = fits
	}
	l.start.lines, l.start.began, l.start.newest = 1, l.clock.last, l.clock.last.at
}

// backwards is how much earlier than what was said before a start must be to be of another server; ranks differ by less.
const backwards = 10 * time.Second

// last keeps the last n of a list.
func last[T any](list []T, n int) []T {
	if len(list) <= n {
		return list
	}
	return slices.Clone(list[len(list)-n:])
}

// last is when the start said its last line that had a reason to be dated; now where none had.
func (s *start) last(now stamp) stamp {
	if d := s.died(); !d.at.none() {
		return d.at
	}
	return now
}

// died is the likeliest reason of its end.
func (s *start) died() said {
	if s.cause.text != "" {
		return s.cause
	}
	return s.echo
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

// serves notes when the server began to serve.
func (l *Reader) serves() {
	if l.start.serving = true; l.start.served.none() {
		l.start.served = l.clock.last
	}
}

func numberFact(n float64) model.Fact {
	return model.Fact{Text: strconv.FormatFloat(n, 'f', -1, 64), Num: n, IsNum: true, From: "log"}
}
